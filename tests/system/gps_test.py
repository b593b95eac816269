#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real program beside a real gpsd, which gpsfake feeds with a hand-written receiver: positions
in the uplink, the clock by satellite where the kernel's is not synchronised, the verb, the alarm
when gpsd dies; and a node without a receiver, which maps no libgps."""

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
SOURCE = pathlib.Path(os.environ["BERM_SOURCE"])
BERM = BUILD / "bin" / "berm"
DRIVE = SOURCE / "tests" / "replay" / "gps" / "drive.nmea"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, limit_s=40):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain for " + what)


@contextlib.contextmanager
def agent(folder, drivers):
    folder.mkdir()
    out = folder / "out"
    out.mkdir()
    document = {
        "node": "gps-test",
        "board": "generic-amd64",
        "drivers": drivers,
        "uplinks": {"stick": {"uplink": "file", "directory": str(out)}},
    }
    config, shell = folder / "berm.json", folder / "shell.sock"
    config.write_text(json.dumps(document))
    words = [BERM, "run", "--config", config, "--state", folder / "state", "--socket", shell]
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stderr=log, stdout=log)
    try:
        wait_for("the local socket", shell.exists)
        yield process, shell, out
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, (folder / "log").read_text()


@contextlib.contextmanager
def receiver(port):
    """Five sentences a second: the drive in its real time. gpsd is a child of gpsfake's, so the
    whole group ends."""
    words = ["gpsfake", "-1", "-q", "-c", "0.2", "-P", str(port), str(DRIVE)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(words, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ask(shell, *words):
    done = subprocess.run(
        [BERM, "shell", "-S", shell, "-c", " ".join(words)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, (words, done)
    return done.stdout


def events(out, stream):
    found = []
    for path in sorted(out.rglob("*")):
        if path.is_file():
            found += [json.loads(line) for line in path.read_text().splitlines()]
    return [event for event in found if event["stream"] == stream]


def maps(process):
    return pathlib.Path(f"/proc/{process.pid}/maps").read_text()


def without_a_receiver(folder):
    with agent(folder, {}) as (process, shell, _):
        assert ask(shell, "gps") == "no GPS configured\n"
        assert json.loads(ask(shell, "gps", "--json")) == {}
        assert "libgps" not in maps(process) and "berm-gps" not in maps(process)


def with_a_receiver(folder):
    port = free_port()
    gps = {"driver": "gps_position", "gpsd": f"127.0.0.1:{port}"}
    with agent(folder, {"gps": gps}) as (process, shell, out):
        assert "libgps" in maps(process)
        assert "gpsd_down" in ask(shell, "gps")
        with receiver(port):
            status = lambda: json.loads(ask(shell, "status", "--json"))
            clock = wait_for(
                "a time that is believed",
                lambda: next(
                    (v for k, v in tree(status()) if k == "gps_clock" and v["trusted"]), None
                ),
            )
            assert clock["used"] > 0, clock
            wait_for("positions", lambda: len(events(out, "position")) >= 5)
            said = ask(shell, "gps")
            assert "running" in said and "51.20" in said, said
        wait_for(
            "the alarm",
            lambda: any(a["alarm"] == "gps_down" for a in events(out, "node.alarm")),
        )
        check_positions(events(out, "position"))


def tree(status):
    for key, value in status.items():
        yield key, value
        if isinstance(value, dict):
            yield from tree(value)


def check_positions(positions):
    for event in positions:
        assert 51.1999 < event["lat"] < 51.2100 and abs(event["lon"] - 4.4) < 1e-6, event
        assert event["satellites"] in (8, None), event
        assert event["clock"] in ("gps", "ntp", "none", "rtc"), event
    # A receiver's first fix may come before its first speed.
    speeds = [event["speed_kmh"] for event in positions if event["speed_kmh"] is not None]
    assert speeds and len(speeds) >= len(positions) - 1, positions
    assert all(abs(speed - 72.0) < 0.1 for speed in speeds), speeds
    # The receiver says 2030-06-01; where the kernel is not synchronised, that is the time.
    by_satellite = [event for event in positions if event["clock"] == "gps"]
    for event in by_satellite:
        assert 0 <= event["time"] - 1_906_538_400 < 60, event
    clocks = {event["clock"] for event in positions[3:]}
    assert clocks <= {"gps"} or clocks <= {"ntp"}, clocks


def main():
    for program in ("gpsd", "gpsfake"):
        if not shutil.which(program) and not pathlib.Path("/usr/sbin", program).exists():
            print(f"skipped: {program} is not installed (gpsd, gpsd-clients)")
            return 77
    with tempfile.TemporaryDirectory() as folder:
        without_a_receiver(pathlib.Path(folder) / "without")
        with_a_receiver(pathlib.Path(folder) / "with")
    print("positions, time, verb and alarm are as promised")
    return 0


if __name__ == "__main__":
    sys.exit(main())
