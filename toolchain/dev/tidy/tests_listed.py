#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A test that ctest does not list does not exist: every *_test.cpp and fuzz_*.cpp under tests/ is
named in a CMakeLists.txt of its folder or of one above it."""

import os
import re
import sys

import source_tree


def listed_by(root, path):
    """Whether a CMakeLists.txt from the file's folder up to tests/ names it."""
    folder = os.path.dirname(path)
    while folder:
        list_file = os.path.join(root, folder, "CMakeLists.txt")
        if os.path.isfile(list_file):
            text = re.sub(r"#[^\n]*", "", source_tree.read(root, folder + "/CMakeLists.txt"))
            names = set(re.split(r"[\s()\"]+", text))
            if os.path.relpath(path, folder).replace(os.sep, "/") in names:
                return True
        folder = os.path.dirname(folder)
    return False


def main():
    root = source_tree.root_from(sys.argv)
    tests = [
        path
        for path in source_tree.walk(root)
        if path.startswith("tests/") and re.search(r"(?:_test|/fuzz_\w+)\.cpp$", path)
    ]
    source_tree.report(
        [
            (path, 1, "no CMakeLists.txt names this test")
            for path in tests
            if not listed_by(root, path)
        ]
    )


if __name__ == "__main__":
    main()
