#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts at every step of the real program. disk_recorder.so writes down what three lives of
an unmodified `berm run` (a first start, a restart after kill -9 under another node name, one that
ends in order) do to the state directory. From that story crash states are built: stop after
operation N; what was synced is there; of the rest a random subset of 512-byte sectors and
truncations; creations, renames and removals are there once their directory (or, for a creation,
the new file) was synced, of the later ones a random part in order. Each state is put back into the
very same directory (its inode is part of the identity), opened by a fresh agent without drivers,
drained and ended. What the stick had before the cut (the stick is the receiver: it keeps what was
written) and what came after must audit clean, and contain every event that was committed when its
log was last synced; nothing may count as damaged.

The positive control takes the same story as if no log had ever been synced, and must find losses.
--states N how many, --seed repeats a run, --jobs J at once, each with a recording of its own,
--life S seconds of each recorded life, --control: the control alone."""

import argparse
import collections
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import sys
import tempfile
import time

from node import Node, alarms_in, fast_folder, lines_of, stick
from street import BUILD, audit, skip, terminate_on_alarm

SECTOR = 512
SEQUENCE_BITS = 40
CONTROL_STATES = 40
Record = collections.namedtuple("Record", "kind fd number name data")


def read_log(path):
    bytes_ = path.read_bytes()
    head = struct.Struct("<ciqII")
    at, records = 0, []
    while at < len(bytes_):
        kind, fd, number, name_size, data_size = head.unpack_from(bytes_, at)
        at += head.size
        name = bytes_[at : at + name_size].decode()
        at += name_size
        data = bytes_[at : at + data_size]
        at += data_size
        records.append(Record(kind.decode(), fd, number, name, data))
    return records


class Inode:
    """What a file holds: on the platter, as the program sees it, and the calls in between."""

    def __init__(self):
        self.durable, self.seen, self.pending = bytearray(), bytearray(), []

    def change(self, kind, number, data=b""):
        change(self.seen, kind, number, data)
        self.pending.append((kind, number, data))

    def sync(self):
        self.durable = bytearray(self.seen)
        self.pending = []

    def after_cut(self, chance, keep):
        left = bytearray(self.durable)
        for kind, number, data in self.pending:
            if kind == "T":
                if chance.random() < keep:
                    change(left, kind, number)
                continue
            at = 0
            while at < len(data):
                size = min(SECTOR - (number + at) % SECTOR, len(data) - at)
                if chance.random() < keep:
                    change(left, kind, number + at, data[at : at + size])
                at += size
        return bytes(left)


def change(content, kind, number, data=b""):
    if kind == "T":
        del content[number:]
    if len(content) < number:
        content.extend(bytes(number - len(content)))
    content[number : number + len(data)] = data


class Disk:
    """The state directory, from the story of what was done to it."""

    def __init__(self, directory, is_control):
        self.directory, self.is_control = str(directory), is_control
        self.names, self.durable_names = {}, {}
        self.pending_names, self.open = [], {}

    def apply(self, record):
        if record.kind == "S":
            self.open = {}
        elif record.kind == "O":
            self.opened(record)
        elif record.kind == "C":
            self.open.pop(record.fd, None)
        elif record.kind in "WT":
            inode = self.open.get(record.fd)
            if isinstance(inode, Inode):
                inode.change(record.kind, record.number, record.data)
        elif record.kind == "F":
            self.sync(record.fd)
        elif record.kind == "R":
            self.rename(record.name, record.data.decode())
        elif record.kind == "U" and record.name in self.names:
            del self.names[record.name]
            self.pending_names.append(("remove", record.name, None))

    def opened(self, record):
        if record.name == self.directory:
            self.open[record.fd] = self.directory
            return
        if not record.name.startswith(self.directory + "/"):
            return
        if record.name not in self.names:
            self.names[record.name] = Inode()
            self.pending_names.append(("create", record.name, self.names[record.name]))
        self.open[record.fd] = self.names[record.name]
        if record.number & os.O_TRUNC:
            self.names[record.name].change("T", 0)

    def rename(self, old, new):
        if old in self.names:
            self.names[new] = self.names.pop(old)
            self.pending_names.append(("rename", old, new))

    def sync(self, fd):
        target = self.open.get(fd)
        if target == self.directory:
            for operation in self.pending_names:
                self.settle(self.durable_names, operation)
            self.pending_names = []
        elif isinstance(target, Inode):
            if self.is_control and self.names.get(self.log_path()) is target:
                return
            target.sync()
            self.settle_creation(target)

    def settle_creation(self, inode):
        """The file's name lasts, and so what was done to that name before."""
        created = next((o for o in self.pending_names if o[2] is inode), None)
        if created is None:
            return
        before = self.pending_names[: self.pending_names.index(created) + 1]
        for operation in [o for o in before if created[1] in o[1:]]:
            self.settle(self.durable_names, operation)
            self.pending_names.remove(operation)

    def log_path(self):
        return self.directory + "/outbox.db-wal"

    def is_log(self, fd):
        return self.open.get(fd) is not None and self.open[fd] is self.names.get(self.log_path())

    @staticmethod
    def settle(names, operation):
        kind, name, more = operation
        if kind == "create":
            names[name] = more
        elif kind == "rename" and name in names:
            names[more] = names.pop(name)
        elif kind == "remove":
            names.pop(name, None)

    def after_cut(self, chance):
        keep = chance.choice([0.0, 1.0, 0.5, chance.random()])
        names = dict(self.durable_names)
        for operation in self.pending_names[: chance.randint(0, len(self.pending_names))]:
            self.settle(names, operation)
        return {name: inode.after_cut(chance, keep) for name, inode in names.items()}

    def as_seen(self):
        return {name: bytes(inode.seen) for name, inode in self.names.items()}


