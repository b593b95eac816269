# SPDX-License-Identifier: Apache-2.0
"""One node whose state directory is made to suffer: the agent with a stick or a small HTTP
collector, asked over its socket without a process per question (a test here starts it hundreds of
times)."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from street import BERM, SOURCE, four_lanes

RECORDING = str(SOURCE / "boards" / "sim" / "edges.csv.gz")
MEMORY = pathlib.Path("/dev/shm")
ROOM_BYTES = 256 << 20


def fast_folder():
    """Where temporary directories go: into memory where there is room, as syncs are not what is
    tested."""
    if (
        MEMORY.is_dir()
        and os.access(MEMORY, os.W_OK)
        and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    ):
        return str(MEMORY)
    return None


def ask(path, line="status --json"):
    """The answer's text, or None where nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(10)
            end.connect(str(path))
            end.sendall(line.encode() + b"\n")
            answer = b""
            while b"\n" not in answer:
                more = end.recv(65536)
                if not more:
                    return None
                answer += more
            head, text = answer.split(b"\n", 1)
            size = int(head.split()[1])
            while len(text) < size:
                more = end.recv(65536)
                if not more:
                    return None
                text += more
            return text.decode()
    except OSError:
        return None


class Node:
    """`berm run` over one state directory."""

    def __init__(self, folder, uplinks, name="tried"):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.socket = self.folder / "sock"
        self.config = self.folder / "node.json"
        self.log = self.folder / "log"
        self.name, self.uplinks = name, uplinks
        self.state.mkdir()
        self.child = None
        self.user = None  # another than our own

    def configure(self, **changed):
        document = {
            "node": self.name,
            "board": "sim",
            "drivers": {"e19": four_lanes()},
            "streams": {
                "traffic.vehicle": {"durability": "sync"},
                "traffic.lane": {"durability": "sync"},
            },
            "outbox": {"max_bytes": 1 << 20},
            "uplinks": self.uplinks,
            "simulation": {"signals": RECORDING},
        }
        document.update(changed)
        self.config.write_text(json.dumps(document))

    def start(self, **environment):
        words = [BERM, "run", "--config", self.config, "--state", self.state]
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [*words, "--socket", self.socket],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(os.environ, **environment),
                **({} if self.user is None else {"user": self.user, "group": self.user}),
            )

    def status(self):
        text = ask(self.socket)
        return None if text is None else json.loads(text)

    def is_alive(self):
        return self.child.poll() is None

    def wait(self, what, condition, seconds=30):
        """Until condition(status) holds; fails when the agent ends meanwhile."""
        end = time.monotonic() + seconds
        while True:
            status = self.status()
            if status is not None and condition(status):
                return status
            assert self.is_alive(), f"the agent ended with {self.child.returncode}:\n{self.said()}"
            assert time.monotonic() < end, f"not within {seconds} s: {what}\n{self.said()}"
            time.sleep(0.01)

    def drain(self, seconds=30):
        return self.wait("everything is delivered", is_drained, seconds)

    def end(self, seconds=60):
        if self.is_alive():
            self.child.terminate()
        return self.child.wait(timeout=seconds)

    def kill(self):
        if self.child is not None and self.is_alive():
            self.child.kill()
            self.child.wait()

    def said(self, lines=12):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def is_drained(status):
    return all(uplink["waiting"] == 0 for uplink in status["uplinks"].values())


def stick(directory):
    return {"stick": {"uplink": "file", "directory": str(directory), "hold": True}}


def lines_of(directory):
    files = sorted(pathlib.Path(directory).rglob("*.jsonl"))
    # The last line may still be under way.
    return [line for file in files for line in file.read_text().split("\n")[:-1]]


def alarms_in(events):
    """Names of the alarms that began, by the events alone."""
    return {e["alarm"] for e in events if e["stream"] == "node.alarm" and e["state"] == "begin"}
