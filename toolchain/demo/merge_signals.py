#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Merges recordings of edges into one: merge_signals.py OUT.csv.gz IN….

Each IN is a CSV as `berm replay --signals` takes it (time_s,loop,state[,resolution_us]), gzip
by name; loop names must differ between them. The shorter ones are repeated, in whole minutes,
to the length of the longest, and a loop still occupied where a pass ends is released there.
"""

import csv
import gzip
import math
import sys

DEFAULT_RESOLUTION_US = 1000


def opened(path, mode):
    return (gzip.open if path.endswith(".gz") else open)(path, mode + "t", newline="")


def read(path):
    """[(time_s, loop, state, resolution_us)] in order of time, from the first edge on."""
    with opened(path, "r") as file:
        rows = [
            (
                float(r["time_s"]),
                r["loop"],
                int(r["state"]),
                int(r.get("resolution_us") or DEFAULT_RESOLUTION_US),
            )
            for r in csv.DictReader(file)
        ]
    begin = math.floor(min((row[0] for row in rows), default=0))
    # Rows of one stamp stay in the recording's order.
    return sorted(((time - begin, *edge) for time, *edge in rows), key=lambda row: row[0])


def length_of(rows):
    """Up to the end of the minute that holds the last edge."""
    return 60.0 * math.ceil((rows[-1][0] + 0.001) / 60.0) if rows else 60.0


def repeated(rows, length):
    """The edges of one recording up to `length`, pass after pass."""
    own, out, begin = length_of(rows), [], 0.0
    while begin < length:
        occupied = {}
        for time, loop, state, resolution in rows:
            if begin + time >= length:
                break
            occupied[loop] = (state, resolution)
            out.append((begin + time, loop, state, resolution))
        begin = min(begin + own, length)
        out += [(begin - 0.001, loop, 0, r) for loop, (state, r) in occupied.items() if state == 1]
    return out


def main():
    out, *inputs = sys.argv[1:]
    recordings = [read(path) for path in inputs]
    length = max(length_of(rows) for rows in recordings)
    merged = sorted(
        (edge for rows in recordings for edge in repeated(rows, length)), key=lambda edge: edge[0]
    )
    with opened(out, "w") as file:
        file.write("time_s,loop,state,resolution_us\n")
        for time, loop, state, resolution in merged:
            file.write(f"{time:.3f},{loop},{state},{resolution}\n")


if __name__ == "__main__":
    main()
