#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the oracle see anything? Each patch in planted/ breaks one promise in a copy of one source
file. The copy is compiled as its original is and linked before the library that holds it; of the
lives that pass on the sound tree one must then fail, and for the reason the patch names.  --check:
only whether each patch still applies; --all: every life, to count how many see it."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["BERM_SOURCE"])
BUILD = pathlib.Path(os.environ["BERM_BUILD"])
WORK = BUILD / "planted"
MOST, AT_ONCE = 40, 4  # lives of a day, from seed 1 on
LEAST = 5  # patches
MAIN = "tests/scenario/CMakeFiles/simulate.dir/simulate_main.cpp.o"


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def build_command(of):
    """How the build compiles this source file, as words."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        if pathlib.Path(entry["file"]) == of:
            return shlex.split(entry["command"])
    sys.exit(f"the build does not compile {of}")


def link_command():
    done = run(["ninja", "-C", str(BUILD), "-t", "commands", "bin/simulate"])
    return done.stdout.splitlines()[-1]


def live(program, first, last):
    return run([str(program), "--seeds", f"{first}..{last}", "--days", "1"])


def spoil(patch):
    """The name of the source file, where its spoilt copy is, and why there is none."""
    name = re.search(r"^--- a/(.*)$", patch.read_text(), re.MULTILINE).group(1)
    folder = WORK / patch.stem
    folder.mkdir(parents=True, exist_ok=True)
    spoilt = folder / pathlib.Path(name).name
    applied = run(["patch", "-o", str(spoilt), str(SOURCE / name), str(patch)])
    why = "" if applied.returncode == 0 else "it does not apply, make it anew:\n" + applied.stdout
    return name, spoilt, why


def plant(patch):
    """The simulator with this defect, or why there is none."""
    name, spoilt, why = spoil(patch)
    if why:
        return None, why
    compiled, program = spoilt.with_name("spoilt.o"), spoilt.with_name("simulate")
    words = build_command(SOURCE / name)
    words[words.index("-c") + 1] = str(spoilt)
    words[words.index("-o") + 1] = str(compiled)
    done = run(words, cwd=BUILD)
    if done.returncode != 0:
        return None, "it does not compile:\n" + done.stderr[-4000:]
    command = link_command().replace(MAIN, f"{MAIN} {shlex.quote(str(compiled))}", 1)
    done = run(command.replace("-o bin/simulate", f"-o {shlex.quote(str(program))}", 1), cwd=BUILD,
               shell=True)
    return (program, "") if done.returncode == 0 else (None, done.stderr[-4000:])


def verdict_on(patch, program, is_thorough):
    """The last seed it took, and what is wrong with the oracle's judgement; empty: nothing."""
    expected = re.search(r"^expect: (.*)$", patch.read_text(), re.MULTILINE).group(1)
    said = ""
    for first in range(1, MOST + 1, AT_ONCE):
        last = first + AT_ONCE - 1
        said += live(program, first, last).stdout
        if re.search(expected, said) and not is_thorough:
            break
    failed = len(re.findall(r"^seed \d+ failed", said, re.MULTILINE))
    if failed == 0:
        return last, "every life passed with it"
    if not re.search(expected, said):
        return last, f"nothing says '{expected}':\n" + said[:2000]
    print(f"{patch.stem}: seen in {failed} of {last} lives", flush=True)
    return last, ""


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--check", action="store_true")
    words.add_argument("--all", action="store_true")
    chosen = words.parse_args()
    patches = sorted((SOURCE / "tests/scenario/planted").glob("*.patch"))
    wrong = [] if len(patches) >= LEAST else [f"only {len(patches)} patches"]
    if chosen.check:
        wrong += [f"{patch.stem}: {why}" for patch in patches if (why := spoil(patch)[2])]
        sys.exit("\n".join(wrong) or 0)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        programs = list(pool.map(plant, patches))
    longest = AT_ONCE
    for patch, (program, why) in zip(patches, programs):
        if program is not None:
            last, why = verdict_on(patch, program, chosen.all)
            longest = max(longest, last)
        if why:
            wrong.append(f"{patch.stem}: {why}")
    sound = live(BUILD / "bin" / "simulate", 1, longest)
    if sound.returncode != 0:
        wrong.append("the sound tree does not pass:\n" + sound.stdout[:4000])
    else:
        print(f"the sound tree passes all {longest}", flush=True)
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
