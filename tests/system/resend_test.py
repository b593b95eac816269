#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random ranges deleted from the dump of real Kafka topics, the ends included, are found by `berm
audit`, asked for with the commands it prints, sent again with the same bytes, and then the audit is
clean. What the stopped node exports is what Kafka has. --seed repeats a run."""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile
from collections import Counter

from street import (
    BERM,
    Agent,
    Ingest,
    audit,
    finish,
    four_lanes,
    need,
    terminate_on_alarm,
    wait_until,
)

STREAMS = ("traffic.lane", "traffic.vehicle")


def configuration(flume_port):
    return {
        "node": "e19-km31",
        "board": "sim",
        "drivers": {"e19": four_lanes(period_s=60)},
        "uplinks": {
            "flume": {"uplink": "http", "url": f"http://127.0.0.1:{flume_port}", "format": "flume"}
        },
        # A minute each second: a manifest is made after the first five.
        "simulation": {"seed": 1, "rate": 60},
    }


def all_records(ingest):
    return [line for topic in ingest.topics() for line in ingest.records(topic)]


def highest(events, stream):
    return max((e["seq"] for e in events if e["stream"] == stream), default=0)


def manifested(events, stream):
    lasts = [e["last"] for e in events if e["stream"] == "node.manifest" and e["of"] == stream]
    return max(lasts, default=0)


def all_manifested(ingest):
    events = [json.loads(line) for line in all_records(ingest)]
    return all(0 < highest(events, s) == manifested(events, s) for s in STREAMS)


def damage(lines, chance):
    """The lines without some ranges of each stream, and those that were taken away."""
    taken = set()
    for stream in STREAMS:
        last = highest(map(json.loads, lines), stream)
        for _ in range(4):
            first = chance.randint(1, last)
            taken |= {(stream, seq) for seq in range(first, min(last, first + 5) + 1)}
        taken |= {(stream, seq) for seq in range(last - 2, last + 1)}
    is_taken = [(e["stream"], e["seq"]) in taken for e in map(json.loads, lines)]
    return (
        [line for line, gone in zip(lines, is_taken) if not gone],
        {line for line, gone in zip(lines, is_taken) if gone},
    )


def resend_commands(lines):
    done = subprocess.run(
        [BERM, "audit", "--resend"], input="\n".join(lines), capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout
    return done.stdout


def arrived_since(records, before):
    """The lines beyond those before, and which of them Kafka had before."""
    since = list((Counter(records) - Counter(before)).elements())
    return since, set(since) & set(before)


def export(*words):
    return subprocess.run([BERM, "export", *map(str, words)], capture_output=True, text=True)


def check_export(agent, kafka):
    held = export("--state", agent.state)
    assert held.returncode == 1 and "-S" in held.stderr, held
    running = export("-S", agent.socket)
    assert running.returncode == 0, running.stderr
    assert agent.process.end() == 0, agent.process.tail()
    stopped = export("--state", agent.state)
    assert stopped.returncode == 0, stopped.stderr
    lines = set(stopped.stdout.splitlines())
    missing = kafka - lines
    assert not missing, f"not exported: {sorted(missing)[:3]}"
    gone = set(running.stdout.splitlines()) - lines
    assert not gone, f"a running node exports other lines: {sorted(gone)[:3]}"
    vehicles = export("--state", agent.state, "--stream", "traffic.vehicle").stdout.splitlines()
    assert set(vehicles) == {line for line in lines if '"stream":"traffic.vehicle"' in line}
    print(f"export: {len(lines)} lines, all {len(kafka)} of Kafka among them")


def run(agent, ingest, chance):
    agent.start()
    wait_until("some hundred events are delivered", lambda: agent.delivered(300), 120)
    finish(agent)
    agent.start()  # without drivers
    wait_until("manifests cover everything", lambda: all_manifested(ingest), 120)
    whole = ingest.settled_records()
    code, report = audit(whole)
    assert code == 0, json.dumps(report, indent=1)
    rest, taken = damage(whole, chance)
    code, report = audit(rest)
    found = sum(stream["missing"] for stream in report["streams"])
    print(f"{len(whole)} events, {len(taken)} taken away, {found} found missing")
    assert code == 1 and found == len(taken), json.dumps(report, indent=1)
    commands = resend_commands(rest)
    print(commands)
    done = subprocess.run(
        [BERM, "shell", "-S", agent.socket], input=commands, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(
        "they are in Kafka again",
        lambda: taken <= arrived_since(all_records(ingest), whole)[1],
        60,
    )
    since, again = arrived_since(ingest.settled_records(), whole)
    assert again == taken, "no other repeats, and the same bytes"
    code, report = audit(rest + since)
    assert code == 0, json.dumps(report, indent=1)
    check_export(agent, set(whole))


def main():
    need("java", "mvn", "kcat", "curl")
    parser = argparse.ArgumentParser(description=__doc__)
    fresh = random.SystemRandom().randrange(1 << 30)
    parser.add_argument("--seed", type=int, default=fresh)
    options = parser.parse_args()
    terminate_on_alarm(600)
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="berm-resend-") as folder:
        folder = pathlib.Path(folder)
        ingest = Ingest(folder)
        agent = None
        try:
            ingest.up()
            agent = Agent(folder, configuration(ingest.flume_port))
            run(agent, ingest, random.Random(options.seed))
        finally:
            if agent and agent.process:
                agent.process.kill()
            ingest.down()
    print("clean")


main()
