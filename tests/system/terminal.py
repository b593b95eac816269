# SPDX-License-Identifier: Apache-2.0
"""A program on a pseudo terminal, as a person at a keyboard sees it."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    def __init__(self, words, env, rows=40, columns=120):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(str(words[0]), [str(word) for word in words], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.seen = b""  # since the last `until`
        self.code = None

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        """What comes within that time; b"" where nothing does or the program has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def until(self, pattern, seconds=20):
        """Reads until the pattern is there; the raw bytes up to its end."""
        end = time.monotonic() + seconds
        wanted = re.compile(pattern if isinstance(pattern, bytes) else pattern.encode())
        while True:
            match = wanted.search(self.seen)
            if match:
                found, self.seen = self.seen[: match.end()], self.seen[match.end() :]
                return found
            assert time.monotonic() < end, f"not seen: {pattern!r} in {self.seen[-2000:]!r}"
            self.seen += self.read(0.2)

    def until_editing(self, prompt, seconds=20):
        """Until the prompt is there and keys reach the editor: it prompts just before it takes
        the terminal over, and a key in between would be the kernel's."""
        self.until(prompt, seconds)
        end = time.monotonic() + seconds
        while termios.tcgetattr(self.fd)[3] & termios.ICANON:
            assert time.monotonic() < end, "nobody edits"
            time.sleep(0.01)

    def wait(self, seconds=20):
        """The exit code."""
        end = time.monotonic() + seconds
        while self.code is None:
            self.read(0.05)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < end, "the program does not end"
        return self.code

    def close(self):
        if self.code is None:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def plain(raw):
    """Without what steers the terminal."""
    return ESCAPES.sub(b"", raw).decode(errors="replace")
