#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Says what a run gave: summary.py STATUS.json RUN. The figures of the agent's own status, and
beside them what really lies with the receivers."""

import glob
import json
import os
import sys


def lines_in(paths):
    total = 0
    for path in paths:
        with open(path, "rb") as file:
            total += sum(1 for line in file if line.startswith(b"{"))
    return total


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        status = json.load(file)
    run = sys.argv[2]
    outbox = status.get("outbox", {})
    print(f"produced   {outbox.get('events', 0)} events since the outbox was made")
    for name, uplink in status.get("uplinks", {}).items():
        if isinstance(uplink, dict):
            delivered, waiting = uplink.get("delivered", 0), uplink.get("waiting", 0)
            print(f"{name:10} delivered {delivered}  waiting {waiting}  {uplink.get('state', '')}")
    received = lines_in([os.path.join(run, "received.jsonl")])
    written = lines_in(glob.glob(os.path.join(run, "out", "**", "*.jsonl*"), recursive=True))
    print("then the agent stopped and sent what it still held:")
    print(f"receivers  mosquitto_sub took {received} lines, the directory holds {written}")


if __name__ == "__main__":
    main()
