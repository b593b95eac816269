#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One-second periods and vehicles while Kafka is frozen, Flume and the broker are killed, the
network is cut and the agent is killed with -9, each several times in random order. Afterwards
nothing is missing where Kafka, the MQTT subscriber and the stick can be read, repeats have the same
bytes, keys and headers are those of the contract. --seed (or BERM_CHAOS_SEED) repeats the order of
a run, --rounds (or BERM_CHAOS_ROUNDS) makes it longer, --kills N is another run: N faults drawn at
random from kills of the agent, Flume and the broker and freezes of Kafka."""

import argparse
import json
import os
import pathlib
import random
import signal
import tempfile
import time

from street import (
    SOURCE,
    Agent,
    Broker,
    Ingest,
    Proxy,
    check_clean,
    finish,
    four_lanes,
    need,
    terminate_on_alarm,
    wait_until,
)

# A broker that is killed forgets what it acknowledged since it last wrote its own store.
DURABLE_BROKER = ("autosave_on_changes true", "autosave_interval 1")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    fresh = random.SystemRandom().randrange(1 << 30)
    parser.add_argument("--seed", type=int, default=os.environ.get("BERM_CHAOS_SEED", fresh))
    parser.add_argument("--rounds", type=int, default=os.environ.get("BERM_CHAOS_ROUNDS", 2))
    parser.add_argument("--kills", type=int, default=0)
    return parser.parse_args()


def configuration(flume_port, broker_port, stick):
    return {
        "node": "e19-km31",
        "board": "sim",
        "drivers": {"e19": four_lanes()},
        # Vehicles in groups of two seconds here, so that a kill meets a full group often.
        "streams": {"traffic.vehicle": {"durability": "group 2000"}},
        "uplinks": {
            "flume": {"uplink": "http", "url": f"http://127.0.0.1:{flume_port}", "format": "flume"},
            "broker": {
                "uplink": "mqtt",
                "url": f"mqtt://127.0.0.1:{broker_port}",
                "payload": "lines",
            },
            "stick": {"uplink": "file", "directory": str(stick), "hold": True},
        },
        "simulation": {"signals": str(SOURCE / "boards" / "sim" / "edges.csv.gz")},
    }


def faults(agent, ingest, broker, proxies):
    """Every fault by its name; each leaves all parts running again."""

    def freeze_kafka():
        ingest.signal("kafka", signal.SIGSTOP)
        time.sleep(6)
        ingest.signal("kafka", signal.SIGCONT)

    def kill_flume():
        ingest.signal("flume", signal.SIGKILL)
        time.sleep(2)
        ingest.up()

    def cut_network():
        for proxy in proxies:
            proxy.cut()
        time.sleep(3)
        for proxy in proxies:
            proxy.heal()

    def freeze_network():
        for proxy in proxies:
            proxy.is_frozen = True
        time.sleep(3)
        for proxy in proxies:
            proxy.heal()

    def kill_agent():
        agent.process.kill()
        agent.start()

    def kill_broker():
        broker.process.kill()
        time.sleep(1)
        broker.start()

    actions = (freeze_kafka, kill_flume, cut_network, freeze_network, kill_agent, kill_broker)
    return {action.__name__: action for action in actions}


def chosen(options):
    """The names of the faults of this run, in their order."""
    if options.kills:
        names = ["kill_agent", "kill_flume", "kill_broker", "freeze_kafka"]
        return [random.choice(names) for _ in range(options.kills)]
    names = ["freeze_kafka", "kill_flume", "cut_network", "freeze_network"]
    names = (names + ["kill_agent", "kill_agent", "kill_broker"]) * options.rounds
    random.shuffle(names)
    return names


def run_chaos(options, known):
    time.sleep(5)
    for number, name in enumerate(chosen(options), 1):
        print(f"  {number} {name}", flush=True)
        action = known[name]
        action()
        time.sleep(random.uniform(1.0, 5.0))
    time.sleep(3)


def check_headers(ingest):
    for record in ingest.records("traffic.vehicles", "%k\t%h\t%s\n"):
        key, headers, value = record.split("\t", 2)
        event = json.loads(value)
        assert key == str(event["uid"]), record
        found = dict(header.split("=", 1) for header in headers.split(","))
        assert found["id"] == event["id"] and found["node"] == "e19-km31", record
        assert found["stream"] == "traffic.vehicle" and found["v"] == "1", record
        assert found["queue"] in ("live", "backfill", "resend"), record


def check_alarms(ingest):
    """Broken links and killed receivers are called that, and nothing worse."""
    alarms = {json.loads(line)["alarm"] for line in ingest.records("node.alarms")}
    print(f"alarms: {sorted(alarms)}")
    assert alarms <= {"uplink_down", "no_subscriber"}, alarms


def main():
    need("java", "mvn", "kcat", "curl", "mosquitto")
    options = arguments()
    terminate_on_alarm(900 + 30 * options.kills)
    random.seed(options.seed)
    print(f"seed {options.seed}, rounds {options.rounds}, kills {options.kills}", flush=True)
    with tempfile.TemporaryDirectory(prefix="berm-chaos-") as folder:
        folder = pathlib.Path(folder)
        ingest, broker = Ingest(folder), Broker(folder, DURABLE_BROKER)
        received = folder / "received.jsonl"
        agent = subscriber = None
        try:
            ingest.up()
            broker.start()
            subscriber = broker.subscribe(received)
            wait_until(
                "the subscriber is there",
                lambda: "audit" in broker.process.log.read_text(errors="replace"),
                30,
            )
            proxies = [Proxy(ingest.flume_port), Proxy(broker.port)]
            agent = Agent(folder, configuration(proxies[0].port, proxies[1].port, folder / "stick"))
            agent.start()
            run_chaos(options, faults(agent, ingest, broker, proxies))
            finish(agent)
            kafka = check_clean("Kafka", ingest.settled_records())
            mqtt = check_clean("MQTT", received.read_text().splitlines())
            files = sorted((folder / "stick").rglob("*.jsonl"))
            stick = check_clean(
                "stick", [line for file in files for line in file.read_text().splitlines()]
            )
            assert kafka == mqtt == stick, (kafka, mqtt, stick)
            check_headers(ingest)
            if "node.alarms" in ingest.topics():
                check_alarms(ingest)
        finally:
            for process in (agent and agent.process, subscriber, broker.process):
                if process is not None:
                    process.kill()
            ingest.down()
    print("clean")


main()
