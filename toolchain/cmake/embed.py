#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py OUT.cpp NAMESPACE FILE…: writes each file's text as `extern const char* const
kStem;`."""

import pathlib
import re
import sys

out, namespace, *files = sys.argv[1:]
lines = ["// Generated from the named files; do not edit.", f"namespace {namespace} {{"]
for name in files:
    path = pathlib.Path(name)
    stem = re.sub(r"^\d+_", lambda m: "migration" + m.group(0), path.stem)
    constant = "k" + "".join(
        word[:1].upper() + word[1:] for word in re.split(r"[_\W]+", stem) if word
    )
    text = path.read_text(encoding="utf-8")
    lines += [
        f"extern const char* const {constant};",
        f'const char* const {constant} = R"embedded({text})embedded";',
    ]
lines.append(f"}}  // namespace {namespace}")
pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
pathlib.Path(out).write_text("\n".join(lines) + "\n", encoding="utf-8")
