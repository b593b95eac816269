#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the sizes: function <= 70 lines, file <= 600 lines, line <= 100 columns, at most 3
control blocks inside one another; and that every source says its licence, and every header what
it is."""

import re
import sys

import source_tree
from cpp_blocks import functions

MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 600
MAX_LINE_COLUMNS = 100
MAX_NESTING = 3
MIN_HEADER_LINES = 2  # of comment on top of a header that declares a class; 1 for any other header


def text_faults(path, lines):
    if len(lines) > MAX_FILE_LINES:
        yield path, len(lines), f"file has {len(lines)} lines, more than {MAX_FILE_LINES}"
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE_COLUMNS:
            yield path, number, f"line has {len(line)} columns, more than {MAX_LINE_COLUMNS}"
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
        yield path, 1, "no SPDX-License-Identifier line on top"


def function_faults(path, text):
    for function in functions(text):
        if function.lines > MAX_FUNCTION_LINES:
            yield (
                path,
                function.line,
                f"{function.name} has {function.lines} lines, more than {MAX_FUNCTION_LINES}",
            )
        if function.nesting > MAX_NESTING:
            yield (
                path,
                function.nesting_line,
                f"{function.name} nests {function.nesting} control blocks, more than {MAX_NESTING}",
            )


def header_faults(path, text):
    lines = text.splitlines()[1:]
    comment = 0
    while comment < len(lines) and lines[comment].startswith("//"):
        comment += 1
    code = source_tree.without_comments_and_strings(text)
    has_class = re.search(r"^\s*class\s+\w+[^;]*{", code, re.MULTILINE)
    needed = MIN_HEADER_LINES if has_class and not path.startswith("tests/") else 1
    if comment < needed:
        text = f"header says what it is in {comment} lines of comment, fewer than {needed}"
        yield path, 2, text


def main():
    root = source_tree.root_from(sys.argv)
    faults = []
    for path in source_tree.walk(root):
        cpp = source_tree.is_cpp(path)
        if not cpp and not source_tree.is_script(root, path):
            continue
        text = source_tree.read(root, path)
        faults += text_faults(path, text.splitlines())
        faults += function_faults(path, text) if cpp else []
        faults += header_faults(path, text) if path.endswith(".hpp") else []
    source_tree.report(faults)


if __name__ == "__main__":
    main()
