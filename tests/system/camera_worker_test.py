#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From a film to a broker: a rendered film, ffmpeg, the worker, the agent beside counting loops,
and mosquitto. Then the worker is killed and frozen, and not one loop period suffers. And over a
run of the worker with its decoder: no file is written, no socket opened."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(os.environ["BERM_BUILD"])
BIN = BUILD / "bin"
LOOPS = {"driver": "loop_detector", "period_s": 2, "lanes": {
    "R10": {"uid": 1, "loops": ["0A", "0B"], "spacing_m": 4.5}}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, limit_s=60):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain for " + what)


def make_film(folder):
    film = folder / "film.y4m"
    with open(film, "wb") as out:
        made = subprocess.run([BIN / "render_film", "30", "5", "320", "180"], stdout=out,
                              stderr=subprocess.PIPE, check=True)
    return film, json.loads(made.stderr)


@contextlib.contextmanager
def broker(folder, port):
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    process = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)
    try:
        wait_for("mosquitto", lambda: not socket.socket().connect_ex(("127.0.0.1", port)))
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def subscriber(port, found):
    words = ["mosquitto_sub", "-V", "5", "-p", str(port), "-t", "berm/+/event/#", "-q", "1"]
    with open(found, "wb") as out:
        process = subprocess.Popen(words, stdout=out)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def events(found, stream):
    # mosquitto_sub ends a payload of lines with one more newline.
    lines = [line for line in found.read_text().split("\n") if line]
    return [e for e in map(json.loads, lines[:-1]) if e["stream"] == stream]


@contextlib.contextmanager
def agent(folder, document):
    config, shell = folder / "berm.json", folder / "shell.sock"
    config.write_text(json.dumps(document))
    state = folder / "state"
    words = [BIN / "berm", "run", "--config", config, "--state", state, "--socket", shell]
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stderr=log, stdout=log)
    try:
        wait_for("the local socket", shell.exists)
        yield process, shell
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, (folder / "log").read_text()


def ask(shell, *words):
    done = subprocess.run([BIN / "berm", "shell", "-S", shell, "-c", " ".join(words)],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, (words, done)
    return done.stdout


def worker_of(process):
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        with contextlib.suppress(OSError):
            if "berm-camera" in pathlib.Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
    return 0


def counts_of(periods):
    return sum(period["count"] or 0 for period in periods)


def counting(process, found, truth):
    """The film is 30 s long and is counted from its start, once the road is learned."""
    wait_for("the worker", lambda: worker_of(process))
    maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
    assert "opencv" not in maps and "avcodec" not in maps
    crossings = {lane: [t for t in truth[lane]["crossings_s"] if 1 < t < 22] for lane in truth}
    wanted = {lane: len(times) for lane, times in crossings.items()}

    def enough():
        lanes = events(found, "traffic.lane")
        return all(counts_of([p for p in lanes if p["lane"] == lane]) >= 0.8 * wanted[lane]
                   for lane in wanted)

    wait_for(f"the camera's counts {wanted}", enough, 90)
    vehicles = [e for e in events(found, "traffic.vehicle") if e["source"] == "cam"]
    assert vehicles and all(v["on_ms"] > 0 for v in vehicles), vehicles[:3]


def suffering(process, shell, found):
    """Kills, a freeze: another worker each time."""
    seen = set()
    for _ in range(4):
        worker = wait_for("a worker", lambda: worker_of(process) not in seen and worker_of(process))
        seen.add(worker)
        os.kill(worker, signal.SIGKILL)
    worker = wait_for("a worker", lambda: worker_of(process) not in seen and worker_of(process), 90)
    os.kill(worker, signal.SIGSTOP)
    wait_for("another worker", lambda: worker_of(process) not in (0, worker), 90)
    status = json.loads(ask(shell, "status", "--json"))
    text = json.dumps(status)
    assert '"restarts"' in text, text
    alarms = [e["alarm"] for e in events(found, "node.alarm")]
    assert "camera_down" in alarms, alarms
    periods = [p for p in events(found, "traffic.lane") if p["source"] == "cam"]
    blind = [p for p in periods if p["coverage"] == 0.0]
    assert blind and all(p["count"] is None for p in blind), blind[:2]


def loops_whole(found):
    """No loop period is missing, doubled or less than wholly seen, but the first."""
    periods = [p for p in events(found, "traffic.lane") if p["source"] == "e19"]
    assert len(periods) > 10, periods
    times = [p["time"] for p in periods]
    assert times == list(range(times[0], times[-1] + 1, 2)), times
    assert all(p["coverage"] == 1.0 for p in periods[1:]), periods


def private(folder, film, truth):
    """strace over a worker with its decoder: nothing is opened for writing, no socket is made."""
    trace = folder / "trace"
    lanes = {lane: {"uid": i, "line": one["line"], "direction": one["direction"]}
             for i, (lane, one) in enumerate(truth.items())}
    words = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=openat,open,creat,socket,connect",
             BIN / "berm-camera", "work"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(json.dumps({"camera": str(film), "lanes": lanes}).encode())
    process.stdin.close()
    said = b""
    while b"told" not in said:
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, said
        said += piece
    process.kill()
    process.wait()
    lines = trace.read_text(errors="replace").splitlines()
    assert any(str(film) in line for line in lines), "strace saw nothing"
    for line in lines:
        assert "socket(" not in line and "connect(" not in line, line
        written = any(word in line for word in ("O_WRONLY", "O_RDWR", "O_CREAT", "creat("))
        assert not written or '"/dev/' in line, line


def main():
    for program in ("ffmpeg", "mosquitto_sub", "strace"):
        if not shutil.which(program):
            print(f"skipped: {program} is not installed")
            return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        film, truth = make_film(folder)
        port, found = free_port(), folder / "found"
        lanes = {lane: {"uid": 10 + i, "line": one["line"], "direction": one["direction"]}
                 for i, (lane, one) in enumerate(truth.items())}
        document = {
            "node": "camera-test", "board": "sim",
            "drivers": {"e19": LOOPS, "cam": {"driver": "camera_counter", "camera": str(film),
                                              "period_s": 2, "vehicles": True, "lanes": lanes}},
            "streams": {"traffic.vehicle": {"durability": "group 500"}},
            "uplinks": {"broker": {"uplink": "mqtt", "url": f"mqtt://127.0.0.1:{port}"}},
        }
        with broker(folder, port), subscriber(port, found):
            with agent(folder, document) as (process, shell):
                counting(process, found, truth)
                suffering(process, shell, found)
                loops_whole(found)
        private(folder, film, truth)
    print("counted from film to broker; kills and freezes cost the loops nothing; no picture left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
