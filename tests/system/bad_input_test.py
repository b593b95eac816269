#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the world does to a node, with the real program: servers that answer nonsense, wrong
certificates, a torn configuration, a state directory that is held, read-only or full. Each gets a
clear error or alarm, and nothing that was committed is lost or set aside wrongly."""

import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from street import BERM, SOURCE, Agent, audit, four_lanes, need, terminate_on_alarm, wait_until

RECORDING = str(SOURCE / "boards" / "sim" / "edges.csv.gz")


class Server:
    """An HTTP server whose mood is set by the test; keeps what it accepted as Flume would."""

    def __init__(self, certificate=None):
        self.mood, self.lines, self.requests = "good", [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests += 1
                outer.answer(self, body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, handler, body):
        page = b"<html>Please log in</html>"
        if self.mood == "good":
            self.lines += [event["body"] for event in json.loads(body)]
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif self.mood == "silent":
            time.sleep(8)
            handler.close_connection = True
        elif self.mood == "half":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.close_connection = True
        else:
            status = {"portal": 200, "moved": 301, "refusing": 400, "busy": 503, "gateway": 502}[
                self.mood
            ]
            handler.send_response(status)
            if self.mood == "moved":
                handler.send_header("Location", "http://127.0.0.1:9/")
            handler.send_header("Content-Length", str(len(page)))
            handler.end_headers()
            handler.wfile.write(page)


def configuration(url, **uplink):
    return {
        "node": "tried",
        "board": "sim",
        "drivers": {"e19": four_lanes()},
        "uplinks": {"flume": {"uplink": "http", "url": url, "timeout_ms": 3000, **uplink}},
        "simulation": {"signals": RECORDING},
    }


def alarms(agent):
    status = agent.status() or {}
    return {name.split("/")[0] for name in status.get("alarms", {}) if "/" in name}


def servers_that_answer_nonsense(folder):
    server = Server()
    agent = Agent(folder, configuration(f"http://127.0.0.1:{server.port}"))
    try:
        for mood in ("portal", "moved", "half", "gateway", "refusing", "silent", "busy"):
            server.mood = mood
            agent.start()  # anew: the backoff of one mood must not outlast the test of the next
            before = server.requests
            wait_until(
                f"the agent asks a server that is {mood}", lambda: server.requests > before, 60
            )
            time.sleep(0.5)
            flume = agent.status()["uplinks"]["flume"]
            assert flume["delivered"] == 0 and flume["refused"] == 0, (mood, flume)
            if mood != "busy":
                agent.process.kill()
        wait_until("a server like that is an alarm", lambda: alarms(agent), 120)
        server.mood = "good"
        wait_until("everything is delivered once the server is good", agent.drained, 300)
        assert agent.process.end() == 0, agent.process.tail()
        code, report = audit(server.lines)
        assert code == 0 and not any(s["stream"] == "node.gap" for s in report["streams"]), report
    finally:
        agent.process.kill()


def unreachable(folder):
    """Nobody listens, and no such name: each uplink says it in its own words, the node goes on."""
    document = configuration("http://127.0.0.1:9")
    document["uplinks"]["lost"] = {"uplink": "http", "url": "http://no-such-host.invalid"}
    document["uplinks"]["mute"] = {"uplink": "mqtt", "url": "mqtt://127.0.0.1:9"}
    document["uplinks"]["gone"] = {"uplink": "mqtt", "url": "mqtt://no-such-host.invalid"}
    agent = Agent(folder, document)
    try:
        agent.start()
        wait_until("every uplink names its trouble", lambda: all(errors_of(agent).values()), 120)
        for name, error in errors_of(agent).items():
            print(f"  {name}: {error}")
            place = "127.0.0.1" if name in ("flume", "mute") else "no-such-host.invalid"
            assert place in error, (name, error)
        for uplink in agent.status()["uplinks"].values():
            assert uplink["delivered"] == 0 and uplink["refused"] == 0, uplink
        assert agent.status()["drivers"]["e19"]["state"] == "running"
        assert agent.process.end() == 0, agent.process.tail()
    finally:
        agent.process.kill()


def errors_of(agent):
    return {name: uplink["last_error"] for name, uplink in agent.status()["uplinks"].items()}


def make_certificate(folder, name):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            key,
            "-out",
            certificate,
            "-subj",
            f"/CN={name}",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def wrong_and_right_certificates(folder):
    certificate, key = make_certificate(folder, "server")
    other, _ = make_certificate(folder, "other")
    server = Server((certificate, key))
    url = f"https://127.0.0.1:{server.port}"
    agent = Agent(folder, configuration(url, ca_file=str(other)), "wrong")
    try:
        agent.start()
        wait_until("a wrong certificate is an alarm", lambda: alarms(agent), 60)
        assert server.requests == 0 and agent.status()["uplinks"]["flume"]["delivered"] == 0
        agent.process.end()
        agent.config.write_text(json.dumps(configuration(url, ca_file=str(certificate))))
        agent.start()
        wait_until("everything is delivered over TLS", agent.drained, 120)
        agent.process.end()
        assert audit(server.lines)[0] == 0
    finally:
        agent.process.kill()


def run_once(agent):
    """Runs the agent to its own end; (exit code, what it said)."""
    done = subprocess.run(
        [BERM, "run", "--config", agent.config, "--state", agent.state, "--socket", agent.socket],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def quiet(folder, name):
    return Agent(
        folder,
        {
            "node": name,
            "board": "sim",
            "drivers": {"e19": four_lanes()},
            "uplinks": {},
            "simulation": {"signals": RECORDING},
        },
        name,
    )


def torn_configuration(folder):
    agent = quiet(folder, "torn")
    text = agent.config.read_text()
    agent.config.write_text(text[: len(text) // 2])
    code, said = run_once(agent)
    assert code == 2 and str(agent.config) in said, (code, said)
    agent.config.write_text(text)
    try:
        agent.start()
        agent.process.end()
        agent.config.write_text(text[: len(text) // 2])
        agent.start()
        assert "configuration_invalid" in alarms(agent), agent.status()["alarms"]
        assert agent.status()["drivers"]["e19"]["state"] == "running"
    finally:
        agent.process.kill()


def state_that_is_held(folder):
    agent = quiet(folder, "held")
    second = quiet(folder, "second")
    second.state = agent.state
    third = quiet(folder, "third")
    third.socket = agent.socket
    try:
        agent.start()
        code, said = run_once(second)
        assert code == 1 and str(agent.state) in said, (code, said)
        code, said = run_once(third)
        assert code == 1 and "socket" in said, (code, said)
        assert agent.status() is not None, "the first agent must not be disturbed"
    finally:
        agent.process.kill()
    agent.start()  # its socket file was left behind by the kill
    assert agent.process.end() == 0


def mounted(kind, folder, *options):
    done = subprocess.run(
        ["mount", "-t", kind, *options, "none", folder], capture_output=True, check=False
    )
    return done.returncode == 0


def read_only_state(folder):
    agent = quiet(folder, "readonly")
    if os.geteuid() != 0 or not mounted("tmpfs", agent.state, "-o", "ro,size=1m"):
        print("  read-only state: not tried, no right to mount here")
        return
    try:
        code, said = run_once(agent)
        assert code == 1 and "read-only" in said.lower(), (code, said)
    finally:
        subprocess.run(["umount", agent.state], check=True)


def full_state(folder):
    """A real full disk: sampling goes on, an alarm says so, and once there is room everything is
    there."""
    server = Server()
    server.mood = "busy"
    document = configuration(f"http://127.0.0.1:{server.port}")
    agent = Agent(folder, document, "full")
    if os.geteuid() != 0 or not mounted("tmpfs", agent.state, "-o", "size=8m"):
        print("  full disk: not tried, no right to mount here")
        return
    try:
        agent.start()
        wait_until("something is committed", lambda: agent.status()["outbox"]["events"] > 20, 30)
        filler = agent.state / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        wait_until("a full disk is an alarm", lambda: "disk_full" in alarms(agent), 60)
        time.sleep(3)
        filler.unlink()
        wait_until("the alarm ends with the room", lambda: "disk_full" not in alarms(agent), 120)
        assert agent.status()["outbox"]["lost_before_commit"] == 0
        server.mood = "good"
        wait_until("everything is delivered", agent.drained, 300)
        assert agent.process.end() == 0, agent.process.tail()
        code, report = audit(server.lines)
        assert code == 0, report
    finally:
        agent.process.kill()
        subprocess.run(["umount", agent.state], check=True)


def main():
    need("openssl")
    terminate_on_alarm(1100)
    trials = (
        servers_that_answer_nonsense,
        unreachable,
        wrong_and_right_certificates,
        torn_configuration,
        state_that_is_held,
        read_only_state,
        full_state,
    )
    for trial in trials:
        if len(sys.argv) > 1 and trial.__name__ not in sys.argv[1:]:
            continue
        print(trial.__name__.replace("_", " "), flush=True)
        with tempfile.TemporaryDirectory(prefix="berm-bad-") as folder:
            trial(pathlib.Path(folder))


main()
