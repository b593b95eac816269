#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real mosquitto says no to: publishing (an ACL), nobody subscribed, the node's own
subscription (its dynamic security plugin), a second node with the same name. Each is named as what
it is, nothing is lost or set aside, and when it is over everything is delivered. Arguments name
single trials."""

import glob
import json
import pathlib
import signal
import sys
import tempfile

from street import (
    SOURCE,
    Agent,
    Broker,
    check_clean,
    four_lanes,
    need,
    terminate_on_alarm,
    wait_until,
)

LONG_BACKOFF_S = 240  # of the 300 s that a node stays away from its twin


def configuration(broker):
    return {
        "node": "spoken",
        "board": "sim",
        "drivers": {"e19": four_lanes()},
        "uplinks": {"broker": {"uplink": "mqtt", "url": f"mqtt://127.0.0.1:{broker.port}"}},
        "simulation": {"signals": str(SOURCE / "boards" / "sim" / "edges.csv.gz")},
    }


def uplink(agent):
    status = agent.status()
    return status["uplinks"]["broker"] if status else {}


def alarm_text(agent, alarm):
    status = agent.status() or {}
    return status.get("alarms", {}).get(f"{alarm}/broker", {}).get("text", "")


def expect_alarm(agent, alarm, words):
    text = wait_until(f"the alarm {alarm}", lambda: alarm_text(agent, alarm), 60)
    print(f"  {alarm}: {text}", flush=True)
    assert words in text, text
    assert uplink(agent)["refused"] == 0, uplink(agent)


def keeps_all(agent):
    """Something was there to lose."""
    wait_until("events wait", lambda: uplink(agent).get("waiting", 0) > 20, 60)
    assert uplink(agent)["delivered"] == 0, uplink(agent)


def recovered(agent, alarm):
    wait_until("everything is delivered", agent.drained, 120)
    wait_until(f"the alarm {alarm} ends", lambda: not alarm_text(agent, alarm), 60)


def received_by(path):
    return path.read_text().splitlines()


def no_leave_to_publish(folder, processes):
    rules = folder / "acl"
    rules.write_text("topic read berm/#\ntopic write berm/+/state\ntopic write berm/+/info\n")
    rules.chmod(0o644)
    broker = Broker(folder, [f"acl_file {rules}"])
    broker.start()
    received = folder / "received"
    processes += [broker.process, broker.subscribe(received)]
    agent = Agent(folder, configuration(broker))
    agent.start()
    processes.append(agent.process)
    expect_alarm(agent, "uplink_not_authorized", "135 not authorized")
    keeps_all(agent)
    rules.write_text("topic readwrite #\n")
    broker.process.child.send_signal(signal.SIGHUP)
    recovered(agent, "uplink_not_authorized")
    assert agent.process.end() == 0
    check_clean("  after the leave to publish", received_by(received), 8)


def nobody_subscribed(folder, processes):
    broker = Broker(folder)
    broker.start()
    processes.append(broker.process)
    agent = Agent(folder, configuration(broker))
    agent.start()
    processes.append(agent.process)
    expect_alarm(agent, "no_subscriber", "16 no matching subscribers")
    keeps_all(agent)
    received = folder / "received"
    processes.append(broker.subscribe(received))
    recovered(agent, "no_subscriber")
    assert agent.process.end() == 0
    check_clean("  after somebody subscribed", received_by(received), 8)


def no_leave_to_subscribe(folder, processes):
    plugin = next(iter(glob.glob("/usr/lib/*/mosquitto_dynamic_security.so")), None)
    if plugin is None:
        print("  not tried: mosquitto has no dynamic security plugin here")
        return
    rules = folder / "rules.json"
    access = {"publishClientSend": True, "publishClientReceive": True, "unsubscribe": True}
    events = {"acltype": "subscribePattern", "topic": "berm/+/event/#", "allow": True}
    rules.write_text(
        json.dumps(
            {
                "defaultACLAccess": {**access, "subscribe": False},
                "roles": [{"rolename": "centre", "acls": [events]}],
                "groups": [{"groupname": "all", "roles": [{"rolename": "centre"}]}],
                "anonymousGroup": "all",
            }
        )
    )
    rules.chmod(0o666)
    broker = Broker(folder, [f"plugin {plugin}", f"plugin_opt_config_file {rules}"])
    broker.start()
    received = folder / "received"
    processes += [broker.process, broker.subscribe(received)]
    agent = Agent(folder, configuration(broker))
    agent.start()
    processes.append(agent.process)
    wait_until("events are delivered", lambda: uplink(agent).get("delivered", 0) > 20, 60)
    said = uplink(agent)["transport"].get("info", "")
    print(f"  info: {said}")
    assert said == "subscription refused: MQTT 135 not authorized", uplink(agent)
    assert agent.process.end() == 0
    check_clean("  without the node's own subscription", received_by(received), 4)


def two_nodes_of_one_name(folder, processes):
    broker = Broker(folder)
    broker.start()
    received = folder / "received"
    processes += [broker.process, broker.subscribe(received)]
    agents = [Agent(folder, configuration(broker), name) for name in ("first", "twin")]
    for agent in agents:
        agent.start()
        processes.append(agent.process)

    def warned():
        return [a for a in agents if alarm_text(a, "identity_used_twice")]

    first = wait_until("one of them learns of the other", warned, 120)[0]
    expect_alarm(first, "identity_used_twice", "another device uses this node's name")
    assert uplink(first)["retry_in_s"] > LONG_BACKOFF_S, uplink(first)
    other = next(agent for agent in agents if agent is not first)
    wait_until("the other delivers", lambda: uplink(other).get("delivered", 0) > 20, 60)
    wait_until("this one keeps its events", lambda: uplink(first)["waiting"] > 20, 60)
    for agent in agents:
        assert agent.process.end() == 0, agent.process.tail()
    first.start()  # alone now, and not in backoff
    processes.append(first.process)
    wait_until("it delivers what it kept", first.drained, 120)
    assert first.process.end() == 0
    check_each_node(received_by(received), len(agents))


def an_uplink_that_is_removed(folder, processes):
    """Who heard its alarm begin hears it end."""
    broker = Broker(folder)
    broker.start()
    received = folder / "received"
    processes += [broker.process, broker.subscribe(received)]
    document = configuration(broker)
    agent = Agent(folder, document)
    document["uplinks"]["gone"] = {"uplink": "http", "url": "http://127.0.0.1:9"}
    agent.config.write_text(json.dumps(document))
    agent.start()
    processes.append(agent.process)
    wait_until("its alarm", lambda: "uplink_down/gone" in agent.status()["alarms"], 120)
    wait_until("the centre has it", lambda: '"gone"' in received.read_text(), 30)
    agent.process.kill()
    del document["uplinks"]["gone"]
    agent.config.write_text(json.dumps(document))
    agent.start()
    processes.append(agent.process)
    assert "uplink_down/gone" in agent.status()["alarms"], agent.status()["alarms"]
    wait_until("its end", lambda: "uplink_down/gone" not in agent.status()["alarms"], 240)
    assert agent.process.end() == 0, agent.process.tail()
    events = [json.loads(line) for line in filter(None, received_by(received))]
    gone = [e for e in events if e["stream"] == "node.alarm" and e["subject"] == "gone"]
    told = {e["id"]: e["state"] for e in gone}  # the kill may have one told twice
    assert list(told.values()) == ["begin", "end"], gone


def check_each_node(lines, nodes):
    by_epoch = {}
    for line in filter(None, lines):
        by_epoch.setdefault(json.loads(line)["epoch"], []).append(line)
    assert len(by_epoch) == nodes, by_epoch.keys()
    for epoch, own in by_epoch.items():
        check_clean(f"  {epoch}", own, 4)


def main():
    need("mosquitto", "mosquitto_sub")
    terminate_on_alarm(500)
    trials = (no_leave_to_publish, nobody_subscribed, no_leave_to_subscribe, two_nodes_of_one_name)
    slow = (an_uplink_that_is_removed,)  # three minutes: only by its name
    chosen = [t for t in trials + slow if t.__name__ in sys.argv[1:]] or trials
    for trial in chosen:
        print(trial.__name__.replace("_", " "), flush=True)
        processes = []
        with tempfile.TemporaryDirectory(prefix="berm-broker-") as folder:
            try:
                trial(pathlib.Path(folder), processes)
            finally:
                for process in processes:
                    process.kill()


main()