def committed_in(files, scratch):
    """{(epoch, stream): last sequence} in a database and its log, read without the program."""
    for name in ("outbox.db", "outbox.db-wal", "outbox.db-shm"):
        (scratch / name).unlink(missing_ok=True)
    for path, content in files.items():
        if pathlib.Path(path).name in ("outbox.db", "outbox.db-wal"):
            (scratch / pathlib.Path(path).name).write_bytes(content)
    if not (scratch / "outbox.db").exists():
        return {}
    connection = sqlite3.connect(scratch / "outbox.db")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            return {}
        rows = connection.execute(
            "SELECT e.epoch, s.stream, s.next_seq, (SELECT max(place) FROM segment"
            " WHERE place BETWEEN s.id << 40 AND (s.id << 40) + (1 << 40) - 1)"
            " FROM series s JOIN epoch e ON e.id = s.epoch"
        ).fetchall()
    finally:
        connection.close()
    mask = (1 << SEQUENCE_BITS) - 1
    return {(e, s): max(n - 1, (place or 0) & mask) for e, s, n, place in rows}


def record_lives(folder, chance, life_s):
    """Three lives under the recorder; returns the node and the story."""
    log = folder / "story"
    node = Node(folder, stick(folder / "stick"))
    environment = {
        "LD_PRELOAD": str(BUILD / "lib" / "libdisk_recorder.so"),
        "BERM_RECORD_LOG": str(log),
        "BERM_RECORD_UNDER": str(folder),
    }
    try:
        for life, name in enumerate(("first", "second", "second")):
            node.name = name
            node.configure()
            node.start(**environment)
            node.wait("the agent answers", lambda status: True)
            time.sleep(life_s + chance.random())
            if life == 1:
                node.kill()
            else:
                assert node.end() == 0, node.said()
    finally:
        node.kill()
    return node, read_log(log)


class Receiver:
    """What the stick had at each moment of the story."""

    def __init__(self, directory):
        self.directory = str(directory) + "/"
        self.open, self.files = set(), {}

    def apply(self, record):
        if record.kind == "S":
            self.open = {}
        elif record.kind == "O" and record.name.startswith(self.directory):
            self.open[record.fd] = record.name
        elif record.kind == "C":
            self.open.pop(record.fd, None)
        elif record.kind == "W" and record.fd in self.open:
            self.files.setdefault(self.open[record.fd], bytearray()).extend(record.data)

    def lines(self):
        return [
            line
            for name in sorted(self.files)
            for line in bytes(self.files[name]).decode().split("\n")[:-1]
        ]


class Ranges:
    """What gap records say of one stream."""

    def __init__(self):
        self.ranges = []

    def add(self, text):
        for word in text.split():
            first, _, last = word.partition("-")
            self.ranges.append((int(first), int(last) if last else 1 << 62))

    def contains(self, seq):
        return any(first <= seq <= last for first, last in self.ranges)


def faults_in(lines, committed):
    """What is wrong with everything a receiver had, before and after the cut."""
    code, report = audit(lines)
    faults = [] if code == 0 else [f"audit: {json.dumps(report)[:1500]}"]
    events = [json.loads(line) for line in lines]
    received, explained = collections.defaultdict(set), collections.defaultdict(Ranges)
    reasons = []
    for event in events:
        epoch = event["id"].split("/")[1]
        received[epoch, event["stream"]].add(event["seq"])
        if event["stream"] == "node.gap":
            explained[event["of_epoch"], event["of"]].add(event["ranges"])
            if event["cause"] == "damaged":
                faults.append(f"counts as damaged: {event}")
        if event["stream"] == "node.epoch":
            reasons.append((epoch, event["reason"]))
    bad = [r for r in set(reasons) if r[1] not in ("created", "node renamed")]
    created = {epoch for epoch, reason in reasons if reason == "created"}
    if bad or len(created) > 1:
        faults.append(f"epochs: {sorted(set(reasons))}")
    for (epoch, stream), last in committed.items():
        lost = [
            seq
            for seq in range(1, last + 1)
            if seq not in received[epoch, stream] and not explained[epoch, stream].contains(seq)
        ]
        if lost:
            faults.append(f"committed and lost: {epoch}/{stream} {lost[0]}-{lost[-1]} of {last}")
    if "outbox_damaged" in alarms_in(events):
        faults.append("alarm outbox_damaged")
    return faults


