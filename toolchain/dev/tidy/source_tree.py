# SPDX-License-Identifier: Apache-2.0
"""The files of the project as the checks of this folder see them.

A check is one small program: `check.py [ROOT]` prints one line `path:line: text` per fault and
exits 1 where there is one. It uses the standard library only and needs no git, so it also runs on
an unpacked archive and on the small trees of its own test.
"""

import os
import re
import sys

SKIPPED_FOLDERS = {".git", ".cache", "__pycache__", "build", "corpus"}
CPP_ENDINGS = (".cpp", ".hpp", ".c", ".h")
SCRIPT_ENDINGS = (".py", ".sh", ".cmake", ".sql")


def root_from(argv):
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.abspath(argv[1] if len(argv) > 1 else os.path.join(here, "..", "..", ".."))


def walk(root):
    """Paths relative to the root, sorted, with forward slashes."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
        found += [
            os.path.relpath(os.path.join(folder, f), root).replace(os.sep, "/") for f in files
        ]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), "rb") as file:
        return file.read().decode("utf-8", "replace")


def is_cpp(path):
    return path.endswith(CPP_ENDINGS)


def is_script(root, path):
    """Whether it is source text that is not C++: by its ending, its name or its first line."""
    if path.endswith(SCRIPT_ENDINGS) or os.path.basename(path) == "CMakeLists.txt":
        return True
    full = os.path.join(root, path)
    if "." in os.path.basename(path)[1:] or not os.path.isfile(full):
        return False
    with open(full, "rb") as file:
        return file.read(2) == b"#!"


_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)


def without_comments_and_strings(text):
    """C++ text of the same shape: every line and column stays where it was."""

    def blank(match):
        token = match.group(0)
        inner = re.sub(r"[^\n]", " ", token)
        return inner if token.startswith("/") else '"' + inner[1:-1] + '"'

    return _TOKENS.sub(blank, text)


def report(faults):
    """Prints the faults [(path, line, text)] and ends the program."""
    for path, line, text in sorted(faults):
        print(f"{path}:{line}: {text}")
    sys.exit(1 if faults else 0)
