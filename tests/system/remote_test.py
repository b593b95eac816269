#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Configuration and commands over a real mosquitto, with mosquitto_pub and mosquitto_sub as the
other side: documents that are taken, refused, gone back from by themselves, also after kill -9 at
the worst moment; groups and roll-outs; commands that are done once; documents that must be
signed."""

import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from certificates import Authority
from remote_node import Operator, berm, node_document, shell
from street import (
    BERM,
    SOURCE,
    Agent,
    Broker,
    audit,
    free_port,
    need,
    terminate_on_alarm,
    wait_until,
)

NODE = "e19"


class Place:
    """One broker, one operator, one node."""

    def __init__(self, folder, processes, remote=None, uplinks=None):
        self.folder = folder
        self.broker = Broker(folder, ("autosave_interval 1", "autosave_on_changes true"))
        self.broker.start()
        processes.append(self.broker.process)
        self.operator = Operator(folder, self.broker.port)
        processes.append(self.operator.process)
        document = node_document(NODE, self.broker.port, remote)
        for name, more in (uplinks or {}).items():
            document["uplinks"].setdefault(name, {}).update(more)
        self.agent = Agent(folder, document)
        self.agent.start()
        processes.append(self.agent.process)
        self.processes = processes
        self.operator.wait(NODE, "active")

    def restart_agent(self):
        self.agent.start()
        self.processes.append(self.agent.process)

    def running(self):
        return json.loads(shell(self.agent, "config show")[1])

    def periods(self):
        lines = []
        for text in self.operator.messages(f"berm/{NODE}/event/traffic.lane"):
            lines.append(json.loads(text))
        return lines


def documents(folder, processes):
    """Taken, refused with path and nearest key, older ones ignored; counting never stops."""
    place = Place(folder, processes)
    operator = place.operator
    operator.set(NODE, {"sequence": 5, "document": {"uplinks": {"broker": {"batch_events": 7}}}})
    state = operator.wait(NODE, "active", 5)
    assert operator.states(NODE, 5) == ["received", "candidate", "confirming", "active"], (
        operator.states(NODE, 5)
    )
    assert state["layers"]["node"]["sequence"] == 5, state
    assert state["layers"]["node"]["state"] == "active", state
    assert place.running()["uplinks"]["broker"]["batch_events"] == 7

    operator.set(NODE, {"sequence": 6, "document": {"uplinks": {"broker": {"batch_evnts": 9}}}})
    state = operator.wait(NODE, "refused", 6)
    assert "/uplinks/broker/batch_evnts" in state["reason"], state
    assert "batch_events" in state["reason"].split("did you mean")[1], state
    operator.set(NODE, {"sequence": 4, "document": {}})
    operator.set(NODE, {"sequence": 7, "document": {"node": "other"}})
    state = operator.wait(NODE, "refused", 7)
    assert state["reason"].startswith("/node:"), state
    assert place.running()["uplinks"]["broker"]["batch_events"] == 7
    assert not operator.states(NODE, 4), "an older sequence was acted on"

    operator.set("group/flanders", {"sequence": 1, "document": {"uplinks": {"broker": {
        "batch_events": 11, "linger_ms": 250}}}})
    operator.wait(NODE, "active", 1)
    running = place.running()["uplinks"]["broker"]
    assert (running["batch_events"], running["linger_ms"]) == (7, 250), "node before group"
    operator.set("group/flanders", {"sequence": 2, "rollout": {"percent": 0, "salt": "x"},
                                    "document": {"uplinks": {"broker": {"linger_ms": 1}}}})
    wait_until("the floor is told",
               lambda: operator.state(NODE)["layers"]["group/flanders"]["sequence"] == 2)
    assert place.running()["uplinks"]["broker"]["linger_ms"] == 250

    code, text = shell(place.agent, "config history")
    assert code == 0 and "refused" in text and "active" in text, text
    first = json.loads(shell(place.agent, "config history --json")[1])[0]["number"]
    assert "/uplinks/broker/linger_ms" in shell(place.agent, f"config diff {first}")[1]
    code, text = shell(place.agent, f"config rollback {first}")
    assert code == 0, text
    assert place.running()["uplinks"]["broker"]["linger_ms"] == 1000

    wait_until("two more seconds of traffic", lambda: len(place.periods()) > 40)
    bad = [p for p in place.periods() if p["flags"] or p["coverage"] not in (1.0,)]
    first_time = min(p["time"] for p in place.periods())
    bad = [p for p in bad if p["time"] > first_time + 1]
    assert not bad, f"counting was disturbed: {bad[:2]}"


def cut_off(folder, processes):
    """A document that cuts the node off is gone back from, and its reason told."""
    place = Place(folder, processes)
    operator = place.operator
    operator.publish(f"berm/{NODE}/config/set", {"sequence": 1, "document": {"uplinks": {
        "broker": {"url": f"mqtt://127.0.0.1:{free_port()}"}}}}, "-r")
    begin = time.monotonic()
    state = operator.wait(NODE, "rolled_back", 1, 90)
    took = time.monotonic() - begin
    print(f"  rolled back {took:.1f} s after it was sent, confirm_s is 10")
    assert "uplink broker" in state["reason"], state
    assert operator.last(f"berm/{NODE}/state") == "online"
    answer = operator.command(NODE, "still-there", {"command": "ping"})
    assert answer["state"] == "successful", answer
    # Killed while another is being confirmed: the old one runs, and says so.
    operator.set(NODE, {"sequence": 2, "document": {"uplinks": {
        "broker": {"url": f"mqtt://127.0.0.1:{free_port()}"}}}})
    def is_trying():
        return place.running()["uplinks"]["broker"]["url"] != (
            f"mqtt://127.0.0.1:{place.broker.port}")
    wait_until("it tries", is_trying)
    place.agent.process.kill()
    place.restart_agent()
    state = operator.wait(NODE, "rolled_back", 2, 60)
    assert "stopped" in state["reason"], state
    assert operator.command(NODE, "there-again", {"command": "ping"})["state"] == "successful"
    # The file that a technician changes is the active document, until a higher sequence comes.
    operator.set(NODE, {"sequence": 3, "document": {"uplinks": {"broker": {"linger_ms": 5}}}})
    operator.wait(NODE, "active", 3)
    assert place.agent.process.end() == 0
    document = json.loads(place.agent.config.read_text())
    document["uplinks"]["broker"]["batch_events"] = 12
    place.agent.config.write_text(json.dumps(document))
    place.restart_agent()
    wait_until("the file is active", lambda: operator.state(NODE)["layer"] == "file")
    running = place.running()["uplinks"]["broker"]
    assert (running["batch_events"], running["linger_ms"]) == (12, 1000), running
    operator.set(NODE, {"sequence": 4, "document": {"uplinks": {"broker": {"linger_ms": 6}}}})
    operator.wait(NODE, "active", 4)
    assert place.running()["uplinks"]["broker"]["linger_ms"] == 6


DEAF = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False,
        "unsubscribe": True}
PLUGINS = ("/usr/lib/*/mosquitto_dynamic_security.so", "/usr/lib/mosquitto_dynamic_security.so")


def deaf(folder, processes):
    """A broker that takes all that a node says and tells it nothing is no place to stay at."""
    plugin = next((name for pattern in PLUGINS for name in glob.glob(pattern)), None)
    if plugin is None:
        print("  skipped: mosquitto's dynamic security plugin is not here")
        return
    rules = folder / "rules"
    rules.mkdir()
    (rules / "rules.json").write_text(json.dumps({"defaultACLAccess": DEAF}))
    other = Broker(rules, (f"plugin {plugin}", f"plugin_opt_config_file {rules}/rules.json"))
    other.start()
    processes.append(other.process)
    place = Place(folder, processes)
    place.operator.set(NODE, {"sequence": 1, "document": {"uplinks": {
        "broker": {"url": f"mqtt://127.0.0.1:{other.port}"}}}})
    state = place.operator.wait(NODE, "rolled_back", 1, 90)
    assert f"subscription to berm/{NODE}/config/set: MQTT 135" in state["reason"], state
    answer = place.operator.command(NODE, "p1", {"command": "ping"})
    assert answer["state"] == "successful", answer


def commands(folder, processes):
    place = Place(folder, processes)
    operator = place.operator
    status = operator.command(NODE, "s1", {"command": "status"})
    assert status["result"]["node"] == NODE, status
    diag = operator.command(NODE, "d1", {"command": "diag"})["result"]
    assert diag["configuration"]["node"] == NODE and diag["log"], list(diag)
    again = operator.command(NODE, "s1", {"command": "status"})
    assert again["state"] == "successful" and "result" not in again or len(again) > 2, again
    level = operator.command(NODE, "l1", {"command": "loglevel", "level": "notice"})
    assert level["result"]["level"] == "notice", level
    unknown = operator.command(NODE, "u1", {"command": "pong"})
    assert unknown["state"] == "failed" and "ping" in unknown["reason"], unknown
    late = operator.command(NODE, "o1", {"command": "ping", "not_after": 1000})
    assert late["state"] == "failed", late
    test = operator.command(NODE, "t1", {"command": "selftest"})
    assert "checks" in test["result"], test
    operator.command(NODE, "p9", {"command": "ping"}, *("-D", "publish", "response-topic",
                     "answers/me"), *("-D", "publish", "correlation-data", "c1"))
    wait_until("an answer there too", lambda: operator.messages("answers/me"))
    operator.publish(f"berm/{NODE}/cmd/r1", {"command": "restart"})
    wait_until("it ends", lambda: not place.agent.process.is_alive())
    assert place.agent.process.child.returncode == 1
    place.restart_agent()
    wait_until("it says so",
               lambda: operator.answers(NODE, "r1")[-1]["state"] == "successful", 60)
    operator.publish(f"berm/{NODE}/cmd/r1", {"command": "restart"})  # once is enough
    assert operator.command(NODE, "p2", {"command": "ping"})["state"] == "successful"
    assert place.agent.process.is_alive()
    for i in range(60):
        operator.publish(f"berm/{NODE}/cmd/f{i}", {"command": "ping"})

    def dropped():
        return place.agent.status()["remote"]["commands"]["dropped"]

    wait_until("the flood is over", lambda: dropped() > 20)


def signed(folder, processes):
    """Only what the key signed, for this node, in time, above the floor; keys rotate."""
    keys = {name: folder / name for name in ("one", "two", "stranger")}
    for path in keys.values():
        berm("sign", "--new-key", path)
    place = Place(folder, processes, {"public_key_file": f"{keys['one']}.pub",
                                      "sequence_floor": 10})
    operator = place.operator
    patch = folder / "patch.json"

    def sealed(sequence, key="one", target=f"node/{NODE}", words=(), linger=None):
        patch.write_text(json.dumps({"uplinks": {"broker": {"linger_ms": linger or sequence}}}))
        return berm("sign", "--key", keys[key], "--target", target, "--sequence", sequence,
                    "--who", "tess", *words, "--document", patch).strip()

    def linger():
        return place.running()["uplinks"]["broker"]["linger_ms"]

    operator.set(NODE, {"sequence": 11, "document": {"uplinks": {"broker": {"linger_ms": 1}}}})
    assert "signed" in operator.wait(NODE, "refused", None)["reason"]
    first = sealed(11)
    operator.set(NODE, first)
    operator.wait(NODE, "active", 11)
    assert linger() == 11
    for bad in (sealed(12, "stranger"), sealed(12, target="node/other"),
                sealed(12, words=("--not-after", "1000")), sealed(10), first,
                first.replace(first[30], "A" if first[30] != "A" else "B", 1)):
        operator.set(NODE, bad)
    time.sleep(2)
    assert linger() == 11, "somebody else's document was taken"
    assert operator.command(NODE, "p1", {"command": "ping"})["state"] == "successful"
    refused = operator.command(NODE, "x1", {"command": "restart"})
    assert refused["state"] == "failed" and place.agent.process.is_alive(), refused
    order = folder / "order.json"
    order.write_text(json.dumps({"command": "loglevel", "args": ["debug"]}))
    envelope = berm("sign", "--key", keys["one"], "--target", f"cmd/{NODE}/x2", order).strip()
    assert operator.command(NODE, "x2", envelope)["state"] == "successful"
    assert operator.command(NODE, "x3", envelope)["state"] == "failed", "of another id"
    # Another key, brought by a document that the first has signed.
    operator.set(NODE, sealed(20, words=("--rotate-to", f"{keys['two']}.pub")))
    operator.wait(NODE, "active", 20)
    operator.set(NODE, sealed(21))
    time.sleep(1)
    assert linger() == 20
    operator.set(NODE, sealed(22, "two"))
    operator.wait(NODE, "active", 22)
    assert place.agent.process.end() == 0
    place.restart_agent()
    wait_until("it is back", lambda: operator.last(f"berm/{NODE}/state") == "online")
    operator.set(NODE, sealed(23, "two"))
    operator.wait(NODE, "active", 23)


FLOOD = 1500
SECRETS = ("hush-hush-password", "hush-hush-token")


def costs(process):
    """(CPU seconds, resident bytes) of a process."""
    stat = pathlib.Path(f"/proc/{process.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (sum(map(int, stat[11:13])) / os.sysconf("SC_CLK_TCK"),
            int(stat[21]) * os.sysconf("SC_PAGE_SIZE"))


def hostile(folder, processes):
    """Whoever has the broker: replays, reorders, truncates, impersonates, floods, asks for
    secrets. Nothing changes, nothing is written, nothing leaks, and it costs little."""
    key, stranger = folder / "one", folder / "stranger"
    for path in (key, stranger):
        berm("sign", "--new-key", path)
    password = folder / "password"
    password.write_text(SECRETS[0])
    place = Place(folder, processes, {"public_key_file": f"{key}.pub"}, {"flume": {
        "uplink": "http", "url": f"http://127.0.0.1:{free_port()}", "user": "node",
        "password_file": str(password), "headers": {"Authorization": f"Bearer {SECRETS[1]}"}}})
    operator, patch = place.operator, folder / "patch.json"
    topic = f"berm/{NODE}/config/set"

    def sealed(sequence, document, by=key):
        patch.write_text(json.dumps(document))
        return berm("sign", "--key", by, "--target", f"node/{NODE}", "--sequence", sequence,
                    "--document", patch).strip()

    def linger(ms):
        return {"uplinks": {"broker": {"linger_ms": ms}}}

    early = {n: sealed(n, linger(n)) for n in (1, 2, 3, 4, 5)}
    for sequence in (1, 4):
        operator.set(NODE, early[sequence])
        operator.wait(NODE, "active", sequence)
    stored = (place.agent.state / "remote.json").read_bytes()
    before = costs(place.agent.process)
    for sequence in (3, 2, 1, 4):  # out of order, and again
        operator.publish(topic, early[sequence])
    for cut in range(1, len(early[5]), max(1, len(early[5]) // 25)):
        operator.publish(topic, early[5][:cut])
    away = {"uplinks": {"flume": {"url": "http://127.0.0.1:9"}}}
    operator.publish(topic, sealed(9, away, stranger))
    operator.publish(topic, {"sequence": 9, "document": away})
    body = json.loads(early[5])
    operator.publish(topic, {**body, "key": json.loads(sealed(9, away, stranger))["key"]})
    lines = "\n".join(json.dumps({**body, "signature": body["signature"][:-12] + f"{i:08d}AAA="})
                      for i in range(FLOOD))
    for where in (topic, "berm/group/flanders/config/set", f"berm/{NODE}/cmd/flood"):
        subprocess.run(["mosquitto_pub", "-V", "mqttv5", *operator.words, "-q", "1", "-t", where,
                        "-l"], input=lines.encode(), check=True)
    wait_until("the flood is over", lambda: place.agent.status()["remote"]["commands"]["dropped"]
               >= FLOOD - 200)
    after = costs(place.agent.process)
    print(f"  {3 * FLOOD} forged messages cost {after[0] - before[0]:.2f} s of CPU, "
          f"{(after[1] - before[1]) / 1e6:.1f} MB")
    assert after[0] - before[0] < 10 and after[1] - before[1] < 32e6, (before, after)
    assert place.running()["uplinks"]["broker"]["linger_ms"] == 4
    assert (place.agent.state / "remote.json").read_bytes() == stored, "something was written"
    status = place.agent.status()["remote"]
    assert status["forged"] + status["dropped"] >= 2 * FLOOD, status

    def answers():
        try:
            identity = f"d{time.monotonic_ns()}"
            said = operator.command(NODE, identity, {"command": "diag"}, seconds=5)
            return said["state"] == "successful"
        except AssertionError:
            return False

    wait_until("a minute later it answers again", answers, 120)
    heard = operator.heard.read_text(errors="replace")
    assert not [secret for secret in SECRETS if secret in heard], "a secret was told"
    operator.set(NODE, early[5])
    operator.wait(NODE, "active", 5)


def fleet(folder, processes):
    """The operator's own tool: list, a roll-out to all, a bad one that stops and is taken back."""
    broker = Broker(folder, ("autosave_interval 1", "autosave_on_changes true"))
    broker.start()
    processes.append(broker.process)
    operator = Operator(folder, broker.port)
    processes.append(operator.process)
    names = [f"n{i}" for i in range(4)]
    agents = [Agent(folder, node_document(name, broker.port), name) for name in names]
    for agent in agents:
        agent.start()
        processes.append(agent.process)
    for name in names:
        operator.wait(name, "active")
    url = ("--broker", f"mqtt://127.0.0.1:{broker.port}", "--json")
    listed = [json.loads(line) for line in berm("fleet", "list", *url).splitlines()]
    assert {one["node"]: one["state"] for one in listed} == dict.fromkeys(names, "online"), listed
    good, bad = folder / "good.json", folder / "bad.json"
    good.write_text(json.dumps({"uplinks": {"broker": {"linger_ms": 5}}}))
    bad.write_text(json.dumps({"uplinks": {"broker": {"url": f"mqtt://127.0.0.1:{free_port()}"}}}))

    def roll_out(document, *words):
        done = subprocess.run(
            [str(BERM), "fleet", "set-config", *url, "--group", "flanders", str(document),
             "--within", "120", *words],
            capture_output=True, text=True, check=False, timeout=200)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, lines, done.stderr

    code, lines, said = roll_out(good)
    assert code == 0 and lines[-1]["event"] == "done" and lines[-1]["active"] == 4, (lines, said)
    code, lines, said = roll_out(bad)
    assert code == 1 and lines[-1]["event"] == "stopped", (lines, said)
    assert lines[-1]["rolled_back"] >= 1 and "broker" in lines[-1]["troubled"][0], lines

    def lingers():
        documents = [json.loads(shell(agent, "config show")[1]) for agent in agents]
        mine = f"mqtt://127.0.0.1:{broker.port}"
        return [d["uplinks"]["broker"]["linger_ms"] for d in documents
                if d["uplinks"]["broker"]["url"] == mine]

    wait_until("all are on the good one", lambda: lingers() == [5, 5, 5, 5], 90)
    for name in names:
        operator.wait(name, "active", lines[-1]["sequence"] + 1, 90)
    answers = berm("fleet", "cmd", "--all", "ping", *url).splitlines()
    assert [json.loads(one)["state"] for one in answers] == ["successful"] * 4, answers


