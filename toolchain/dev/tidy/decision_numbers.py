#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decision records are firmware/design/NNNN-words.md; no number is used twice."""

import os
import re
import sys

import source_tree


def main():
    root = source_tree.root_from(sys.argv)
    seen, faults = {}, []
    for path in source_tree.walk(root):
        if not path.startswith("firmware/design/") or path.endswith("/README.md"):
            continue
        match = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", os.path.basename(path))
        if not match:
            faults.append((path, 1, "a decision record is named NNNN-words.md"))
        elif match.group(1) in seen:
            faults.append((path, 1, f"number {match.group(1)} is taken by {seen[match.group(1)]}"))
        else:
            seen[match.group(1)] = path
    source_tree.report(faults)


if __name__ == "__main__":
    main()
