#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the configuration of the demonstration: configuration.py SIGNALS.csv[.gz] RUN MQTT_PORT
MIV_PORT [FLUME_PORT].

The lanes come from the loops the recording names: `0A` and `0B` are the pair of lane R10; any
other loop is a single-loop lane of its own. Periods are short, so that a minute of watching
shows several.
"""

import csv
import gzip
import json
import os
import re
import sys

PAIR_UID, SINGLE_UID = 92301, 92401
PERIOD_S = 10


def loops_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as file:
        return sorted({row["loop"] for row in csv.DictReader(file)}, key=lambda n: (len(n), n))


def drivers_of(loops):
    pairs, singles = {}, {}
    for loop in loops:
        pair = re.fullmatch(r"(\d+)([AB])", loop)
        if pair and {pair[1] + "A", pair[1] + "B"} <= set(loops):
            pairs[f"R1{pair[1]}"] = {
                "uid": PAIR_UID + int(pair[1]),
                "loops": [pair[1] + "A", pair[1] + "B"],
                "loop_length_m": 2.0,
                "spacing_m": 4.5,
                "direction": "north",
            }
        else:
            name = loop if not loop.isdigit() else "D" + loop
            singles[name] = {"uid": SINGLE_UID + len(singles), "loops": [loop]}
    drivers = {}
    if pairs:
        drivers["e19"] = driver(pairs, vehicles=True)
    if singles:
        drivers["junction"] = driver(singles, vehicles=False)
    return drivers


def driver(lanes, vehicles):
    return {"driver": "loop_detector", "period_s": PERIOD_S, "vehicles": vehicles, "lanes": lanes}


def miv(port):
    site = f"http://127.0.0.1:{port}/miv/"
    return {
        "driver": "miv_feed",
        "data_url": site + "verkeersdata",
        "points_url": site + "configuratie/xml",
    }


def main():
    signals, run, mqtt_port, miv_port, *flume_port = sys.argv[1:]
    uplinks = {
        "broker": {"uplink": "mqtt", "url": f"mqtt://127.0.0.1:{mqtt_port}"},
        "files": {"uplink": "file", "directory": os.path.join(run, "out")},
    }
    if flume_port:
        uplinks["flume"] = {"uplink": "http", "url": f"http://127.0.0.1:{flume_port[0]}"}
    document = {
        "node": "demo",
        "board": "sim",
        "timezone": "Europe/Brussels",
        "site": {"name": "E19 km 31.2", "road": "E19", "km": 31.2, "lat": 51.12, "lon": 4.41},
        "drivers": drivers_of(loops_of(signals)) | {"miv": miv(miv_port)},
        "streams": {"traffic.vehicle": {"durability": "group 2000"}},
        "uplinks": uplinks,
        "simulation": {"signals": signals},
    }
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
