#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs as a person types them: exit codes, errors that name the nearest, the same bytes
twice."""

import json
import pathlib
import subprocess
import tempfile

from street import BERM, SOURCE, four_lanes

RECORDING = SOURCE / "boards" / "sim" / "edges.csv.gz"


def berm(*words, text=None):
    done = subprocess.run(
        [BERM, *[str(word) for word in words]],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def document(**changes):
    return {
        "node": "e19-km31",
        "board": "sim",
        "drivers": {"e19": four_lanes(period_s=60)},
        **changes,
    }


def usage_and_exit_codes():
    assert berm()[0] == 2
    assert berm("help")[0] == 0 and "berm replay" in berm("help")[1]
    assert berm("--version")[1].startswith("berm ")
    code, _, said = berm("staus")
    assert code == 2 and "status" in said, said
    code, _, said = berm("run", "--confg", "x")
    assert code == 2 and "--config" in said, said
    code, _, said = berm("status", "-S", "/nonexistent/shell.sock")
    assert code == 1 and "/nonexistent/shell.sock" in said, said


def check_names_path_and_nearest(folder):
    good, bad = folder / "good.json", folder / "bad.json"
    good.write_text("// a comment\n" + json.dumps(document()))
    assert berm("check", good)[0] == 0, berm("check", good)
    wrong = document(
        uplinks={
            "flume": {"uplink": "http", "url": "http://127.0.0.1:9260", "bach_events": 5},
            "ftp": {"uplink": "http", "url": "ftp://x"},
            "ws": {"uplink": "mqtt", "url": "ws://h"},
        },
        streams={"traffic.lane": {"topic": "a b"}},
    )
    wrong["drivers"]["e20"] = four_lanes(period_s=0)
    wrong["drivers"]["e20"]["lanes"]["R10"]["spacing_m"] = "far"
    bad.write_text(json.dumps(wrong))
    code, _, said = berm("check", bad)  # all of them at once
    assert code == 2, said
    for part in (
        "bach_events",
        "batch_events",
        f"{bad}:/uplinks/ftp/url:",
        f"{bad}:/uplinks/ws/url:",
        f"{bad}:/streams/traffic.lane/topic:",
        f"{bad}:/drivers/e20/period_s:",
        f"{bad}:/drivers/e20/lanes/R10/spacing_m: must be a number",
        f"{bad}:/drivers/e20: uid 92301 also belongs",
        f'{bad}:/drivers/e20: signal "0A" also belongs',
    ):
        assert part in said, (part, said)
    bad.write_text(json.dumps(document(node="group")))
    assert berm("check", bad)[0] == 2
    code, text, _ = berm("check", "--schema")
    assert code == 0 and json.loads(text)["properties"]["drivers"]
    assert "traffic.realtime" in berm("check", good, "--topics")[1].split()


def schemas_are_json():
    code, text, _ = berm("schema", "json")
    schemas = [json.loads(line) for line in text.splitlines()]
    assert code == 0 and "traffic.lane" in {schema["title"] for schema in schemas}
    assert berm("schema", "json", "traffic.lan")[0] == 2


def replay_gives_the_same_bytes_and_its_audit_is_clean(folder):
    config = folder / "replay.json"
    config.write_text(json.dumps(document()))
    words = (
        "replay",
        "--config",
        config,
        "--signals",
        RECORDING,
        "--start",
        "2026-11-21T06:00:00Z",
    )
    code, first, said = berm(*words)
    assert code == 0, said
    assert first == berm(*words)[1], "two runs differ"
    events = [json.loads(line) for line in first.splitlines()]
    lanes = [e for e in events if e["stream"] == "traffic.lane"]
    vehicles = [e for e in events if e["stream"] == "traffic.vehicle"]
    assert {e["lane"] for e in lanes} == {"R10", "R11", "R12", "R13"}
    assert all(
        e["coverage"] == 1.0 and e["time"] % 60 == 0 and e["period_s"] == 60 for e in lanes
    ), "whole minutes"
    assert sum(e["count"] for e in lanes) == len(vehicles) > 50, (
        sum(e["count"] for e in lanes),
        len(vehicles),
    )
    assert lanes[0]["time"] == 1795240800, lanes[0]["time"]
    code, _, _ = berm("audit", text=first)
    assert code == 0
    assert berm("audit", text="\n".join(first.splitlines()[1:]) + "\n")[0] == 1
    changed = first + first.splitlines()[0].replace('"v":1', '"v":2') + "\n"
    code, text, _ = berm("audit", "--json", text=changed)
    assert code == 1 and json.loads(text)["clean"] is False


def bad_recordings_are_named_with_their_line(folder):
    config, signals = folder / "c.json", folder / "s.csv"
    config.write_text(json.dumps(document()))
    signals.write_text("time_s,loop,state\n1.0,0A,1\nx,0A,0\n")
    code, _, said = berm("replay", "--config", config, "--signals", signals)
    assert code == 1 and "line 3" in said, (code, said)
    assert berm("replay", "--config", config, "--signals", folder / "none.csv")[0] == 1


def main():
    with tempfile.TemporaryDirectory(prefix="berm-cli-") as folder:
        folder = pathlib.Path(folder)
        usage_and_exit_codes()
        schemas_are_json()
        check_names_path_and_nearest(folder)
        replay_gives_the_same_bytes_and_its_audit_is_clean(folder)
        bad_recordings_are_named_with_their_line(folder)


main()