def reconcile(folder, processes):
    """Holes that an audit found at the centre are asked for again, and come."""
    place = Place(folder, processes, uplinks={"broker": {"uplink": "mqtt", "payload": "event"}})
    streams = ("traffic.lane", "node.health", "node.epoch", "node.alarm")

    def lines():
        found = [place.operator.messages(f"berm/{NODE}/event/{stream}") for stream in streams]
        return [line for each in found for line in each]

    wait_until("some periods", lambda: len(place.periods()) > 30)
    whole = lines()
    lost = [line for line in whole if 5 <= json.loads(line)["seq"] <= 9
            and json.loads(line)["stream"] == "traffic.lane"]
    report = folder / "audit.json"
    code, found = audit([line for line in whole if line not in lost])
    assert code == 1 and len(lost) == 5, (code, lost)
    report.write_text(json.dumps(found))
    said = berm("fleet", "reconcile", report, "--broker", f"mqtt://127.0.0.1:{place.broker.port}",
                "--json")
    assert json.loads(said.splitlines()[-1])["state"] == "successful", said
    wait_until("they come again, byte for byte",
               lambda: all(lines().count(line) == 2 for line in lost))


class Guarded:
    """A broker that takes certificates only, under the ACL that is shipped."""

    def __init__(self, folder, processes):
        self.folder, self.processes = folder, processes
        self.authority = Authority(folder, "authority")
        self.port = free_port()
        server = self.authority.sign("server", "DNS:localhost")
        acl = SOURCE / "firmware" / "control" / "examples" / "mosquitto.acl"
        copy = folder / "acl"
        copy.write_text(acl.read_text())
        self.broker = Broker(folder, (
            f"listener {self.port} 127.0.0.1", f"cafile {self.authority.certificate}",
            f"certfile {server.certificate}", f"keyfile {server.key}",
            "require_certificate true", "use_identity_as_username true", f"acl_file {copy}"))
        self.broker.start()
        processes.append(self.broker.process)

    def files(self, name):
        identity = self.authority.sign(name, f"DNS:{name}")
        return identity, ("--cafile", self.authority.certificate, "--cert", identity.certificate,
                          "--key", identity.key)

    def client(self, name):
        _, words = self.files(name)
        words = [str(word) for word in words]
        return Operator(self.folder, self.port, words, host="localhost", name=name)

    def node(self, name):
        identity, _ = self.files(f"{name}")
        broker = {"uplink": "mqtt", "url": f"mqtts://localhost:{self.port}",
                  "ca_file": str(self.authority.certificate),
                  "cert_file": str(identity.certificate), "key_file": str(identity.key)}
        agent = Agent(self.folder, node_document(name, 1, uplinks={"broker": broker}), name)
        agent.start()
        self.processes.append(agent.process)
        return agent


