#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`berm shell` as a technician uses it: one command, a script, a terminal with editing,
completion, history, `top` and `tail`; and as a stranger misuses it: a hundred clients, clients
that never read, lines without end, binary. Meanwhile the agent answers everybody else."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from street import (
    BERM,
    BUILD,
    Agent,
    Process,
    four_lanes,
    free_port,
    terminate_on_alarm,
    wait_until,
)
from terminal import Terminal, plain

PROMPT = r"berm> "
CLIENTS = 100
MAX_GROWTH_KB = 40_000
PATIENCE_S = 3.0  # a status that takes longer has stalled


def berm(agent, *words, text=None):
    done = subprocess.run(
        [BERM, "shell", "-S", agent.socket, *words],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def command(agent, line):
    return berm(agent, "-c", line)


def connect(agent):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    end = time.monotonic() + 20
    while True:
        try:
            client.connect(str(agent.socket))
            return client
        except BlockingIOError:  # so many at once that they queue
            assert time.monotonic() < end, "nobody accepts"
            time.sleep(0.01)


def rss_kb(agent):
    for line in open(f"/proc/{agent.process.pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def check_answers_quickly(agent):
    began = time.monotonic()
    assert agent.status() is not None, "status does not answer"
    took = time.monotonic() - began
    assert took < PATIENCE_S, f"status took {took:.1f} s"


def maps_libedit(pid):
    return "libedit" in pathlib.Path(f"/proc/{pid}/maps").read_text()


# --- one command, a script


def every_verb_answers(agent):
    code, listed, _ = command(agent, "help --json")
    assert code == 0
    verbs = {row["verb"]: row for row in json.loads(listed)}
    wanted = (
        "help status top lanes outbox uplinks alarms gps tail loglevel config_show "
        "config_check set-aside_list set-aside_show set-aside_requeue resend export"
    )
    for verb in wanted.split():
        assert verb.replace("_", " ") in verbs, verb
    assert verbs["set-aside requeue"]["changes"] is True
    assert verbs["resend"]["changes"] is True
    for line in ("status", "lanes", "outbox", "uplinks", "alarms", "gps", "config show",
                 "config check", "loglevel", "set-aside list"):  # fmt: skip
        code, said, complaint = command(agent, line)
        assert code == 0 and said and not complaint, (line, code, said, complaint)
        code, said, _ = command(agent, f"{line} --json")
        assert code == 0, line
        json.loads(said)
    assert "no GPS configured" in command(agent, "gps")[1]
    assert "R10" in command(agent, "lanes")[1]
    assert json.loads(command(agent, "status --json")[1])["node"] == "e19-km31"


def mistakes_are_named(agent):
    for line, code, part in (
        ("staus", 2, "did you mean 'status'"),
        ("set-aside lst", 2, "did you mean 'set-aside list'"),
        ("tail traffic.lan", 2, "did you mean 'traffic.lane'"),
        ("tail", 2, "usage"),
        ("tail node.gap", 2, "outbox itself"),
        ("loglevel loud", 2, "warning"),
        ("set-aside show", 2, "usage"),
        ("set-aside show 7", 1, "7"),
        ("set-aside requeue x", 2, "usage"),
        ("resend traffic.lane", 2, "usage"),
        ("resend traffic.lane 1-1 flume stick", 2, "usage"),
        ("resend traffic.lane 5-3", 2, "no ranges"),
        ("resend traffic.lan 1-1", 1, "nothing of"),
        ("export traffic.lane yesterday", 2, "no time"),
        ('say "open', 2, "quote"),
    ):
        found, _, complaint = command(agent, line)
        assert (found, part in complaint) == (code, True), (line, found, complaint)


def a_script_gives_the_last_exit_code(agent):
    code, said, _ = berm(agent, text=b"loglevel\nstaus\n\nlanes\n")
    assert code == 0 and "log level" in said and "R10" in said, (code, said)
    assert berm(agent, text=b"lanes\nstaus")[0] == 2
    assert berm(agent, text=b"exit\nstaus\n")[0] == 0
    code, said, complaint = berm(agent, text=b"x" * (1 << 20) + b"\nlanes\n")
    assert code == 0 and "R10" in said and "too long" in complaint, (code, complaint)
    assert berm(agent, "-c", "staus\nlanes")[0] == 0
    assert berm(agent, text=b"")[0] == 0


def the_file_is_checked_as_it_is_now(agent):
    good = agent.config.read_text()
    agent.config.write_text(good.replace("period_s", "perod_s"))
    code, _, said = command(agent, "config check")
    assert code == 2 and "perod_s" in said and "period_s" in said, (code, said)
    agent.config.write_text(good)
    assert command(agent, "config check")[0] == 0


def only_an_admin_changes_things(agent):
    """Asked as nobody, with the socket opened to everybody for the moment."""
    if os.geteuid() != 0:
        print("not root: peer credentials of another user are not tried here")
        return
    asking = (
        "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "client = socket.socket(socket.AF_UNIX); client.connect('shell.sock');"
        "client.sendall(sys.argv[1].encode() + b'\\n'); print(client.recv(65536).decode())"
    )

    def ask_as_nobody(line):
        done = subprocess.run(
            ["python3", "-c", asking, line],
            cwd=agent.folder,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout if done.returncode == 0 else "refused " + done.stderr[-200:]

    assert "Permission" in ask_as_nobody("lanes"), "the socket is for its group only"
    agent.folder.chmod(0o755)
    before = agent.socket.stat().st_mode
    agent.socket.chmod(0o666)
    assert ask_as_nobody("lanes").startswith("0 ")
    assert ask_as_nobody("loglevel").startswith("0 ")
    for line in ("loglevel debug", "set-aside requeue 1", "resend traffic.lane 1-1"):
        said = ask_as_nobody(line)
        assert said.startswith("1 ") and "berm-admin" in said, (line, said)
    agent.socket.chmod(before)
    assert command(agent, "loglevel notice")[0] == 0, "root is an admin"
    assert json.loads(command(agent, "loglevel --json")[1]) == {"level": "notice"}


# --- at a terminal


def lines_are_edited_completed_and_kept(agent, home):
    env = {"HOME": str(home), "TERM": "xterm", "PATH": os.environ["PATH"]}
    terminal = Terminal([BERM, "shell", "-S", agent.socket], env)
    try:
        terminal.until_editing(PROMPT)
        assert maps_libedit(terminal.pid), "lines are not edited"
        terminal.type("out\t")
        terminal.until("box ")  # only what is new is drawn
        terminal.type("\r")
        assert "on disk" in plain(terminal.until("disk"))
        terminal.until_editing(PROMPT)
        terminal.type("set-aside \t")
        listed = plain(terminal.until("show"))
        assert "list" in listed and "requeue" in listed, listed
        terminal.type("li\t\r")
        terminal.until("nothing is set aside")
        terminal.type("tail traffic.v\t")
        terminal.until("ehicle ")
        terminal.type("\x03")  # drops the line, ends nothing
        terminal.until(r"\^C")
        terminal.until_editing(PROMPT)
        terminal.type("Xloglevel\x01\x04\r")  # to the begin of the line, delete one
        terminal.until("log level is")
        terminal.until_editing(PROMPT)
        terminal.type("staus\r")
        terminal.until("did you mean 'status'")
        terminal.until_editing(PROMPT)
        terminal.type("\x04")  # end of input
        assert terminal.wait() == 0
    finally:
        terminal.close()
    kept = home / ".local" / "state" / "berm" / "history"
    assert kept.stat().st_mode & 0o077 == 0, "the history is for its owner alone"
    terminal = Terminal([BERM, "shell", "-S", agent.socket], env)
    try:
        terminal.until_editing(PROMPT)
        terminal.type("\x10\x10")  # the line before the last of the earlier shell
        terminal.type("\r")
        terminal.until("log level is")
        terminal.until_editing(PROMPT)
        terminal.type("exit\r")
        assert terminal.wait() == 0
    finally:
        terminal.close()


def top_draws_in_place_and_q_ends_it(agent, home):
    env = {"HOME": str(home), "TERM": "xterm", "PATH": os.environ["PATH"]}
    terminal = Terminal([BERM, "shell", "-S", agent.socket], env, rows=12)
    try:
        terminal.until_editing(PROMPT)
        terminal.type("top\r")
        drawn = terminal.until(rb"(?s)(\x1b\[H.*){4}")
        assert b"e19-km31" in drawn
        frames = drawn.split(b"\x1b[H")[2:-1]
        assert all(frame.count(b"\n") <= 11 for frame in frames), "it would scroll"
        terminal.type("q")
        terminal.until_editing(PROMPT)
        terminal.type("top\r")
        terminal.until(rb"\x1b\[H")
        terminal.until("e19-km31")
        terminal.type("\x03")
        terminal.until_editing(PROMPT)
        terminal.type("loglevel\r")  # echoed: the terminal is as it was
        terminal.until("loglevel")
        terminal.until("log level is")
        terminal.type("exit\r")
        assert terminal.wait() == 0
    finally:
        terminal.close()


def tail_at_a_terminal_ends_with_control_c(agent, home):
    env = {"HOME": str(home), "TERM": "xterm", "PATH": os.environ["PATH"]}
    terminal = Terminal([BERM, "shell", "-S", agent.socket], env)
    try:
        terminal.until_editing(PROMPT)
        terminal.type("tail traffic.lane\r")
        terminal.until('"stream":"traffic.lane"')
        terminal.type("\x03")
        terminal.until_editing(PROMPT)
        terminal.type("lanes\r")
        terminal.until("R10")
        terminal.until_editing(PROMPT)
        terminal.type("\x04")
        assert terminal.wait() == 0
    finally:
        terminal.close()


def tail_shows_what_is_committed(agent, folder, stick):
    """Every event of the stream, with the bytes that an uplink carries."""
    shown = folder / "tail.jsonl"
    tail = Process(
        "tail",
        [BERM, "shell", "-S", agent.socket, "-c", "tail traffic.*"],
        folder,
        stdout=open(shown, "wb"),
    )
    wait_until("the tail shows events", lambda: shown.read_bytes().count(b"\n") >= 20, 60)
    tail.child.send_signal(signal.SIGINT)
    assert tail.child.wait(timeout=10) == 0
    lines = shown.read_text().splitlines()
    for stream in {json.loads(line)["stream"] for line in lines}:
        numbers = [json.loads(x)["seq"] for x in lines if json.loads(x)["stream"] == stream]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (stream, numbers)

    def delivered():
        return {x for file in stick.rglob("*") if file.is_file()
                for x in file.read_text().splitlines()}  # fmt: skip

    wait_until("the uplink carries the same bytes", lambda: set(lines) <= delivered(), 60)


# --- misuse


def a_hundred_clients_that_never_read(agent):
    before = rss_kb(agent)
    clients = [connect(agent) for _ in range(CLIENTS)]
    try:
        for client in clients:
            client.sendall(b"status --json\n" * 20)
        check_answers_quickly(agent)
        clients[0].settimeout(1)
        try:  # one that asks on for ever is left to wait or cut off
            for _ in range(2000):
                clients[0].sendall(b"config show\n" * 100)
        except OSError:
            pass
        check_answers_quickly(agent)
        assert rss_kb(agent) - before < MAX_GROWTH_KB, (before, rss_kb(agent))
        for client in clients[1:]:  # the others are answered in full, in the end
            client.settimeout(30)
            answers = 0
            rest = b""
            while answers < 20:
                rest += client.recv(65536)
                while b"\n" in rest:
                    head, body = rest.split(b"\n", 1)
                    length = int(head.split()[1])
                    if len(body) < length:
                        break
                    assert head.startswith(b"0 "), head
                    rest = body[length:]
                    answers += 1
    finally:
        for client in clients:
            client.close()
    check_answers_quickly(agent)


def more_clients_than_there_is_room_for(agent):
    clients = []
    try:
        for _ in range(300):
            clients.append(connect(agent))
        time.sleep(0.5)
        # Full: whoever comes now is told so at once and nobody hangs.
        began = time.monotonic()
        command(agent, "lanes")
        assert time.monotonic() - began < PATIENCE_S
    finally:
        for client in clients:
            client.close()
    wait_until("there is room again", lambda: command(agent, "lanes")[0] == 0, 20)


def lines_without_end_and_binary(agent):
    for bytes_ in (b"x" * (1 << 20), os.urandom(1 << 20), b"\n" * 200_000,
                   b"\x00" * 300_000 + b"\n", b"tail " + b"a " * 30_000 + b"\n"):  # fmt: skip
        client = connect(agent)
        try:
            client.sendall(bytes_)
        except OSError:
            pass  # cut off before it had said all
        client.close()
    client = connect(agent)
    client.sendall(b"\xff\xfe\n" + b'"open\n' + b"lanes\n")
    said = b""
    while b"R10" not in said:
        piece = client.recv(65536)
        assert piece, said
        said += piece
    assert said.startswith(b"2 "), said
    client.close()
    check_answers_quickly(agent)


def tails_that_nobody_reads(agent):
    before = rss_kb(agent)
    clients = [connect(agent) for _ in range(8)]
    for client in clients:
        client.sendall(b"tail traffic.*\n")
        assert client.recv(4) == b"- 0\n"
    code, _, said = command(agent, "tail traffic.lane")
    assert code == 1 and "already" in said, (code, said)
    time.sleep(3)
    check_answers_quickly(agent)
    assert rss_kb(agent) - before < MAX_GROWTH_KB
    for client in clients:
        client.close()

    def has_room():
        with connect(agent) as client:
            client.sendall(b"tail traffic.*\n")
            return client.recv(4) == b"- 0\n"

    wait_until("those who went made room", has_room, 20)


def a_stalled_disk_holds_up_no_other(agent, delay):
    """What reads the disk waits for it; what is in memory does not, on other connections."""
    delay.write_text("4000")
    time.sleep(2)
    waiting = connect(agent)
    waiting.settimeout(60)
    waiting.sendall(b"set-aside list\nlanes\n")
    gone = connect(agent)
    gone.sendall(b"set-aside list\n")
    gone.close()
    for _ in range(10):
        check_answers_quickly(agent)
        for line in ("lanes", "outbox", "uplinks", "alarms", "config show", "help", "loglevel"):
            began = time.monotonic()
            assert command(agent, line)[0] == 0, line
            assert time.monotonic() - began < PATIENCE_S, line
    delay.write_text("")
    said = b""
    while b"R10" not in said:
        piece = waiting.recv(65536)
        assert piece, said
        said += piece
    assert said.startswith(b"0 "), said
    waiting.close()


def the_shell_outlives_a_restart(agent, home, env):
    terminal = Terminal(
        [BERM, "shell", "-S", agent.socket],
        {"HOME": str(home), "TERM": "dumb", "PATH": os.environ["PATH"]},
    )
    try:
        terminal.until(PROMPT)
        assert agent.process.end() == 0
        terminal.type("lanes\r")
        terminal.until("no agent listens")
        terminal.until(PROMPT)
        agent.start(env=env)
        terminal.type("lanes\r")
        terminal.until("R10")
        terminal.type("exit\r")
        assert terminal.wait() == 0
    finally:
        terminal.close()
    code, _, said = berm(agent, "-S", str(agent.folder / "none.sock"), "-c", "lanes")
    assert code == 1 and "none.sock" in said, (code, said)


VERBS = ("status", "lanes", "outbox", "uplinks", "alarms", "gps", "config show", "help",
         "loglevel", "set-aside list")  # fmt: skip


def every_verb_works(agent, alarm):
    """And the alarm that names the trouble is there."""
    wait_until(f"the alarm {alarm}", lambda: alarm in command(agent, "alarms")[1], 60)
    for line in VERBS:
        code, said, complaint = command(agent, line)
        assert code == 0 and said, (line, code, said, complaint)
    assert command(agent, "set-aside show 7")[0] == 1
    assert alarm in command(agent, "alarms --json")[1]


def node(folder, name):
    return Agent(
        folder,
        {"node": "e19-km31", "board": "sim", "drivers": {"e19": four_lanes()}, "uplinks": {}},
        name=name,
    )


def with_a_damaged_database(folder):
    agent = node(folder, "damaged")
    agent.start()
    wait_until("something is stored", lambda: agent.status()["outbox"]["events"] > 3)
    agent.process.kill()
    database = agent.state / "outbox.db"
    size = database.stat().st_size
    with open(database, "r+b") as file:
        file.write(b"\xa5" * size)
    agent.start()
    try:
        every_verb_works(agent, "outbox_damaged")
        assert agent.process.end() == 0
    finally:
        agent.process.kill()


def with_a_full_disk(folder):
    if os.geteuid() != 0:
        print("not root: no small file system to fill")
        return
    agent = node(folder, "full")
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(agent.state)]
    if subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("no leave to mount: no small file system to fill")
        return
    try:
        agent.start()
        with open(agent.state / "filler", "wb") as filler:
            try:
                while True:
                    filler.write(bytes(65536))
                    filler.flush()
            except OSError:
                pass
        every_verb_works(agent, "disk_full")
        (agent.state / "filler").unlink()
        has_ended = lambda: "disk_full" not in command(agent, "alarms")[1]
        # A commit that fails is tried again after at most a minute.
        wait_until("the alarm has ended", has_ended, 180)
        assert agent.process.end() == 0
    finally:
        if agent.process is not None:
            agent.process.kill()
        subprocess.run(["umount", "-l", str(agent.state)], check=False)


def main():
    terminate_on_alarm(420)
    with tempfile.TemporaryDirectory(prefix="berm-shell-") as folder:
        folder = pathlib.Path(folder)
        home, stick, delay = folder / "home", folder / "stick", folder / "delay"
        home.mkdir()
        agent = Agent(
            folder,
            {
                "node": "e19-km31",
                "board": "sim",
                "drivers": {"e19": four_lanes()},
                "uplinks": {
                    "down": {"uplink": "mqtt", "url": f"mqtt://127.0.0.1:{free_port()}"},
                    "stick": {"uplink": "file", "directory": str(stick), "hold": True},
                },
                "simulation": {"flow_veh_h": 1800},
            },
            name="shell",
        )
        env = dict(
            os.environ,
            LD_PRELOAD=str(BUILD / "lib" / "libslow_sync.so"),
            BERM_SLOW_SYNC_FILE=str(delay),
        )
        try:
            agent.start(env=env)
            wait_until("a period is over", lambda: "R10" in command(agent, "lanes")[1])
            every_verb_answers(agent)
            mistakes_are_named(agent)
            a_script_gives_the_last_exit_code(agent)
            the_file_is_checked_as_it_is_now(agent)
            only_an_admin_changes_things(agent)
            lines_are_edited_completed_and_kept(agent, home)
            top_draws_in_place_and_q_ends_it(agent, home)
            tail_at_a_terminal_ends_with_control_c(agent, home)
            tail_shows_what_is_committed(agent, folder, stick)
            a_hundred_clients_that_never_read(agent)
            more_clients_than_there_is_room_for(agent)
            lines_without_end_and_binary(agent)
            tails_that_nobody_reads(agent)
            a_stalled_disk_holds_up_no_other(agent, delay)
            assert not maps_libedit(agent.process.pid), "the agent maps libedit"
            the_shell_outlives_a_restart(agent, home, env)
            assert agent.process.end() == 0
            with_a_damaged_database(folder)
            with_a_full_disk(folder)
        finally:
            if agent.process is not None:
                agent.process.kill()


main()
