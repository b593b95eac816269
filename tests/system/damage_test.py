#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random damage to a real state directory: bytes flipped, files cut short, emptied, filled with
garbage, gone, a directory in their place, another's property, read-only; in the database, its log,
the mark that says it was open, the identity, the ballast, the lock, the confirmed document and the
configuration; a database of another version; a state directory that may not be written. The agent
starts each time, samples and commits, salvages what SQLite still reads, says by gap record
and alarm what is lost, and what a receiver has in the end audits clean. Only a newer program's
database, and a directory in which a file is missing that may not be made, are refused: clearly, and
nothing is touched.

What no program can tell from a power cut is judged more mildly: a log that is cut short, or damaged
in its last transaction alone, may take the newest events back with it.  --count N how many, --seed
repeats a run, --jobs J at once, each with a directory of its own."""

import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

from node import Node, alarms_in, fast_folder, is_drained, lines_of, stick
from street import BERM, audit, terminate_on_alarm

DATABASE, LOG = "outbox.db", "outbox.db-wal"
MARK = "outbox.open"
FILES = (DATABASE, LOG, MARK, "outbox.identity", "outbox.ballast", "outbox.lock", "confirmed.json")
KINDS = {  # how often each
    "flip": 8,
    "cut": 4,
    "garbage": 4,
    "empty": 2,
    "gone": 2,
    "directory": 1,
    "newer": 1,
    "older": 1,
    "foreign": 2,  # of another user, who lets nobody else in
    "read-only": 2,
    "sealed": 1,  # the directory
}
CONFIGURATION = "node.json"  # beside the state directory
NOBODY = 65534  # root would be let in everywhere: the agent runs as this
DIRECTORIES = FILES + ("outbox.db-shm",)
FRAME_HEAD, LOG_HEAD = 24, 32
WITHIN_S = 20
PROMISED_S = 5  # on a machine that does nothing else; told, not judged
Damage = collections.namedtuple("Damage", "file kind is_mild")


def last_transaction_at(log):
    """Where the newest committed transaction of a log begins."""
    page = int.from_bytes(log[8:12], "big")
    size, salts, commits = FRAME_HEAD + page, log[16:24], []
    for at in range(LOG_HEAD, len(log) - size + 1, size):
        if log[at + 8 : at + 16] != salts:
            break
        if log[at + 4 : at + 8] != bytes(4):
            commits.append(at + size)
    return commits[-2] if len(commits) > 1 else LOG_HEAD


def flip(path, chance):
    content = bytearray(path.read_bytes())
    places = [chance.randrange(len(content)) for _ in range(chance.choice([1, 1, 4, 64]))]
    is_mild = path.name == LOG and min(places) >= last_transaction_at(bytes(content))
    for place in places:
        content[place] ^= chance.randint(1, 255)
    path.write_bytes(content)
    return is_mild


def set_version(path, version):
    """As another program would have left it: copied back, every page with its checksum."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={version}")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    for at in range(0, len(content), size):
        content[at + size - 8 : at + size] = checksum(content[at : at + size], at)
    path.write_bytes(content)


def checksum(page, at):
    """Of a page of the outbox, as firmware/outbox/page_check.cpp has it."""
    total = (0xB5297A4D9F84D5B5 + at) % (1 << 64)
    for (word,) in struct.iter_unpack("<Q", page[:-8]):
        total = (total << 29 | total >> 35) % (1 << 64)
        total = (total ^ word) * 0x9E3779B97F4A7C15 % (1 << 64)
    return struct.pack("<Q", total ^ total >> 32)


def as_whom():
    """The user as whom the agent runs, so that the kernel may keep it from a file; None: ours."""
    if os.geteuid() != 0:
        return None
    tried = subprocess.run([BERM, "--version"], user=NOBODY, group=NOBODY, capture_output=True)
    assert tried.returncode == 0, "the program must be where every user may run it"
    return NOBODY


def close_off(path, kind):
    """Nobody who is not root may read it, or write it. Root's from now on, where we are root."""
    path.chmod({"foreign": 0, "read-only": 0o444, "sealed": 0o555}[kind])
    if os.geteuid() == 0:
        os.chown(path, 0, 0)


def damage(node, chance):
    """Damages one file of the directory, or its configuration; says which and how."""
    state = node.state
    kind = chance.choices(list(KINDS), KINDS.values())[0]
    if kind in ("newer", "older"):
        set_version(state / DATABASE, 99 if kind == "newer" else 0)
        return Damage(DATABASE, kind, False)
    if kind == "sealed":
        close_off(state, kind)
        return Damage(".", kind, False)
    there = [name for name in FILES if (state / name).exists()]
    heavy = [name for name in (DATABASE, LOG) if name in there]
    # A flipped byte may make another configuration, as sound as this one.
    there += [CONFIGURATION] if kind != "flip" else []
    name = chance.choice(DIRECTORIES if kind == "directory" else there + heavy + heavy)
    path = node.config if name == CONFIGURATION else state / name
    content = path.read_bytes() if path.exists() else b""
    is_mild = spoil(path, kind, content, chance)
    return Damage(name, kind, is_mild)


