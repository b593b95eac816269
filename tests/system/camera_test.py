#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real berm-camera over films: the shape of what it says, what it says of bad input, that it
leaves no picture and no process behind, and, where the hand-counted films are, how well it counts
and at what cost."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ["BERM_SOURCE"])
CAMERA = pathlib.Path(os.environ["BERM_BUILD"]) / "bin" / "berm-camera"
DATA = pathlib.Path(os.environ.get("BERM_DATA", SOURCE / ".." / "shared" / "data")) / "video"
FRAMES = 200


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=120, check=False)


def make_film(path):
    """A grained road of 320 x 180; a box of 40 x 30 goes down it every 50 pictures, 4 pixels a
    picture, in the left half."""
    row = bytes(100 + (x * 37 + x * x * 11) % 9 for x in range(320))
    with open(path, "wb") as film:
        film.write(b"YUV4MPEG2 W320 H180 F25:1 Ip A1:1 C420jpeg\n")
        for frame in range(FRAMES):
            picture = [bytearray(row) for _ in range(180)]
            top = 4 * (frame % 50) - 15
            for y in range(max(0, top), min(180, top + 30)):
                picture[y][60:100] = bytes([220 if (y - top) % 12 < 8 else 40]) * 40
            film.write(b"FRAME\n" + b"".join(picture) + bytes([128]) * (160 * 90 * 2))


def configuration(path, line, **more):
    lane = {"uid": 1, "line": line, "direction": "down", **more}
    camera = {"driver": "camera_counter", "camera": "unused", "lanes": {"x": lane}}
    path.write_text(json.dumps({"node": "n", "board": "sim", "drivers": {"cam": camera}}))
    return path


def counted(folder, film):
    scale = [[80, 60, 80, 80, 2.0], [80, 100, 80, 120, 2.0]]
    config = configuration(folder / "good.json", [[20, 90], [150, 90]], scale=scale)
    done = run(CAMERA, "count", "--config", config, "--source", film, "--json")
    assert done.returncode == 0, done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    # The box's middle is on the line in pictures 22, 72, 122, 172.
    assert [round((line["frame"] - 22) / 50) for line in lines] == [0, 1, 2, 3], lines
    for line in lines:
        assert abs((line["frame"] - 22) % 50) in (0, 1, 2, 48, 49), line
        assert set(line) == {"frame", "time_s", "lane", "direction", "speed_kmh", "length_m",
                             "class", "confidence"}, line
        assert line["lane"] == "x" and line["direction"] == "down", line
        # 4 pixels at 10 a metre and 25 pictures a second; coarse, as the README says.
        assert 25.0 < line["speed_kmh"] < 47.0, line
    up = configuration(folder / "up.json", [[20, 90], [150, 90]], direction="up")
    assert run(CAMERA, "count", "--config", up, "--source", film, "--json").stdout == ""


def refused(folder, film):
    good = configuration(folder / "good.json", [[20, 90], [150, 90]])
    noise = folder / "noise.mp4"
    noise.write_bytes(os.urandom(5000))
    outside = configuration(folder / "outside.json", [[20, 90], [400, 90]])
    short = configuration(folder / "short.json", [[20, 90], [22, 90]])
    none = folder / "none.json"
    none.write_text('{"drivers": {}}')
    cases = [(good, "/no/such/film.mp4", 1), (good, noise, 1), (outside, film, 2), (short, film, 2),
             (none, film, 2), (folder / "no.json", film, 2), (good, "gopher://x/y", 1)]
    for config, source, code in cases:
        done = run(CAMERA, "count", "--config", config, "--source", source, "--json")
        assert done.returncode == code and done.stdout == "", (config, source, done)
        assert done.stderr.startswith("berm-camera count: "), done
    assert run(CAMERA, "count").returncode == 2
    assert run(CAMERA, "nonsense").returncode == 2


def private(folder, film):
    """strace over a run with its decoder: nothing is opened for writing, no socket is made."""
    if not shutil.which("strace"):
        return
    config = configuration(folder / "good.json", [[20, 90], [150, 90]])
    trace = folder / "trace"
    done = run("strace", "-f", "-qq", "-o", trace, "-e",
               "trace=openat,open,creat,socket,connect,execve", CAMERA, "count", "--config", config,
               "--source", film, "--json")
    assert done.returncode == 0, done
    lines = trace.read_text(errors="replace").splitlines()
    assert any("ffmpeg" in line and "execve" in line for line in lines), "strace saw nothing"
    for line in lines:
        assert "socket(" not in line and "connect(" not in line, line
        written = any(word in line for word in ("O_WRONLY", "O_RDWR", "O_CREAT", "creat("))
        assert not written or '"/dev/' in line, line


def scored():
    truth = DATA / "truth.csv"
    if not truth.exists():
        print(f"no hand-counted films in {DATA}: their part is left out")
        return
    done = run(CAMERA, "score", "--truth", truth, "--json", DATA)
    assert done.returncode == 0, done
    print(done.stdout)
    everything = json.loads(done.stdout.splitlines()[-1])
    assert everything["f1"] >= 0.92, everything
    assert everything["ms_per_frame"] <= 1.0, everything


def main():
    if not shutil.which("ffmpeg"):
        print("skipped: ffmpeg is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        film = folder / "film.y4m"
        make_film(film)
        counted(folder, film)
        refused(folder, film)
        private(folder, film)
        scored()
    print("films are counted, bad ones refused, and no picture is left behind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
