#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The N-th write, sync, open, truncation, rename, removal or send of the real program fails: with
EIO, ENOSPC, EINTR, a reset connection or a short count, once or until the test ends it. The agent
is never ended by a signal; it goes on by itself, or says what is wrong and starts again; and what
arrived in the end audits clean, with every second of every lane told once where it lived through
it. An interrupted call and a short write are no error at all: no alarm, nothing said.

--all: every N of a short run instead of a sample; --count N: as many as that; --seed repeats the
choice; --jobs J at once (they mostly wait)."""

import argparse
import collections
import concurrent.futures
import http.server
import json
import pathlib
import random
import struct
import sys
import tempfile
import threading
import time

from node import Node, alarms_in, fast_folder
from street import BUILD, audit, check_every_second, skip, terminate_on_alarm

CALLS = (
    "write",
    "pwrite",
    "fsync",
    "fdatasync",
    "open",
    "ftruncate",
    "rename",
    "unlink",
    "mkdir",
    "send",
    "answer",
)
# What each call can meet; a sync or a rename on a file system of ours is not interrupted.
FAULTS = {
    "write": ("EIO", "ENOSPC", "EINTR", "SHORT"),
    "pwrite": ("EIO", "ENOSPC", "EINTR", "SHORT"),
    "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO", "ENOSPC"),
    "open": ("EIO", "ENOSPC", "EINTR"),
    "ftruncate": ("EIO", "EINTR"),
    "rename": ("EIO", "ENOSPC"),
    "unlink": ("EIO",),
    "mkdir": ("EIO",),
    "send": ("ECONNRESET", "EINTR", "SHORT"),
    "answer": ("ECONNRESET", "EINTR", "SHORT"),
}
HARMLESS = ("EINTR", "SHORT")
START_S = 60
SAMPLE_S = 3.0
MANY_FAILED = 3  # not only the last write of a life
Trial = collections.namedtuple("Trial", "call at fault lasting")


class Collector:
    """Takes what Flume would take."""

    def __init__(self):
        self.lines = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.lines += [event["body"] for event in json.loads(body)]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # connections are reset on purpose
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Run:
    """One short life with a fault in it, and one after it."""

    def __init__(self, folder, trial):
        self.trial, self.collector = trial, Collector()
        self.node = Node(folder, {"flume": {"uplink": "http", "url": self.collector.url}})
        self.counts = self.node.folder / "counts"
        self.healed = self.node.folder / "healed"
        self.has_ended_itself = self.was_ready = False

    def counted(self):
        if not self.counts.exists() or self.counts.stat().st_size == 0:
            return [0] * (len(CALLS) + 1)
        return struct.unpack(f"<{len(CALLS) + 1}q", self.counts.read_bytes())

    def environment(self):
        words = {
            "LD_PRELOAD": str(BUILD / "lib" / "libfail_call.so"),
            "BERM_FAIL_UNDER": str(self.node.state),
            "BERM_FAIL_CALL": self.trial.call,
            "BERM_FAIL_AT": str(self.trial.at),
            "BERM_FAIL_WITH": self.trial.fault,
            "BERM_FAIL_COUNTS": str(self.counts),
        }
        if self.trial.lasting:
            words["BERM_FAIL_UNTIL"] = str(self.healed)
        return words

    def live(self):
        """Samples through the fault; an agent that ends must say why and not be ended."""
        self.node.configure()
        self.node.start(**self.environment())
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.node.is_alive():
            time.sleep(0.05)
            is_ready = self.node.status() is not None
            if is_ready and not self.was_ready:
                self.was_ready, end = True, time.monotonic() + SAMPLE_S
        self.healed.touch()
        if self.node.is_alive():
            assert self.was_ready or self.trial.call == "answer", "it never answered"
            if self.trial.lasting:
                time.sleep(1.5)  # the first try again
            code = self.node.end()
        else:
            self.has_ended_itself, code = True, self.node.child.returncode
        assert code >= 0, f"ended by signal {-code}:\n{self.node.said()}"
        if self.has_ended_itself:
            assert code == 1 and self.node.said(), f"ended with {code}:\n{self.node.said()}"
            is_fair = self.trial.fault not in HARMLESS and not self.was_ready
            assert is_fair, f"ended by itself while it ran:\n{self.node.said()}"
        else:
            assert code == 0, f"ended with {code}:\n{self.node.said()}"

    def drain(self):
        self.node.configure(drivers={})
        self.node.start()
        self.node.drain(60)
        assert self.node.end() == 0, self.node.said()

    def check(self):
        code, report = audit(self.collector.lines)
        assert code == 0, json.dumps(report)[:1500]
        events = [json.loads(line) for line in self.collector.lines]
        gaps = [e for e in events if e["stream"] == "node.gap"]
        assert not gaps, gaps[:2]
        if not self.has_ended_itself:
            check_every_second(self.collector.lines)
            is_felt = self.trial.lasting and self.counted()[-1] >= MANY_FAILED
            if is_felt and self.trial.call in ("pwrite", "fdatasync"):
                assert alarms_in(events) & {"disk_fault", "disk_full"}, alarms_in(events)
        if self.trial.fault in HARMLESS:
            said = [line for line in self.node.said(100).splitlines() if line.startswith("<3>")]
            assert not alarms_in(events) and not said, (alarms_in(events), said)

    def finish(self):
        self.node.kill()
        self.collector.close()


def attempt(trial):
    """What happened: 'ok', 'not reached', or what is wrong."""
    with tempfile.TemporaryDirectory(prefix="berm-fail-", dir=fast_folder()) as folder:
        run = Run(folder, trial)
        try:
            run.live()
            fired = run.counted()[-1]
            run.drain()
            run.check()
            return trial, "ok" if fired else "not reached", run.has_ended_itself
        except (AssertionError, KeyError, ValueError) as error:
            return trial, f"{type(error).__name__}: {error}", run.has_ended_itself
        finally:
            run.finish()


def count_calls():
    """How many calls of each kind a run without faults makes."""
    with tempfile.TemporaryDirectory(prefix="berm-fail-", dir=fast_folder()) as folder:
        run = Run(folder, Trial("answer", 0, "", False))
        try:
            run.live()
            counts = dict(zip(CALLS, run.counted()))
            run.drain()
            run.check()
            return counts
        finally:
            run.finish()


def all_trials(counts):
    return [
        Trial(call, at, fault, lasting)
        for call, faults in FAULTS.items()
        for at in range(1, counts[call] + 1)
        for fault in faults
        for lasting in ((False,) if fault in HARMLESS else (False, True))
    ]


def sample(trials, count, chance):
    """As many of each call and fault, wherever they are rare."""
    groups = collections.defaultdict(list)
    for trial in trials:
        groups[trial.call, trial.fault, trial.lasting].append(trial)
    for group in groups.values():
        chance.shuffle(group)
    chosen = []
    while len(chosen) < min(count, len(trials)):
        chosen += [group.pop() for group in groups.values() if group]
    return chosen[:count] if count >= len(groups) else chance.sample(chosen, count)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=72)
    words.add_argument("--all", action="store_true")
    words.add_argument("--jobs", type=int, default=8)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    chosen = words.parse_args()
    if not (BUILD / "lib" / "libfail_call.so").exists():
        skip("fail_call is not built")
    counts = count_calls()
    print(f"seed {chosen.seed}; calls of a run: {counts}", flush=True)
    trials = all_trials(counts)
    if not chosen.all:
        trials = sample(trials, chosen.count, random.Random(chosen.seed))
    terminate_on_alarm(300 + len(trials) * 60 // chosen.jobs)
    with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
        outcomes = list(pool.map(attempt, trials))
    bad = [(trial, what) for trial, what, _ in outcomes if what not in ("ok", "not reached")]
    missed = sum(what == "not reached" for _, what, _ in outcomes)
    ended = sum(itself for _, _, itself in outcomes)
    print(
        f"{len(trials)} failing calls, {missed} not reached, {ended} ended the program in order,"
        f" {len(bad)} bad"
    )
    for trial, what in bad[:20]:
        print(trial, what, sep="\n  ")
    sys.exit(1 if bad or missed * 2 > len(trials) else 0)


if __name__ == "__main__":
    main()
