"""A real `sshd` on loopback, the line to it, and a terminal at the near end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import socket
import struct
import subprocess
import termios
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyte

from tests.brokers import free_port

SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")

_CONFIG: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""

# What pyte prints instead of passing it over.
_UNKNOWN = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b[P_^].*?\x1b\\", re.DOTALL
)
_BUFFER: Final = 4096


@contextlib.contextmanager
def sshd(folder: Path) -> Iterator[int]:
    """Run an `sshd` with keys of its own in a folder; give its port."""
    assert SSHD is not None, "there is no sshd: apt-get install openssh-server"
    for name in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    port = free_port()
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it leaves its rights
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        else:
            raise RuntimeError("sshd did not start")
        yield port
    finally:
        process.kill()
        process.wait()


def ssh_command(folder: Path, port: int, line: str) -> list[str]:
    """Return how to run a command line on the other side, with a terminal there."""
    return [
        "ssh", "-tt", "-p", str(port), "-i", str(folder / "user"),
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "127.0.0.1", line,
    ]  # fmt: skip


class Line:
    """Passes on what goes to a port and back, at a rate, so much later, with little buffer.

    Args:
        port: The port.
        rate: Bytes a second; may be set while it runs, 0 cuts it without a word.
        delay: Seconds each way.
    """

    def __init__(self, port: int, rate: float, delay: float) -> None:
        self.rate = rate
        self._delay = delay
        self._to = port
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._pass(near)

    def _pass(self, near: socket.socket) -> None:
        far = socket.socket()
        self._ends += [near, far]
        with contextlib.suppress(OSError):  # either end may be closed by now
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            far.connect(("127.0.0.1", self._to))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _Way(self, one, other, self._delay)

    def cut(self) -> None:
        """End all connections."""
        for one in self._ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # close alone wakes nobody who reads
            one.close()

    def close(self) -> None:
        """End all, and take no more."""
        self._listening.close()
        self.cut()


class _Way:
    """One direction of a connection: a thread that takes at the rate, one that gives later."""

    def __init__(
        self, line: Line, source: socket.socket, sink: socket.socket, delay: float
    ) -> None:
        self._line, self._source, self._sink, self._delay = line, source, sink, delay
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._changed = threading.Condition()
        self._ended = False
        for one in (self._take, self._give):
            threading.Thread(target=one, daemon=True).start()

    def _take(self) -> None:
        free = time.monotonic()
        with contextlib.suppress(OSError):
            while data := self._source.recv(1024):
                while self._line.rate <= 0:
                    time.sleep(0.01)
                free = max(free, time.monotonic()) + len(data) / self._line.rate
                time.sleep(max(0.0, free - time.monotonic()))
                with self._changed:
                    self._waiting.append((time.monotonic() + self._delay, data))
                    self._changed.notify()
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _give(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    break
                due, data = self._waiting.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                self._sink.sendall(data)
            except OSError:
                return
        with contextlib.suppress(OSError):
            self._sink.shutdown(socket.SHUT_WR)


class NearTerminal:
    """A terminal with a command in it, and its screen at any time.

    Args:
        command: The command.
        size: Lines and columns.
        answers: Whether it tells where its cursor is.
    """

    def __init__(
        self, command: Sequence[str], size: tuple[int, int], *, answers: bool = True
    ) -> None:
        self._answers = answers
        self.screen = pyte.Screen(size[1], size[0])
        self._stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.raw = bytearray()
        self._tail = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
            os.execvp(command[0], list(command))

    def read(self, seconds: float) -> None:
        """Take in what comes for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.take(left)

    def take(self, seconds: float) -> bool:
        """Take in what comes next, wait for it at most so long; tell whether anything came."""
        ready, _, _ = select.select([self._fd], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 16_384)
        except OSError:
            time.sleep(max(0.0, min(seconds, 0.01)))
            return False
        self.received += len(data)
        self.raw += data
        told = self._tail + data
        asked = told.count(b"\x1b[6n") - self._tail.count(b"\x1b[6n")
        what_it_is = told.count(b"\x1b[c") - self._tail.count(b"\x1b[c")
        self._tail = told[-3:]
        self._stream.feed(_UNKNOWN.sub(b"", data))
        if self._answers and asked:
            os.write(self._fd, b"\x1b[1;1R" * asked + b"\x1b[?62;1;6c" * what_it_is)
        return True

    def until(self, holds: Any, seconds: float = 60.0) -> float:
        """Take in what comes until a condition of the screen holds; return after how long."""
        began = time.monotonic()
        while not holds():
            left = began + seconds - time.monotonic()
            if left <= 0:
                raise TimeoutError("\n".join(self.screen.display))
            self.take(min(left, 0.05))
        return time.monotonic() - began

    @property
    def text(self) -> str:
        """All that is on the screen."""
        return "\n".join(self.screen.display)

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._fd, keys)

    def close(self) -> None:
        """End the command."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def __enter__(self) -> NearTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