def faults_of_documents(files):
    """Files that are replaced whole are old or new, never half."""
    faults = []
    for path, content in files.items():
        name = pathlib.Path(path).name
        if name == "outbox.identity":
            try:
                json.loads(content)
            except ValueError:
                faults.append(f"outbox.identity is torn: {content[:80]}")
        if name == "confirmed.json":
            head, _, text = content.partition(b"\n")
            if head.split()[-1:] != [hashlib.sha256(text).hexdigest().encode()]:
                faults.append(f"confirmed.json is torn: {content[:80]}")
    return faults


def put(files, directory):
    for old in directory.iterdir():
        old.unlink()
    for path, content in files.items():
        pathlib.Path(path).write_bytes(content)


def after_restart(node, files, name):
    """The agent on that crash state: what it delivers, or why it did not go well."""
    put(files, node.state)
    after = node.folder / "after"
    shutil.rmtree(after, ignore_errors=True)
    node.name, node.uplinks = name, stick(after)
    node.configure(drivers={})
    node.log.write_text("")
    node.start()
    try:
        node.drain(60)
        code = node.end()
        return lines_of(after), [] if code == 0 else [f"ended with {code}: {node.said()}"]
    except AssertionError as error:
        return lines_of(after), [str(error)]
    finally:
        node.kill()


def replay(node, story, states, chance, is_control):
    """Builds and tries `states` crash states; returns [(operation, faults)] of the bad ones."""
    first = next(i for i, r in enumerate(story) if r.kind == "O" and "/state/" in r.name)
    cuts = collections.Counter(chance.randint(first, len(story) - 1) for _ in range(states))
    disk, receiver = Disk(node.state, is_control), Receiver(node.folder / "stick")
    scratch = node.folder / "scratch"
    scratch.mkdir(exist_ok=True)
    committed, bad, life = {}, [], 0
    for at, record in enumerate(story):
        if record.kind == "S":
            life += 1
        disk.apply(record)
        receiver.apply(record)
        if record.kind == "F" and disk.is_log(record.fd):
            committed = committed_in(disk.as_seen(), scratch)
        for _ in range(cuts[at]):
            files = disk.after_cut(chance)
            lines, faults = after_restart(node, files, "first" if life == 1 else "second")
            faults += faults_of_documents(files) + faults_in(receiver.lines() + lines, committed)
            if faults:
                bad.append((at, faults))
    return bad


def tried(what, node, story, states, chance, is_control):
    began = time.monotonic()
    bad = replay(node, story, states, chance, is_control)
    spent = (time.monotonic() - began) / max(states, 1)
    print(f"{what}: {states} states, {len(bad)} bad, {spent * 1000:.0f} ms each", flush=True)
    return bad


def one_job(seed, chosen):
    """(what was found, what the control found)."""
    chance = random.Random(seed)
    states = chosen.states // chosen.jobs
    with tempfile.TemporaryDirectory(prefix="berm-cut-", dir=fast_folder()) as folder:
        node, story = record_lives(pathlib.Path(folder).resolve(), chance, chosen.life)
        kinds = collections.Counter(record.kind for record in story)
        print(f"seed {seed}: {len(story)} operations {dict(kinds)}", flush=True)
        bad = []
        if not chosen.control:
            bad = tried(f"seed {seed}", node, story, states, chance, False)
        control_states = states if chosen.control else min(states, CONTROL_STATES)
        found = tried(f"seed {seed}, control", node, story, control_states, chance, True)
    return bad, found


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--states", type=int, default=150)
    words.add_argument("--jobs", type=int, default=1)
    words.add_argument("--life", type=float, default=6)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    words.add_argument("--control", action="store_true")
    chosen = words.parse_args()
    if not (BUILD / "lib" / "libdisk_recorder.so").exists():
        skip("disk_recorder is not built")
    terminate_on_alarm(int(240 + 4 * chosen.life + 2 * chosen.states))
    work = [(chosen.seed + job, chosen) for job in range(chosen.jobs)]
    with multiprocessing.Pool(chosen.jobs) as pool:
        found = pool.starmap(one_job, work, 1)
    bad = [one for each, _ in found for one in each]
    for at, faults in bad[:10]:
        print(f"after operation {at}:", *faults, sep="\n  ")
    control = [fault for _, each in found for _, faults in each for fault in faults]
    lost = sum("lost" in fault for fault in control)
    print(f"control: {lost} losses found")
    sys.exit(1 if bad or lost == 0 else 0)


if __name__ == "__main__":
    main()
