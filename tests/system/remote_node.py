# SPDX-License-Identifier: Apache-2.0
"""What the tests of remote control share: an operator who has only mosquitto_pub and
mosquitto_sub, and a node that takes documents."""

import base64
import hashlib
import json
import subprocess

from street import BERM, SOURCE, Process, four_lanes, wait_until

RECORDING = str(SOURCE / "boards" / "sim" / "edges.csv.gz")


class Operator:
    """Hears everything below `berm/`, says what it is told to."""

    def __init__(self, folder, port, words=(), host="127.0.0.1", name="operator"):
        self.folder, self.words = folder, ["-h", host, "-p", str(port), *words]
        self.heard = folder / f"heard-by-{name}"
        with open(self.heard, "ab") as heard:
            self.process = Process(
                f"operator-{name}",
                [
                    *("mosquitto_sub", "-V", "mqttv5", *self.words, "-i", f"{name}-ears"),
                    *("-q", "1"),
                    *("-t", "berm/#", "-t", "answers/#", "-F", "%t %r %p"),
                ],
                folder,
                stdout=heard,
            )

    def messages(self, topic):
        found = []
        for line in self.heard.read_text(errors="replace").splitlines():
            where, _, rest = line.partition(" ")
            if where == topic:
                found.append(rest.partition(" ")[2])
        return found

    def last(self, topic):
        messages = self.messages(topic)
        return messages[-1] if messages else None

    def publish(self, topic, text, *words):
        if not isinstance(text, str):
            text = json.dumps(text)
        subprocess.run(
            ["mosquitto_pub", "-V", "mqttv5", *self.words, "-q", "1", "-t", topic,
             "-s" if text else "-n", *words],
            input=text.encode(errors="surrogateescape"),
            check=True,
        )

    def set(self, layer, message):
        self.publish(f"berm/{layer}/config/set", message, "-r")

    def state(self, node):
        text = self.last(f"berm/{node}/config/state")
        return None if text is None else json.loads(text)

    def wait(self, node, state, sequence=None, seconds=60):
        def is_so():
            now = self.state(node)
            fits = now is not None and now["state"] == state
            return now if fits and sequence in (None, now["sequence"]) else None

        try:
            return wait_until(f"{node} is {state} {sequence}", is_so, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {self.state(node)}") from error

    def states(self, node, sequence):
        """All that it said of one document, in order, each once."""
        said = [json.loads(text) for text in self.messages(f"berm/{node}/config/state")]
        states = [one["state"] for one in said if one["sequence"] == sequence]
        return [s for i, s in enumerate(states) if i == 0 or states[i - 1] != s]

    def answers(self, node, identity):
        topic = f"berm/{node}/cmd/{identity}/result"
        return [json.loads(text) for text in self.messages(topic)]

    def command(self, node, identity, message, *words, seconds=60):
        """The last answer, its chunks put together."""
        before = len(self.answers(node, identity))
        self.publish(f"berm/{node}/cmd/{identity}", message, *words)

        def ended():
            answers = self.answers(node, identity)[before:]
            return answers if answers and answers[-1]["state"] != "executing" else None

        answers = wait_until(f"{node} answers {identity}", ended, seconds)
        last = answers[-1]
        if "chunks" in last:
            pieces = [one for one in answers if "chunk" in one]
            assert [one["chunk"] for one in pieces] == list(range(last["chunks"])), pieces
            whole = b"".join(base64.b64decode(one["data"]) for one in pieces)
            assert len(whole) == last["bytes"]
            assert hashlib.sha256(whole).hexdigest() == last["sha256"]
            last["result"] = json.loads(whole)
        return last


def node_document(name, port, remote=None, **changed):
    remote = {"unsigned": True} if remote is None else remote
    return {
        "node": name,
        "board": "sim",
        "drivers": {"e19": four_lanes()},
        "uplinks": {"broker": {"uplink": "mqtt", "url": f"mqtt://127.0.0.1:{port}"}},
        "remote": {"uplink": "broker", "confirm_s": 10, "groups": ["flanders"], **remote},
        "simulation": {"signals": RECORDING},
        **changed,
    }


def berm(*words):
    done = subprocess.run(
        [str(BERM), *[str(word) for word in words]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}: {done.returncode} {done.stderr}"
    return done.stdout


def shell(agent, line):
    done = subprocess.run(
        [str(BERM), "shell", "-S", str(agent.socket), "-c", line],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