def access(folder, processes):
    """Under the shipped ACL a node does all it must, and nothing in another's name."""
    place = Guarded(folder, processes)
    operator = place.client("operator")
    processes.append(operator.process)
    agents = {name: place.node(name) for name in ("e19", "e20")}
    for name in agents:
        operator.wait(name, "active")
    operator.set("e19", {"sequence": 1, "document": {"uplinks": {"broker": {"linger_ms": 5}}}})
    operator.wait("e19", "active", 1)
    assert operator.command("e19", "p1", {"command": "ping"})["state"] == "successful"
    wait_until("events", lambda: operator.messages("berm/e20/event/traffic.lane"))
    # Somebody has e20's certificate.
    thief = place.client("e20")
    processes.append(thief.process)
    thief.set("e19", {"sequence": 9, "document": {"uplinks": {"broker": {"linger_ms": 9}}}})
    thief.set("group/flanders", {"sequence": 9, "document": {}})
    thief.publish("berm/e19/cmd/x1", {"command": "restart"})
    thief.publish("berm/e19/state", "offline", "-r")
    assert operator.command("e19", "p2", {"command": "ping"})["state"] == "successful"
    assert operator.state("e19")["layers"]["node"]["sequence"] == 1, operator.state("e19")
    assert not operator.messages("berm/e19/cmd/x1"), "a command in another's name"
    assert operator.last("berm/e19/state") == "online"
    assert not thief.messages("berm/e19/config/state"), "it reads another's state"
    assert agents["e19"].process.is_alive()


def main():
    need("mosquitto", "mosquitto_sub", "mosquitto_pub")
    terminate_on_alarm(500)
    trials = (documents, cut_off, deaf, commands, signed, hostile, fleet, reconcile,
              access)
    chosen = [t for t in trials if t.__name__ in sys.argv[1:]] or trials
    for trial in chosen:
        print(trial.__name__.replace("_", " "), flush=True)
        processes = []
        with tempfile.TemporaryDirectory(prefix="berm-remote-") as folder:
            try:
                trial(pathlib.Path(folder), processes)
            except BaseException:
                for log in pathlib.Path(folder).glob("*.log"):
                    print(log.name, log.read_text(errors="replace")[-3000:])
                raise
            finally:
                for process in processes:
                    process.kill()


main()
