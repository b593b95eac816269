# SPDX-License-Identifier: Apache-2.0
"""A small tree with planted faults, and what a check of toolchain/dev/tidy says of it."""

import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("BERM_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


class PlantedTree(unittest.TestCase):
    CHECK = ""

    def faults(self, files):
        """The output lines of the check over a tree of {path: text}."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            check = os.path.join(SOURCE, "toolchain", "dev", "tidy", self.CHECK)
            done = subprocess.run(
                [sys.executable, check, root], capture_output=True, text=True, check=False
            )
        self.assertEqual("", done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(1 if lines else 0, done.returncode, done.stdout)
        return lines

    def assert_fault(self, files, start):
        lines = self.faults(files)
        self.assertTrue(
            any(line.startswith(start) for line in lines), f"{start!r} is not among {lines}"
        )

    def assert_clean(self, files):
        self.assertEqual([], self.faults(files))