def spoil(path, kind, content, chance):
    """Whether the damage may look like a power cut."""
    is_mild = False
    if kind == "flip" and content:
        is_mild = flip(path, chance)
    elif kind == "cut":
        path.write_bytes(content[: chance.randrange(len(content) + 1)])
        is_mild = path.name == LOG and path.stat().st_size >= LOG_HEAD
    elif kind == "garbage":
        path.write_bytes(chance.randbytes(chance.choice([1, 100, max(len(content), 1), 50000])))
    elif kind in ("gone", "directory"):
        path.unlink(missing_ok=True)
        if kind == "directory":
            path.mkdir()
    elif kind in ("foreign", "read-only"):
        close_off(path, kind)
    else:
        path.write_bytes(b"")
    return is_mild


def committed_in(state, scratch):
    """{(epoch, stream): last sequence}."""
    for name in (DATABASE, LOG):
        if (state / name).exists():
            shutil.copy2(state / name, scratch)
    connection = sqlite3.connect(scratch / DATABASE)
    rows = connection.execute(
        f"SELECT epoch.epoch, stream, max(place & {(1 << 40) - 1}) FROM segment"
        " JOIN series ON series.id = place >> 40 JOIN epoch ON epoch.id = series.epoch"
        " GROUP BY series.id"
    ).fetchall()
    connection.close()
    assert rows
    return {(epoch, stream): last for epoch, stream, last in rows}


class Original:
    """A directory that has lived: some delivered, some not, closed in order or killed."""

    def __init__(self, folder, is_killed):
        self.node = Node(folder, {})
        self.node.user = as_whom()
        self.away = folder / "away"
        self.stick = self.away / "stick"  # there only once `away` is
        self.node.uplinks = stick(self.stick)
        self.copy = folder / "copy"
        self.live(is_killed)

    def hand_over(self, *paths):
        if self.node.user is not None:
            for path in paths:
                os.chown(path, self.node.user, self.node.user)

    def live(self, is_killed):
        self.away.mkdir()
        self.hand_over(self.node.folder, self.node.state, self.away)
        self.node.configure()
        self.node.start()
        try:
            self.node.wait("something arrived", lambda _: len(lines_of(self.stick)) > 12)
            self.node.end()
            self.away.rename(self.node.folder / "received")
            self.node.start()
            self.node.wait("something waits", lambda s: s["uplinks"]["stick"]["waiting"] > 16)
            if not is_killed:
                assert self.node.end() == 0
        finally:
            self.node.kill()
        self.received = lines_of(self.node.folder / "received")
        shutil.copytree(self.node.state, self.copy)
        self.committed = committed_in(self.copy, self.node.folder)

    def restore(self):
        """Into the same directory: its inode is part of the identity."""
        self.node.state.chmod(0o750)
        self.hand_over(self.node.state)
        for old in self.node.state.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        for path in self.copy.iterdir():
            self.hand_over(shutil.copy2(path, self.node.state))
        shutil.rmtree(self.away, ignore_errors=True)
        self.away.mkdir()
        self.hand_over(self.away)
        if self.node.config.is_dir():
            self.node.config.rmdir()
        self.node.config.unlink(missing_ok=True)
        self.node.configure()
        self.node.log.write_text("")


def is_salvaged(status):
    return status["outbox"]["salvaged_percent"] == 100


def contents(state):
    return {p.name: p.read_bytes() for p in state.iterdir() if p.is_file()}


REFUSED = {"newer": ("newer program", DATABASE), "sealed": ("readonly database", "state")}


def is_refused(original, kind):
    """Another version's database, a directory without leave: said clearly, and left alone. A
    directory that has all its files already needs no leave."""
    if kind not in REFUSED or (kind == "sealed" and (original.node.state / LOG).exists()):
        return False
    before = contents(original.node.state)
    original.node.start()
    code = original.node.child.wait(timeout=30)
    said = original.node.said()
    assert code == 1 and all(word in said.lower() for word in REFUSED[kind]), (code, said)
    after = contents(original.node.state)
    for name in (DATABASE, LOG, "outbox.identity", "outbox.ballast"):
        assert before.get(name) == after.get(name), f"{name} was touched"
    return True


