# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: the real agent as a process, a real mosquitto, a proxy that can be
cut, the real Flume and Kafka of tests/system/ingest. Everything on 127.0.0.1, on ports the system
chose; every process is ended by its pid."""

import json
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

SOURCE = pathlib.Path(os.environ.get("BERM_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("BERM_BUILD", SOURCE / "build" / "release"))
BERM = BUILD / "bin" / "berm"
SKIP = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIP)


def need(*programs):
    for program in programs:
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
            skip(f"{program} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=60):
    """Polls until the condition holds; a generous deadline, for outcomes only."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    def __init__(self, name, words, folder, **kwargs):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        self._file = open(self.log, "ab")
        self.child = subprocess.Popen(
            [str(word) for word in words],
            stdout=kwargs.pop("stdout", self._file),
            stderr=self._file,
            stdin=subprocess.DEVNULL,
            **kwargs,
        )

    @property
    def pid(self):
        return self.child.pid

    def is_alive(self):
        return self.child.poll() is None

    def kill(self):
        if self.is_alive():
            self.child.kill()
        self.child.wait()

    def end(self, seconds=60):
        """SIGTERM, and the exit code."""
        if self.is_alive():
            self.child.terminate()
        return self.child.wait(timeout=seconds)

    def tail(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Agent:
    """`berm run` over one state directory; may die and come back."""

    def __init__(self, folder, configuration, name="agent"):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.config = self.folder / f"{name}.json"
        self.state = self.folder / f"{name}-state"
        self.socket = self.folder / f"{name}.sock"
        self.config.write_text(json.dumps(configuration, indent=1))
        self.state.mkdir(exist_ok=True)
        self.process = None

    def start(self, prefix=(), env=None):
        self.process = Process(
            self.name,
            [
                *prefix,
                BERM,
                "run",
                "--config",
                self.config,
                "--state",
                self.state,
                "--socket",
                self.socket,
            ],
            self.folder,
            env=env,
        )
        self.wait_ready()

    def wait_ready(self):
        def ready():
            if not self.process.is_alive():
                raise AssertionError(f"the agent ended:\n{self.process.tail()}")
            return self.status() is not None

        wait_until("the agent answers on its socket", ready, 60)

    def status(self):
        done = subprocess.run(
            [BERM, "status", "--json", "-S", self.socket],
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else None

    def waiting(self):
        status = self.status()
        return None if status is None else sum(u["waiting"] for u in status["uplinks"].values())

    def delivered(self, least):
        """Each uplink has delivered that many in this life."""
        status = self.status()
        return status is not None and all(
            u["delivered"] >= least for u in status["uplinks"].values()
        )

    def drained(self):
        """Nothing waits for its commit, nothing for its delivery."""
        status = self.status()
        if status is None or status["outbox"]["pending"] > 0:
            return False
        return all(uplink["waiting"] == 0 for uplink in status["uplinks"].values())


class Proxy:
    """Between two TCP ports; `cut` ends every connection and refuses new ones, `freeze` takes
    bytes and passes nothing on."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.is_cut = False
        self.is_frozen = False
        self.pairs = []
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.is_cut:
                client.close()
                continue
            server = socket.socket()
            if server.connect_ex(("127.0.0.1", self.target_port)) != 0:
                client.close()
                server.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client, server):
        other = {client: server, server: client}
        try:
            with selectors.DefaultSelector() as waiting:
                for end in other:
                    waiting.register(end, selectors.EVENT_READ)
                while True:
                    for key, _ in waiting.select(timeout=0.2):
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        while self.is_frozen:
                            time.sleep(0.02)
                        other[key.fileobj].sendall(data)
        except (OSError, ValueError):
            return
        finally:
            for end in other:
                end.close()

    def cut(self):
        self.is_cut = True
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def heal(self):
        self.is_cut = False
        self.is_frozen = False


class Broker:
    """A real mosquitto with persistence and a queue deep enough to lose nothing."""

    def __init__(self, folder, extra=()):
        need("mosquitto", "mosquitto_sub")
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.data = self.folder / "mosquitto"
        self.data.mkdir(exist_ok=True)
        self.data.chmod(0o777)
        self.conf = self.folder / "mosquitto.conf"
        self.conf.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    "allow_anonymous true",
                    "persistence true",
                    f"persistence_location {self.data}/",
                    "max_queued_messages 0",
                    "max_inflight_messages 100",
                    "user root",
                    *extra,
                    "",
                ]
            )
        )
        self.process = None

    def start(self):
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = Process("mosquitto", [program, "-c", self.conf], self.folder)
        wait_until("mosquitto listens", lambda: accepts(self.port), 30)

    def subscribe(self, into, client="audit"):
        """A persistent session: what is published while it is away waits for it."""
        return Process(
            "subscriber",
            [
                "mosquitto_sub",
                "-h",
                "127.0.0.1",
                "-p",
                self.port,
                "-V",
                "mqttv5",
                "-i",
                client,
                "-c",
                "-x",
                "4294967295",
                "-q",
                "1",
                "-t",
                "berm/+/event/#",
            ],
            self.folder,
            stdout=open(into, "ab"),
        )


def command_line(pid):
    """Empty: there is no such process any more."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Ingest:
    """Real Flume and Kafka, by tests/system/ingest."""

    def __init__(self, folder, **settings):
        need("java", "mvn", "kcat", "curl")
        self.home = SOURCE / "tests" / "system" / "ingest"
        self.run = pathlib.Path(folder) / "ingest"
        self.env = dict(os.environ, INGEST_RUN=str(self.run), **settings)

    def up(self):
        subprocess.run(
            [self.home / "up"], env=self.env, check=True, stdout=subprocess.DEVNULL, timeout=600
        )
        ports = dict(line.strip().split("=") for line in (self.run / "ports").read_text().split())
        self.kafka_port, self.flume_port = int(ports["KAFKA_PORT"]), int(ports["FLUME_PORT"])

    def down(self):
        subprocess.run(
            [self.home / "down", "--wipe"],
            env=self.env,
            check=False,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )

    def signal(self, service, number):
        pid = int((self.run / f"{service}.pid").read_text())
        os.kill(pid, number)
        if number == signal.SIGKILL:  # `up` must not take it for alive
            wait_until(f"{service} is dead", lambda: not command_line(pid), 30)

    def records(self, topic, form="%s\n"):
        done = subprocess.run(
            [
                "kcat",
                "-q",
                "-b",
                f"127.0.0.1:{self.kafka_port}",
                "-C",
                "-t",
                topic,
                "-o",
                "beginning",
                "-e",
                "-f",
                form,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.splitlines()

    def settled_records(self):
        """All of every topic, once what Flume has taken must be there: an idle Kafka sink sleeps up
        to 5 s."""
        time.sleep(12)
        return [line for topic in self.topics() for line in self.records(topic)]

    def topics(self):
        done = subprocess.run(
            ["kcat", "-q", "-b", f"127.0.0.1:{self.kafka_port}", "-L", "-J"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return [
            t["topic"] for t in json.loads(done.stdout)["topics"] if not t["topic"].startswith("__")
        ]


def audit(lines):
    """(exit code, parsed report) of `berm audit --json` over the lines."""
    done = subprocess.run(
        [BERM, "audit", "--json"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def check_every_second(lines, lanes=4):
    """Each lane has one period for every second from its first to its last; returns them by
    lane."""
    by_lane = {}
    for line in filter(None, lines):  # mosquitto_sub ends a payload of lines with one more newline
        event = json.loads(line)
        if event["stream"] == "traffic.lane":
            by_lane.setdefault(event["lane"], {}).setdefault(event["time"], set()).add(event["id"])
    assert len(by_lane) == lanes, by_lane.keys()
    for lane, periods in by_lane.items():
        times = sorted(periods)
        missing = sorted(set(range(times[0], times[-1] + 1)) - set(times))
        assert not missing, f"{lane}: not there: {missing[:5]} of {times[0]}-{times[-1]}"
        double = [time for time, ids in periods.items() if len(ids) > 1]
        assert not double, f"{lane}: told twice: {double[:5]}"
    return by_lane


def finish(agent):
    """Ends sampling and lets everything out: afterwards nothing new appears, so the ends can be
    compared."""
    wait_until("everything is delivered", agent.drained, 180)
    assert agent.process.end() == 0, agent.process.tail()
    # What the last commit left over goes out in a life without drivers, which has one event of its
    # own: that it runs.
    document = json.loads(agent.config.read_text())
    document["drivers"] = {}
    agent.config.write_text(json.dumps(document))
    agent.start()
    wait_until("the rest is delivered", lambda: agent.delivered(1) and agent.drained(), 180)
    assert agent.process.end() == 0, agent.process.tail()


def check_clean(where, lines, least=100, lanes=4):
    """Audits what arrived; returns the number of events by epoch and stream."""
    code, report = audit(lines)
    received = sum(stream["received"] for stream in report["streams"])
    repeats = sum(stream["duplicate"] for stream in report["streams"])
    print(f"{where}: {received} events, {repeats} repeats")
    assert code == 0, json.dumps(report, indent=1)
    periods = [s for s in report["streams"] if s["stream"] == "traffic.lane"]
    assert sum(s["received"] for s in periods) > least, report
    check_every_second(lines, lanes)
    return {(s["epoch"], s["stream"]): s["received"] for s in report["streams"]}


def four_lanes(**driver):
    lanes = {
        f"R{10 + i}": {
            "uid": 92301 + i,
            "loops": [f"{i}A", f"{i}B"],
            "loop_length_m": 2.0,
            "spacing_m": 4.5,
            "direction": "north",
        }
        for i in range(4)
    }
    return {"driver": "loop_detector", "period_s": 1, "vehicles": True, "lanes": lanes, **driver}


def terminate_on_alarm(seconds):
    """A test that hangs says where."""

    def stop(*_):
        raise TimeoutError(f"the test took longer than {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
