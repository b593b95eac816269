#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds what must not stand in the project: sleeping, wall clocks and randomness of one's own,
shell calls, the environment read in passing, notes of unfinished work, and paths of somebody's
machine."""

import re
import sys

import source_tree

_OWN = r"(?<![\w.>~:])(?:std::|::)?"  # a free function, not a member or a longer word
_REAL_TIME_TESTS = ("tests/system/", "tests/contract/", "bench/")
_RANDOM = r"(?:s?rand|drand48)\s*\(|\brandom_device\b"
_CLOCK = r"\b(?:system|steady|high_resolution)_clock::now\b|"

# (what, pattern over code without comments and strings, folders and files where it is right)
CALLS = [
    (
        "sleeping",
        re.compile(_OWN + r"(?:u?sleep|(?:clock_)?nanosleep)\s*\(|\bsleep_(?:for|until)\b"),
        _REAL_TIME_TESTS + ("tests/support/slow_sync.c",),  # stalls every sync on purpose
    ),
    ("a shell call", re.compile(_OWN + r"(?:system|popen)\s*\("), ()),
    # A random test may take a seed from the machine: it prints it.
    ("randomness of one's own", re.compile(_OWN + _RANDOM), ("hal/linux/", "tests/", "bench/")),
    (
        "the wall clock",
        re.compile(_OWN + r"time\s*\(\s*(?:nullptr|NULL|0|&)"),
        ("hal/linux/",) + _REAL_TIME_TESTS,
    ),
    (
        "a clock outside hal",
        re.compile(_CLOCK + _OWN + r"(?:clock_gettime|gettimeofday)\s*\("),
        # The log limits its lines a minute before any Clock exists; the simulator's own program
        # says how many days it lives a minute.
        ("hal/linux/", "hal/base/log.cpp", "tests/scenario/simulate_main.cpp")
        + _REAL_TIME_TESTS,
    ),
    (
        "the environment",
        re.compile(_OWN + r"(?:secure_)?getenv\s*\("),
        # systemd says by NOTIFY_SOCKET where it listens.
        ("firmware/agent/", "hal/linux/service_notify.cpp", "tests/", "bench/"),
    ),
]
# Over the whole text, comments too. Written in pieces, so that this file does not find itself.
WORDS = [
    ("unfinished work", re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")),
    ("a path of one machine", re.compile(r"(?<![\w.$}-])/(?:wo" r"rk|ro" r"ot)/")),
]
TEXT_ENDINGS = (".md", ".json", ".xml", ".txt", ".properties", ".yml", ".yaml")


def call_faults(path, text):
    code = source_tree.without_comments_and_strings(text)
    for what, pattern, homes in CALLS:
        if path.startswith(homes):
            continue
        for match in pattern.finditer(code):
            yield path, code.count("\n", 0, match.start()) + 1, f"{what}: {match.group(0).strip()}"


def word_faults(path, text):
    for what, pattern in WORDS:
        for match in pattern.finditer(text):
            yield path, text.count("\n", 0, match.start()) + 1, f"{what}: {match.group(0)}"


def main():
    root = source_tree.root_from(sys.argv)
    faults = []
    for path in source_tree.walk(root):
        cpp = source_tree.is_cpp(path)
        if not cpp and not path.endswith(TEXT_ENDINGS) and not source_tree.is_script(root, path):
            continue
        text = source_tree.read(root, path)
        faults += word_faults(path, text)
        faults += call_faults(path, text) if cpp else []
    source_tree.report(faults)


if __name__ == "__main__":
    main()