def check_goes_on(original, harmed):
    node = original.node
    before = set(original.received)

    def samples(_):
        fresh = [json.loads(line) for line in lines_of(original.stick) if line not in before]
        times = [e["time"] for e in fresh if e["stream"] == "traffic.lane" and e["coverage"] > 0]
        return any(time >= began for time in times)

    begun = time.monotonic()
    began = int(time.time())
    node.start()
    node.wait("new periods are sampled, committed and delivered", samples, WITHIN_S)
    took_s = time.monotonic() - begun
    node.wait("what can be read is salvaged", is_salvaged, WITHIN_S)
    node.wait("everything is delivered", is_drained, WITHIN_S)
    assert node.end() == 0, node.said()
    fresh = lines_of(original.stick)
    code, report = audit(original.received + fresh)
    if not harmed.is_mild:
        assert code == 0, json.dumps(
            [s for s in report["streams"] if s["missing"] or s["differing"]] or report
        )[:1500]
    check_said(original, [json.loads(line) for line in fresh], harmed)
    if not harmed.is_mild:
        check_told(original, fresh)
    return code == 0, took_s


def numbers_told(events):
    """{(epoch, stream): [(first, last)]} of what arrived or is in a gap record; an open end is
    a large number."""
    told = collections.defaultdict(list)
    for event in events:
        told[event["epoch"], event["stream"]].append((event["seq"], event["seq"]))
        if event["stream"] == "node.gap":
            for part in event["ranges"].split():
                first, last = part.split("-")
                ends = (int(first), int(last or 1 << 40))
                told[event["of_epoch"], event["of"]].append(ends)
    return told


def check_told(original, fresh):
    """All that was committed before the damage arrived, or a gap record says that it is lost."""
    told = numbers_told([json.loads(line) for line in original.received + fresh])
    for series, last in original.committed.items():
        reached = 0
        for first, end in sorted(told[series]):
            if first <= reached + 1:
                reached = max(reached, end)
        assert reached >= last, f"{series} was committed up to {last}, told is {reached}"


def check_said(original, events, harmed):
    """What is lost has an alarm and a gap record, and nothing else claims a loss."""
    lost = [e for e in events if e["stream"] == "node.gap" and e["cause"] == "damaged"]
    is_new = any(e["stream"] == "node.epoch" and e["reason"] == "damaged" for e in events)
    if harmed.file == CONFIGURATION and harmed.kind not in ("cut", "read-only"):
        assert "configuration_invalid" in alarms_in(events), "it runs on another without a word"
    if lost or is_new:
        assert "outbox_damaged" in alarms_in(events), "no alarm says what was lost"
        assert harmed.file in (DATABASE, LOG), f"{harmed}: {lost[:2]}"


def try_damages(seed, count):
    """[(damage, what is wrong)], how often each was tried, and how long each start took."""
    chance = random.Random(seed)
    bad, tried, took = [], collections.Counter(), []
    with tempfile.TemporaryDirectory(prefix="berm-harm-", dir=fast_folder()) as folder:
        folder = pathlib.Path(folder).resolve()
        folder.chmod(0o755)
        originals = []
        for is_killed in (True, False):
            home = folder / ("killed" if is_killed else "closed")
            home.mkdir()
            originals.append(Original(home, is_killed))
        for number in range(count):
            original = chance.choice(originals)
            original.restore()
            harmed = damage(original.node, chance)
            tried[harmed.kind, harmed.file] += 1
            try:
                if not is_refused(original, harmed.kind):
                    is_clean, took_s = check_goes_on(original, harmed)
                    took.append(took_s)
                    tried["not told from a power cut", LOG] += not is_clean
            except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as error:
                bad.append((seed, number, original.node.folder.name, harmed, str(error)))
            finally:
                original.node.kill()
    return bad, tried, took


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=40)
    words.add_argument("--jobs", type=int, default=4)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    chosen = words.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    share = -(-chosen.count // chosen.jobs)
    terminate_on_alarm(240 + 10 * share)
    with multiprocessing.Pool(chosen.jobs) as pool:
        found = pool.starmap(try_damages, [(chosen.seed + j, share) for j in range(chosen.jobs)])
    bad = [one for each, _, _ in found for one in each]
    tried = sum((each for _, each, _ in found), collections.Counter())
    took = sorted(one for _, _, each in found for one in each)
    for (kind, file), count in sorted(tried.items()):
        print(f"  {count:4} {kind} {file}")
    count = sum(count for (kind, _), count in tried.items() if kind in KINDS)
    # The periods are a second long: one of them has to pass, and be read by us.
    late = sum(one > PROMISED_S for one in took)
    if took:
        median, last = took[len(took) // 2], took[-1]
        print(f"  start to a new period delivered: median {median:.1f} s, longest {last:.1f} s")
        print(f"  {late} of {len(took)} took more than {PROMISED_S} s")
    print(f"{count} damages, {len(bad)} bad")
    for one in bad[:20]:
        print(*one, sep="\n  ")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
