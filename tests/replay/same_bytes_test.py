#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same input gives the same bytes: same_bytes_test.py WORD… PROGRAM.

Replays every recording there is (the one the project ships, and those beside it) with the
program, which a cross build runs under an emulator, and with the reference program in
$BERM_REFERENCE, which was built for this machine; without one, twice with the same program. Lane
periods and vehicles must be equal byte for byte, and so must the schemas, which are made from the
same tables.
"""

import csv
import gzip
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["BERM_SOURCE"])
DATA = pathlib.Path(os.environ.get("BERM_DATA", SOURCE.parent / "shared" / "data"))
EXAMPLE = SOURCE / "boards" / "sim" / "berm.json"
PERIODS_S = (60, 7)

sys.path.insert(0, str(SOURCE / "toolchain" / "demo"))
from configuration import drivers_of, loops_of  # noqa: E402


def wobbled(recording, out):
    """The same edges, each up to 997 microseconds late: numbers that end nowhere."""
    with gzip.open(recording, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    late = [
        (float(row["time_s"]) + 1e-6 * (number * 7919 % 998), row["loop"], row["state"])
        for number, row in enumerate(rows)
    ]
    with open(out, "w", encoding="utf-8", newline="") as file:
        file.write("time_s,loop,state,resolution_us\n")
        file.writelines(f"{time:.6f},{loop},{state},1\n" for time, loop, state in sorted(late))
    return out


def recordings(folder):
    """The recordings of this machine; those that are absent are named."""
    shipped = SOURCE / "boards" / "sim" / "edges.csv.gz"
    paths = [shipped, wobbled(shipped, folder / "wobbled.csv")]
    wanted = [DATA / "sumo" / name / "edges.csv.gz" for name in ("out42", "out42jam")]
    log = DATA / "atspm" / "detector_events.csv.gz"
    for path in (*wanted, log):
        if not path.exists():
            print(f"not compared: {path} is absent")
    if log.exists():
        junction = folder / "junction.csv"
        subprocess.run([SOURCE / "toolchain/dev/atspm_to_signals", log, junction], check=True)
        paths.append(junction)
    return paths + [path for path in wanted if path.exists()]


def configuration(signals, period_s):
    drivers = drivers_of(loops_of(str(signals)))
    for driver in drivers.values():
        driver |= {"period_s": period_s, "vehicles": True}
    return {"node": "replayed", "board": "sim", "drivers": drivers}


def output_of(command, *words):
    run = subprocess.run([*command, *words], capture_output=True, check=False)
    assert run.returncode == 0, f"{command} {words}: {run.returncode}\n{run.stderr.decode()}"
    assert run.stdout, f"{command} {words} says nothing"
    return run.stdout


def first_difference(ours, theirs):
    for number, (one, other) in enumerate(zip(ours.splitlines(), theirs.splitlines()), 1):
        if one != other:
            return f"line {number}\n  {one.decode()}\n  {other.decode()}"
    return f"{len(ours)} and {len(theirs)} bytes"


def title(signals):
    return signals.name if signals.suffix == ".csv" else f"{signals.parent.name}/{signals.name}"


def must_be_equal(what, program, reference, *words):
    ours, theirs = output_of(program, *words), output_of(reference, *words)
    assert ours == theirs, f"{what} differs: {first_difference(ours, theirs)}"
    digest = hashlib.sha256(ours).hexdigest()[:12]
    print(f"{what}: {ours.count(bytes([10]))} lines, sha256 {digest}…")


def main():
    program = sys.argv[1:]
    reference = [os.environ.get("BERM_REFERENCE", "")]
    if not reference[0]:
        reference = program
        if len(program) > 1:
            print("no reference program: toolchain/cross gives it in BERM_REFERENCE")
            sys.exit(77)
    must_be_equal("schema json", program, reference, "schema", "json")
    must_be_equal("check --schema", program, reference, "check", EXAMPLE, "--schema")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for signals in recordings(folder):
            for period_s in PERIODS_S:
                config = folder / "berm.json"
                config.write_text(json.dumps(configuration(signals, period_s)))
                words = ("replay", "--config", config, "--signals", signals)
                begin = ("--start", "2026-11-21T06:00:00Z")
                what = f"{title(signals)}, periods of {period_s} s"
                must_be_equal(what, program, reference, *words, *begin)


if __name__ == "__main__":
    main()
