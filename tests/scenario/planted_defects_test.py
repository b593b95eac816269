#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Does the oracle see anything? Each patch in planted/ breaks one promise in a copy of one source
# file. The copy is compiled as its original is and linked before the library that holds it; the
# lives that pass on the sound tree must then fail, and for the reason the patch names.
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
LIVES = ["--seeds", "1..40", "--days", "1"]
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


def plant(patch):
    """The simulator with this defect, or why there is none."""
    name = re.search(r"^--- a/(.*)$", patch.read_text(), re.MULTILINE).group(1)
    folder = WORK / patch.stem
    folder.mkdir(parents=True, exist_ok=True)
    spoilt, compiled, program = (folder / pathlib.Path(name).name, folder / "spoilt.o",
                                 folder / "simulate")
    applied = run(["patch", "-o", str(spoilt), str(SOURCE / name), str(patch)])
    if applied.returncode != 0:
        return None, "it does not apply any more, make it anew:\n" + applied.stdout
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


def verdict_on(patch, program):
    """What is wrong with the oracle's judgement of this patch; empty: nothing."""
    expected = re.search(r"^expect: (.*)$", patch.read_text(), re.MULTILINE).group(1)
    done = run([str(program), *LIVES])
    if done.returncode == 0:
        return "every life passed with it"
    if not re.search(expected, done.stdout):
        return f"nothing says '{expected}':\n" + done.stdout[:2000]
    failed = len(re.findall(r"^seed \d+ failed", done.stdout, re.MULTILINE))
    print(f"{patch.stem}: seen in {failed} lives", flush=True)
    return ""


def main():
    sound = run([str(BUILD / "bin" / "simulate"), *LIVES])
    if sound.returncode != 0:
        sys.exit("the sound tree does not pass:\n" + sound.stdout[:4000])
    print("the sound tree passes", flush=True)
    patches = sorted((SOURCE / "tests/scenario/planted").glob("*.patch"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        programs = list(pool.map(plant, patches))
    wrong = False
    for patch, (program, why) in zip(patches, programs):
        what = why if program is None else verdict_on(patch, program)
        if what:
            print(f"{patch.stem}: {what}")
            wrong = True
    if wrong or len(patches) < 5:
        sys.exit(1)


if __name__ == "__main__":
    main()
