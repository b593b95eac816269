#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kill -9 and power cuts at every step of a document's way. disk_recorder.so writes down what the
real program does to its state directory while a good document, one that cuts it off and another
good one come over a real mosquitto. Every operation of that story on what remote control stores is
a place to stop at: once killed (all that was done is there), once with the power gone (what was
not synced is there in part). The agent that starts on what is left must run one of the documents,
whole: the one that its checked state has in force; be connected, say so, answer a command and take
the document that comes next. What was reported active is never lost.

--every N tries each N-th place only (1: all), --seed repeats a run."""

import argparse
import hashlib
import json
import pathlib
import random
import sys
import tempfile

from node import Node, ask, fast_folder
from power_cut_replay import Disk, put, read_log
from remote_node import Operator
from street import BUILD, Broker, free_port, need, skip, terminate_on_alarm, wait_until

NAMES = ("remote.json", "history-", "confirmed.json")
NODE = "e19"
ENDS = ("active", "refused", "rolled_back")


def patch(linger, **more):
    return {"uplinks": {"broker": {"linger_ms": linger, **more}}}


class Story:
    """What was recorded, and with which document the node may be found after each operation."""

    def __init__(self, node, operator):
        self.node, self.operator = node, operator
        self.log = node.folder / "story"

    def record(self, broker_url):
        node, operator = self.node, self.operator
        node.name = NODE
        node.uplinks = {"broker": {"uplink": "mqtt", "url": broker_url}}
        node.configure(remote={"uplink": "broker", "unsigned": True, "confirm_s": 10})
        node.start(LD_PRELOAD=str(BUILD / "lib" / "libdisk_recorder.so"),
                   BERM_RECORD_LOG=str(self.log), BERM_RECORD_UNDER=str(node.folder))
        operator.wait(NODE, "active")
        operator.set(NODE, {"sequence": 1, "document": patch(11)})
        operator.wait(NODE, "active", 1)
        away = f"mqtt://127.0.0.1:{free_port()}"
        operator.set(NODE, {"sequence": 2, "document": patch(12, url=away)})
        operator.wait(NODE, "rolled_back", 2, 90)
        operator.set(NODE, {"sequence": 3, "document": patch(13)})
        operator.wait(NODE, "active", 3)
        assert node.end() == 0, node.said()
        return read_log(self.log)


def checked(content):
    """The text under its checksum, as the program would read it; None: it does not hold."""
    head, _, text = content.partition(b"\n")
    whole = head.split()[-1:] == [hashlib.sha256(text).hexdigest().encode()]
    return json.loads(text) if whole else None


def expected_of(files, state):
    """(sequence that is still to be tried, or None; linger_ms in the end): the layer in force,
    never the candidate, unless a document waits, which is tried again and ends as it must."""
    content = files.get(str(state / "remote.json"))
    if content is None:
        return None, 1000
    stored = checked(content)
    assert stored is not None, f"remote.json is torn: {content[:80]}"
    waiting = stored["waiting"].get("node")
    sequence = waiting["sequence"] if waiting else None
    if sequence in (1, 3):
        return sequence, 10 + sequence
    layer = stored["layers"].get("node")
    return sequence, 1000 if not layer or not layer["document"] else (
        layer["document"]["uplinks"]["broker"]["linger_ms"])


def live_again(node, operator, files, sequence, waiting):
    """Starts on the files; what it runs, after it was reached and took one more document."""
    put(files, node.state)
    node.log.write_text("")
    operator.publish(f"berm/{NODE}/config/set", "", "-r")
    operator.publish(f"berm/{NODE}/config/state", "", "-r")
    heard = len(operator.messages(f"berm/{NODE}/config/state"))
    node.start()

    def reported():
        said = operator.messages(f"berm/{NODE}/config/state")[heard:]
        return [json.loads(text) for text in said if text]

    try:
        wait_until("it says its state", reported, 60)
        wait_until("it is done with what it was at", lambda: reported()[-1]["state"] in ENDS
                   and waiting in (None, reported()[-1]["sequence"]), 60)
        ping = operator.command(NODE, f"p{sequence}", {"command": "ping"})
        assert ping["state"] == "successful", ping
        running = json.loads(ask(node.socket, "config show"))
        operator.set(NODE, {"sequence": sequence, "document": patch(21)})
        wait_until("it takes the next", lambda: any(
            (one["sequence"], one["state"]) == (sequence, "active") for one in reported()), 60)
        assert node.end() == 0, node.said()
        return running["uplinks"]["broker"]["linger_ms"]
    finally:
        node.kill()


def places(story, node, every):
    """Numbers of the operations after which something of remote control may be different."""
    mine = str(node.state) + "/"
    open_, found = {}, []
    for at, record in enumerate(story):
        if record.kind == "S":
            open_ = {}
        elif record.kind == "O":
            open_[record.fd] = record.name
        name = record.name or open_.get(record.fd, "")
        is_ours = any(name.startswith(mine + one) for one in NAMES)
        if is_ours or (record.kind == "F" and name == str(node.state)):
            found.append(at)
    return set(found[::every])


def replay(node, operator, story, chance, every):
    chosen = places(story, node, every)
    disk, bad, tried, sequence, seen = Disk(node.state, False), [], 0, 1000, set()
    for at, record in enumerate(story):
        disk.apply(record)
        if at not in chosen:
            continue
        for files in (disk.as_seen(), disk.after_cut(chance)):
            sequence += 1
            tried += 1
            try:
                waiting, expected = expected_of(files, node.state)
                found = live_again(node, operator, files, sequence, waiting)
                assert found == expected and found in (1000, 11, 13), (found, expected)
                seen.add(found)
            except (AssertionError, KeyError, ValueError) as error:
                bad.append((at, record.kind, record.name, f"{error}\n{node.said()}"))
    print(f"{tried} ends at {len(chosen)} operations, {len(bad)} bad; it ran {sorted(seen)}")
    assert every > 3 or seen == {1000, 11, 13}, "not every document was met"
    return bad


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--every", type=int, default=1)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    chosen = words.parse_args()
    need("mosquitto", "mosquitto_sub", "mosquitto_pub")
    if not (BUILD / "lib" / "libdisk_recorder.so").exists():
        skip("disk_recorder is not built")
    terminate_on_alarm(1500)
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="berm-cuts-", dir=fast_folder()) as folder:
        folder = pathlib.Path(folder).resolve()
        broker = Broker(folder)
        broker.start()
        operator = Operator(folder, broker.port)
        node = Node(folder, {})
        try:
            story = Story(node, operator).record(f"mqtt://127.0.0.1:{broker.port}")
            bad = replay(node, operator, story, random.Random(chosen.seed), chosen.every)
        finally:
            for process in (node, operator.process, broker.process):
                process.kill()
    for one in bad[:10]:
        print(*one)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
