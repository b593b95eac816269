#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a real Flume says no to, and what stands in front of it: a topic that Kafka does not have, a
memory channel of 100 behind a frozen Kafka, a proxy that answers 400, a page or 502 to everything,
a replicating selector whose second channel is full. The cause is named, nothing is lost or set
aside, and when it is over all of it is in Kafka. Arguments name single trials."""

import http.client
import http.server
import pathlib
import signal
import sys
import tempfile
import threading
import time

from street import (
    Agent,
    Ingest,
    check_clean,
    finish,
    need,
    terminate_on_alarm,
    wait_until,
)

LANES = 10  # a memory channel of 100 lets some 25 events a second through, whoever sends
PAGE = b"<html><body>Please log in</body></html>"
# Without this the Kafka sink waits a minute for a topic before it tries again.
IMPATIENT_SINK = "edge.sinks.kafka.kafka.producer.max.block.ms = 2000\n"
# What Flume has acknowledged must outlive it here, as it is killed.
SECOND_CHANNEL = """
edge.channels = kafka second
edge.channels.kafka.type = file
edge.channels.second.type = memory
edge.channels.second.capacity = 100
edge.channels.second.transactionCapacity = 100
edge.sources.http.channels = kafka second
edge.sources.http.selector.type = replicating
"""
FILE_CHANNEL = "edge.channels.kafka.type = file\n"


class Front:
    """An HTTP proxy before Flume, which passes everything on or answers in its place."""

    def __init__(self, target_port):
        self.mood, self.answered = "pass", 0
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if front.mood == "pass":
                    status, page = front.pass_on(target_port, self.headers["Content-Type"], body)
                else:
                    front.answered += 1
                    status, page = int(front.mood), PAGE
                self.send_response(status)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def pass_on(port, content_type, body):
        flume = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            flume.request("POST", "/", body, {"Content-Type": content_type})
            answer = flume.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 502, PAGE  # as a proxy says that its server is away
        finally:
            flume.close()


class Trial:
    """One rig, one agent; its trials follow one another on the same outbox."""

    def __init__(self, folder):
        self.flume_extra, self.kafka_extra = folder / "flume.extra", folder / "kafka.extra"
        self.flume_extra.write_text(IMPATIENT_SINK)
        self.kafka_extra.write_text("auto.create.topics.enable=false\n")
        self.ingest = Ingest(
            folder,
            INGEST_FLUME_EXTRA=str(self.flume_extra),
            INGEST_KAFKA_EXTRA=str(self.kafka_extra),
            INGEST_CHANNEL="memory",
            INGEST_CAPACITY="100",
            INGEST_TRANSACTION="100",
        )
        self.ingest.up()
        self.front = Front(self.ingest.flume_port)
        self.agent = Agent(folder, self.configuration())

    def configuration(self):
        lanes = {f"R{i}": {"uid": 500 + i, "loops": [f"L{i}"]} for i in range(LANES)}
        return {
            "node": "answered",
            "board": "sim",
            "drivers": {"many": {"driver": "loop_detector", "period_s": 1, "lanes": lanes}},
            "uplinks": {
                "flume": {
                    "uplink": "http",
                    "url": f"http://127.0.0.1:{self.front.port}",
                    "batch_events": 1000,
                }
            },
        }

    def uplink(self):
        status = self.agent.status()
        return status["uplinks"]["flume"] if status else {}

    def alarms(self):
        status = self.agent.status() or {}
        return {name: a["text"] for name, a in status.get("alarms", {}).items() if "/" in name}

    def expect_cause(self, words):
        """The status names it, and an alarm does once it has lasted."""
        said = wait_until(
            f"the status says {words}",
            lambda: (text := self.uplink().get("last_error", "")) and words in text and text,
            90,
        )
        print(f"  status: {said}", flush=True)
        told = wait_until(
            f"an alarm says {words}",
            lambda: [text for text in self.alarms().values() if words in text],
            120,
        )
        print(f"  alarm: {told[0]}", flush=True)
        assert self.uplink()["refused"] == 0, self.uplink()

    def expect_recovery(self):
        wait_until("everything is delivered", self.agent.drained, 300)
        assert self.uplink()["refused"] == 0, self.uplink()
        wait_until("the alarms end", lambda: not self.alarms(), 60)

    def kill_and_start(self, service):
        self.ingest.signal(service, signal.SIGKILL)
        self.ingest.up()


def no_such_topic(trial):
    """Flume takes what Kafka will not have: the node learns of it when the channel is full."""
    trial.expect_cause("HTTP 503")
    trial.kafka_extra.write_text("")
    trial.kill_and_start("kafka")
    trial.expect_recovery()
    assert trial.uplink()["batch_limit"] <= 100, trial.uplink()


def full_memory_channel(trial):
    trial.ingest.signal("kafka", signal.SIGSTOP)
    trial.expect_cause("HTTP 503")
    trial.ingest.signal("kafka", signal.SIGCONT)
    trial.expect_recovery()


def answers_of_a_proxy(trial):
    for mood, words in (("400", "HTTP 400"), ("200", "this is not Flume"), ("502", "HTTP 502")):
        trial.front.mood = mood
        trial.expect_cause(words)
        trial.front.mood = "pass"
        trial.expect_recovery()
        assert trial.front.answered > 0


def full_second_channel(trial):
    """Each try that the second channel refuses is in the first one already: repeats in Kafka, and
    nothing worse."""
    time.sleep(12)  # the memory channel is empty
    trial.flume_extra.write_text(IMPATIENT_SINK + SECOND_CHANNEL)
    trial.kill_and_start("flume")
    trial.expect_cause("HTTP 503")
    time.sleep(12)  # what the first channel has of the acknowledged
    trial.flume_extra.write_text(IMPATIENT_SINK + FILE_CHANNEL)
    trial.kill_and_start("flume")
    trial.expect_recovery()


def main():
    need("java", "mvn", "kcat", "curl")
    terminate_on_alarm(1100)
    trials = (no_such_topic, full_memory_channel, answers_of_a_proxy, full_second_channel)
    chosen = [t for t in trials if len(sys.argv) < 2 or t.__name__ in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="berm-flume-") as folder:
        trial = None
        try:
            trial = Trial(pathlib.Path(folder))
            if no_such_topic not in chosen:
                trial.kafka_extra.write_text("")
                trial.kill_and_start("kafka")
            trial.agent.start()
            for one in chosen:
                print(one.__name__.replace("_", " "), flush=True)
                one(trial)
            finish(trial.agent)
            check_clean("Kafka", trial.ingest.settled_records(), lanes=LANES)
        finally:
            if trial is not None:
                if trial.agent.process is not None:
                    trial.agent.process.kill()
                trial.ingest.down()
    print("clean")


main()
