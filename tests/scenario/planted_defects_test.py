#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Does the oracle see anything? Each patch in planted/ breaks one promise in a copy of the tree; the
# lives that pass on the sound tree must then fail, and for the reason the patch names. Builds the
# copy once and then what each patch touches; slow, so only with BERM_SLOW.
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["BERM_SOURCE"])
WORK = pathlib.Path(os.environ["BERM_BUILD"]) / "planted"
TREE = WORK / "tree"
BUILD = WORK / "build"
LIVES = ["--seeds", "1..40", "--days", "1"]
COPIED = ["CMakeLists.txt", "firmware", "hal", "drivers", "tests", "toolchain", "boards"]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def copy_tree():
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    for name in COPIED:
        here = SOURCE / name
        if here.is_dir():
            shutil.copytree(here, TREE / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(here, TREE / name)


def build():
    done = run("cmake", "--build", str(BUILD), "--target", "simulate")
    if done.returncode != 0:
        sys.exit("the tree does not build:\n" + done.stdout[-4000:])


def lives():
    return run(str(BUILD / "bin" / "simulate"), *LIVES)


def verdict_on(patch):
    """What is wrong with the oracle's judgement of this patch; empty: nothing."""
    expected = re.search(r"^expect: (.*)$", patch.read_text(), re.MULTILINE).group(1)
    applied = run("patch", "-p1", "--fuzz=2", "-i", str(patch), cwd=TREE)
    if applied.returncode != 0:
        return "it does not apply any more, make it anew:\n" + applied.stdout
    build()
    done = lives()
    run("patch", "-p1", "-R", "--fuzz=2", "-i", str(patch), cwd=TREE)
    if done.returncode == 0:
        return "every life passed with it"
    if not re.search(expected, done.stdout):
        return f"nothing says '{expected}':\n" + done.stdout[:2000]
    failed = len(re.findall(r"^seed \d+ failed", done.stdout, re.MULTILINE))
    print(f"{patch.stem}: seen in {failed} lives", flush=True)
    return ""


def main():
    copy_tree()
    options = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBERM_BENCH=OFF"]
    configured = run("cmake", "-S", str(TREE), "-B", str(BUILD), *options)
    if configured.returncode != 0:
        sys.exit("the copy cannot be configured:\n" + configured.stderr[-2000:])
    build()
    sound = lives()
    if sound.returncode != 0:
        sys.exit("the sound tree does not pass:\n" + sound.stdout[:4000])
    print("the sound tree passes", flush=True)
    patches = sorted((TREE / "tests/scenario/planted").glob("*.patch"))
    wrong = {patch.stem: verdict_on(patch) for patch in patches}
    for name, what in wrong.items():
        if what:
            print(f"{name}: {what}")
    if not patches or any(wrong.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
