#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent polls a MIV site on loopback; each point's event is what an independent reader
reads, field by field. The recorded minute where it is there, and always generated ones with every
trap, also over a kill -9 in the middle."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import miv_reader
from street import SOURCE, Agent, Ingest, Process, terminate_on_alarm, wait_until

SERVER = SOURCE / "toolchain" / "dev" / "miv_server"
DATA = pathlib.Path(os.environ.get("BERM_DATA", SOURCE / ".." / "shared" / "data")) / "miv"
RECORDED = ("--data", DATA / "verkeersdata-2017-04-27T1438.xml.gz",
            "--points", DATA / "configuratie-2017-02-17.xml.gz")


class Site:
    """A miv_server, and every document it gave, by what it publishes."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.process = Process("miv_server", [SERVER, *options], folder,
                               stdout=open(self.folder / "port", "wb"))
        said = self.folder / "port"
        found = wait_until("the site listens",
                           lambda: re.match(r"port (\d+)\n", said.read_text()))
        self.port = int(found[1])

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/miv/{path}"

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=30) as answer:
            return answer.read()

    def answers(self, path):
        log = self.process.log.read_text()
        return re.findall(rf"GET /miv/{path} HTTP/1.1\" (\d+)", log)


def configuration(folder, site, **driver):
    return {
        "node": "miv-test", "board": "sim",
        "drivers": {"miv": {"driver": "miv_feed", "data_url": site.url("verkeersdata"),
                            "points_url": site.url("configuratie/xml"), **driver}},
        "uplinks": {"files": {"uplink": "file", "directory": str(folder / "out")}},
    }


def lines(folder):
    found = []
    for path in sorted((folder / "out").rglob("*")):
        if path.is_file():
            whole, _, _ = path.read_text().rpartition("\n")  # a last line may be under way
            found += whole.splitlines()
    return found


def events(folder, stream):
    """Once each: after a kill -9 what was not acknowledged is delivered again, under its id."""
    found = {e["id"]: e for e in map(json.loads, lines(folder)) if e["stream"] == stream}
    return list(found.values())


def driver_status(agent):
    status = agent.status()
    return {} if status is None else status["drivers"]["miv"]


def assert_equal(got, expected, what):
    """`got`: events; `expected`: fields by key, each exactly once."""
    wrong = []
    for key, fields in expected.items():
        found = got.get(key, [])
        if len(found) != 1:
            wrong.append(f"{key}: {len(found)} events")
        else:
            wrong += [f"{key}: {fault}" for fault in miv_reader.differences(found[0], fields)]
    wrong += [f"{key}: not in the document" for key in got if key not in expected]
    assert not wrong, f"{what}: {len(wrong)} faults: {wrong[:10]}"


def by_key(found):
    keyed = {}
    for event in found:
        keyed.setdefault((event["uid"], event["time"]), []).append(event)
    return keyed


def a_whole_minute_equals_the_independent_reading(folder, *options):
    """One document for all of the test: it never changes."""
    site = Site(folder, *options, "--every", "31536000")
    agent = Agent(folder, configuration(folder, site, period_s=1))
    agent.start()
    data, listed = site.get("verkeersdata"), site.get("configuratie/xml")
    places = miv_reader.points(listed)
    now = time.time()
    expected = miv_reader.minutes(data, places, now)
    wait_until("every point's minute is emitted",
               lambda: driver_status(agent).get("minutes") == len(expected) and agent.drained(), 60)
    wait_until("the site said twice that nothing is new",
               lambda: site.answers("verkeersdata").count("304") >= 2, 30)
    lanes = events(folder, "traffic.lane")
    assert_equal(by_key(lanes), expected, "traffic.lane")
    assert {e["source"] for e in lanes} == {"miv"}
    told = {}
    for event in events(folder, "traffic.point"):
        told.setdefault(event["uid"], []).append(event)
    assert_equal(told, places, "traffic.point")
    status = driver_status(agent)
    assert status["data"]["unchanged"] >= 2 and status["minutes"] == len(expected), status
    agent.process.kill()
    agent.start()
    wait_until("it read the minute again",
               lambda: driver_status(agent).get("data", {}).get("read"), 30)
    wait_until("all is sent", agent.drained)
    assert len(events(folder, "traffic.lane")) == len(expected), "a restart repeats a minute"
    assert len(events(folder, "traffic.point")) == len(places), "a restart tells the points again"
    assert agent.process.end() == 0
    site.process.kill()
    print(f"{len(expected)} minutes of {len(places)} points equal the independent reading")


def every_point_is_in_real_kafka(folder, *options):
    """The minute over http, through real Flume."""
    ingest = Ingest(folder)
    ingest.up()
    try:
        site = Site(folder, *options, "--every", "31536000")
        asked = configuration(folder, site)
        flume = f"http://127.0.0.1:{ingest.flume_port}/"
        asked["uplinks"] = {"flume": {"uplink": "http", "url": flume}}
        agent = Agent(folder, asked)
        agent.start()
        while not site.answers("verkeersdata"):
            time.sleep(0.005)
        served = time.time()
        places = miv_reader.points(site.get("configuratie/xml"))
        expected = miv_reader.minutes(site.get("verkeersdata"), places, time.time())
        wait_until("every point's minute is delivered",
                   lambda: driver_status(agent).get("minutes") == len(expected) and agent.drained(),
                   120)
        held = lambda: [line for topic in ingest.topics() for line in ingest.records(topic)]
        wait_until("Flume has handed all on",
                   lambda: len(held()) >= len(expected) + len(places), 60)
        records = [json.loads(line) for line in held()]
        of = lambda stream: list({e["id"]: e for e in records if e["stream"] == stream}.values())
        assert_equal(by_key(of("traffic.lane")), expected, "traffic.lane in Kafka")
        told = {}
        for event in of("traffic.point"):
            told.setdefault(event["uid"], []).append(event)
        assert_equal(told, places, "traffic.point in Kafka")
        assert agent.process.end() == 0
        site.process.kill()
        stamps = [int(at) for topic in ingest.topics() for at in ingest.records(topic, "%T\n")]
    finally:
        ingest.down()
    print(f"{len(expected)} minutes and {len(places)} points in Kafka equal the reading; the last "
          f"record came {max(stamps) / 1000 - served:.1f} s after the minute was asked for")


def generated_minutes_with_every_trap(folder, rounds=12):
    """A new document every two seconds; the agent is killed in the middle and must neither lose
    nor repeat."""
    site = Site(folder, "--generate", "400", "--every", "2", "--seed", "7")
    agent = Agent(folder, configuration(folder, site, period_s=1))
    agent.start()
    places = miv_reader.points(site.get("configuratie/xml"))
    read, documents = {}, set()  # what each document said of a (point, minute): a stuck clock
    begin = time.monotonic()
    while len(documents) < rounds:
        data = site.get("verkeersdata")
        if data not in documents:
            documents.add(data)
            for key, fields in miv_reader.minutes(data, places, time.time()).items():
                read.setdefault(key, []).append(fields)
        if len(documents) == rounds // 2 and agent.process.is_alive():
            agent.process.kill()
            agent.start()
        assert time.monotonic() - begin < 10 * rounds, "the site stands still"
        time.sleep(0.2)
    got = by_key(events(folder, "traffic.lane"))
    repeated = [key for key, found in got.items() if len(found) > 1]
    assert not repeated, f"emitted twice: {repeated[:5]}"
    common = set(got) & set(read)
    # What the site showed while the agent was away, or not yet back, nobody can have.
    assert len(common) > 0.5 * len(read), (len(common), len(read))
    # The agent may have met the site a document earlier or later than we did.
    fits = lambda key, fields: not miv_reader.differences(got[key][0], fields)
    expected = {key: next((f for f in read[key] if fits(key, f)), read[key][0]) for key in common}
    assert_equal({key: got[key] for key in common}, expected, "traps")
    status = driver_status(agent)
    for fault in ("missing_id", "bad_time", "odd_values", "repeated"):
        assert status[fault] > 0, (fault, status)
    flags = {word for found in got.values() for event in found for word in event["flags"].split()}
    assert {"stale", "ghost", "unavailable", "incomplete", "unplaced"} <= flags, flags
    assert agent.process.end() == 0
    site.process.kill()
    print(f"{len(common)} minutes of {len(documents)} generated documents equal the reading")


def as_recorded_is_old_and_emitted_as_read(folder):
    site = Site(folder, *RECORDED, "--as-recorded")
    agent = Agent(folder, configuration(folder, site, points=[29, 30], enrich=False))
    agent.start()
    wait_until("both points", lambda: len(events(folder, "traffic.lane")) == 2)
    found = events(folder, "traffic.lane")
    places = miv_reader.points(site.get("configuratie/xml"))
    expected = miv_reader.minutes(site.get("verkeersdata"), places, time.time(), enrich=False)
    wanted = {key: fields for key, fields in expected.items() if key[0] in (29, 30)}
    assert_equal(by_key(found), wanted, "as recorded")
    assert all("old_document" in event["flags"] for event in found)
    assert agent.process.end() == 0
    site.process.kill()


def main():
    """miv_test.py [ROUNDS]: generated documents, 12; 60 are an hour of minutes."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    terminate_on_alarm(600 + 10 * rounds)
    with tempfile.TemporaryDirectory(prefix="berm-miv-") as folder:
        folder = pathlib.Path(folder)
        run = lambda name: (folder / name).mkdir() or folder / name
        if RECORDED[1].exists():
            a_whole_minute_equals_the_independent_reading(run("recorded"), *RECORDED)
            as_recorded_is_old_and_emitted_as_read(run("raw"))
            every_point_is_in_real_kafka(run("kafka"), *RECORDED)
        else:
            every_point_is_in_real_kafka(run("kafka"), "--generate", "4254")
            print("no recording in ../shared/data/miv or $BERM_DATA: generated minutes only")
        a_whole_minute_equals_the_independent_reading(run("generated"), "--generate", "1000")
        generated_minutes_with_every_trap(run("traps"), rounds)


main()
