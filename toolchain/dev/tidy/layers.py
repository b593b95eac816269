#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the arrows of the house over the real #include lines: who may include whom, and which
room is the home of which library. The tables below are the rule; anything not written there is
forbidden."""

import re
import sys

import source_tree

# A room may include itself, the rooms named here, and what those may include.
ARROWS = {
    "hal/base": [],
    "hal/include": ["hal/base"],
    "hal/linux": ["hal/include"],
    "hal/sim": ["hal/include"],
    "drivers/api": ["hal/include"],
    "drivers/traffic": ["drivers/api"],
    "drivers/loop_detector": ["drivers/traffic"],
    "drivers/camera_counter": ["drivers/traffic"],
    "drivers/*": ["drivers/api"],
    "firmware/event": ["drivers/api"],
    "firmware/outbox": ["firmware/event"],
    "firmware/codec": ["firmware/event"],
    "firmware/analytics": ["firmware/event"],
    "firmware/uplink": ["firmware/event", "firmware/codec", "firmware/outbox"],
    "firmware/control": ["hal/include", "drivers/api"],  # reads descriptors (decision 3)
    "firmware/shell": ["hal/include"],
    "firmware/web": ["hal/include"],
    "firmware/health": ["hal/include", "drivers/api"],  # the alarm sink is a drivers/api interface
}
EVERY_ROOM = ("firmware/agent",)  # names the concrete classes: may include every room
UNBOUND = ("tests", "bench", "toolchain")  # may include every room and every library

# header prefix -> its homes. Even at home it stands in a .cpp, never in a public header.
LIBRARIES = {
    "cjson/": ["hal/base"],
    "expat.h": ["hal/base"],
    "openssl/": ["hal/base", "hal/linux"],  # libcrypto; libssl
    "zlib.h": ["hal/base", "hal/sim"],
    "curl/": ["hal/linux"],
    "mosquitto.h": ["hal/linux"],
    "gps.h": ["hal/linux"],
    "modbus/": ["hal/linux"],
    "microhttpd.h": ["hal/linux"],
    "sqlite3.h": ["firmware/outbox", "hal/sim"],
    "zstd.h": ["firmware/outbox"],
    "histedit.h": ["firmware/agent"],
    "opencv2/": ["drivers/camera_counter"],
}
PUBLIC_HEADERS = ("hal/include/", "hal/base/", "drivers/", "firmware/")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def room_of(path):
    """The room a file stands in, or None where no arrow speaks of it."""
    if path.startswith("toolchain/dev/driver_template/"):
        return "drivers/pulse_counter"
    parts = path.split("/")
    if parts[0] in ("tests", "bench", "toolchain"):
        return parts[0]
    return "/".join(parts[:2]) if len(parts) > 2 else None


def room_of_include(name, paths):
    if name.startswith("hal/") and "hal/include/" + name in paths:
        return "hal/include"
    return (
        room_of(name)
        if name.split("/")[0] in ("hal", "drivers", "firmware", "tests", "bench")
        else None
    )


def reachable(room):
    """The room and all it may include, following the arrows."""
    seen, waiting = set(), [room]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        star = ARROWS["drivers/*"] if here.startswith("drivers/") else []
        waiting += ARROWS.get(here, star)
    return seen


def library_fault(path, room, name):
    for prefix, homes in LIBRARIES.items():
        if not name.startswith(prefix):
            continue
        if room not in homes:
            return f"<{name}> may be included only in {', '.join(homes)}"
        if path.endswith(".hpp") and path.startswith(PUBLIC_HEADERS):
            return f"<{name}>: no library type in a header under {room}"
    return None


def faults_of(path, text, paths):
    room = room_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match or room is None or room in UNBOUND:
            continue
        name = match.group(1)
        fault = library_fault(path, room, name)
        if fault:
            yield path, number, fault
        target = room_of_include(name, paths)
        if target and room not in EVERY_ROOM and target not in reachable(room):
            yield path, number, f"{room} may not include {target} ({name})"


def main():
    root = source_tree.root_from(sys.argv)
    paths = source_tree.walk(root)
    known = set(paths)
    faults = []
    for path in filter(source_tree.is_cpp, paths):
        faults += faults_of(path, source_tree.read(root, path), known)
    source_tree.report(faults)


if __name__ == "__main__":
    main()
