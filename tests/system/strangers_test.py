#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`berm run` opens nothing but what its configuration names: every connect, bind and sendto that
strace sees goes to the broker, to the local socket, or nowhere."""

import pathlib
import re
import tempfile

from street import SOURCE, Agent, Broker, four_lanes, need, skip, terminate_on_alarm, wait_until
import subprocess


def can_trace():
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return done.returncode == 0


def addresses(trace):
    """What each traced call names: ("inet", port), ("unix", path)."""
    for line in trace.splitlines():
        call = re.search(r"\b(connect|bind|sendto|sendmsg|socket)\(", line)
        if call is None:
            continue
        for port, address in re.findall(
            r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)', line
        ):
            yield call[1], "inet", (address, int(port))
        if "AF_INET6" in line and "sin6_port" in line:
            yield call[1], "inet6", line
        for path in re.findall(r'AF_UNIX, sun_path=@?"([^"]+)"', line):
            yield call[1], "unix", path


def main():
    need("strace", "mosquitto")
    if not can_trace():
        skip("strace may not trace here")
    terminate_on_alarm(180)
    with tempfile.TemporaryDirectory(prefix="berm-strangers-") as folder:
        folder = pathlib.Path(folder)
        broker = Broker(folder)
        trace = folder / "trace"
        agent = Agent(
            folder,
            {
                "node": "quiet",
                "board": "sim",
                "drivers": {"e19": four_lanes()},
                "uplinks": {
                    "broker": {
                        "uplink": "mqtt",
                        "url": f"mqtt://127.0.0.1:{broker.port}",
                        "no_subscriber": "pass",
                    }
                },
                "simulation": {"signals": str(SOURCE / "boards" / "sim" / "edges.csv.gz")},
            },
        )
        try:
            broker.start()
            agent.start(prefix=["strace", "-f", "-e", "trace=network", "-o", str(trace)])
            wait_until(
                "events are delivered",
                lambda: (agent.status() or {})
                .get("uplinks", {})
                .get("broker", {})
                .get("delivered", 0)
                > 20,
                60,
            )
            # strace passes the signal on to nobody: end the agent itself, by the pid it answers
            # with.
            child = subprocess.run(
                ["pgrep", "-P", str(agent.process.pid)], capture_output=True, text=True, check=True
            )
            subprocess.run(["kill", child.stdout.split()[0]], check=True)
            agent.process.child.wait(timeout=60)
            found = list(addresses(trace.read_text()))
            strangers = [
                f
                for f in found
                if not (f[1] == "inet" and f[2] == ("127.0.0.1", broker.port))
                and not (f[1] == "unix" and f[2] == str(agent.socket))
            ]
            assert not strangers, strangers
            assert any(f[1] == "inet" for f in found), "the trace shows no connection at all"
            print(f"{len(found)} calls, all to the broker or the local socket")
        finally:
            for process in (agent.process, broker.process):
                if process is not None:
                    process.kill()


main()
