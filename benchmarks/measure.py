"""A viewer in a pseudo-terminal, and when which frame came out of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.marks import MARK, frame_of

_ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",  # where is the cursor
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # is there synchronized output
}


@dataclass
class Shown:
    """What came out of a viewer.

    Attributes:
        delays: Milliseconds from `send` to the terminal, a figure per frame seen.
        bytes: Bytes that the viewer wrote.
        cpu: Seconds of processor time it used.
        seconds: How long it was looked at.
    """

    delays: list[float] = field(default_factory=list)
    bytes: int = 0
    cpu: float = 0.0
    seconds: float = 0.0

    def delay(self, share: float) -> float:
        """Return a quantile of the delays."""
        ordered = sorted(self.delays) or [float("nan")]
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.contextmanager
def runtime_folder() -> Iterator[Path]:
    """Give feeds and viewers a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="ltb", dir="/tmp") as folder:
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = folder
        yield Path(folder)
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before


@contextlib.contextmanager
def feed(
    folder: Path, rows: int, columns: int, hz: float, share: float, name: str = "bench"
) -> Iterator[Path]:
    """Run the benchmarks' feed; yield the file with the times of its frames."""
    times = folder / f"{name}.times"
    words = [name, *map(str, (rows, columns, hz, share)), str(times)]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.feed", *words])
    try:
        until = time.monotonic() + 60
        while not times.exists() or not times.stat().st_size:
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError("the feed did not start")
            time.sleep(0.05)
        yield times
    finally:
        process.kill()
        process.wait()


class Screen:
    """A command in a pseudo-terminal of its own."""

    def __init__(self, command: list[str], size: tuple[int, int] = (50, 200)) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            environment = {
                name: value
                for name, value in os.environ.items()
                if name not in ("COLUMNS", "LINES", "NO_COLOR")
            }
            environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(command[0], command, environment)
        self.began = time.monotonic()
        self._tail = b""

    def read(self, seconds: float) -> list[tuple[int, bytes]]:
        """Return what comes out for so long: monotonic nanoseconds and bytes."""
        until = time.monotonic() + seconds
        came = []
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if ready:
                try:
                    data = os.read(self.fd, 1 << 20)
                except OSError:
                    break
                came.append((time.monotonic_ns(), data))
                self._answer(data)
        return came

    def _answer(self, data: bytes) -> None:
        """Answer what a viewer asks the terminal, as any of today's terminals does."""
        data = self._tail + data
        for question, answer in _ANSWERS.items():
            # The tail is looked at twice: what it holds whole was answered before.
            asked = data.count(question) - self._tail.count(question)
            os.write(self.fd, answer * asked)
        self._tail = data[-16:]

    def read_until(self, wanted: bytes, seconds: float = 30.0) -> float:
        """Return the seconds from the start until `wanted` came out."""
        seen = b""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for _, data in self.read(0.002):
                seen += data
            if wanted in seen:
                return time.monotonic() - self.began
        raise TimeoutError(f"{wanted!r} did not come out")

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def cpu(self) -> float:
        """Return the seconds of processor time used so far."""
        used = psutil.Process(self.pid).cpu_times()
        return float(used.user + used.system)

    def close(self) -> None:
        """End the command."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def watch(command: list[str], times: Path, seconds: float, settle: float = 4.0) -> Shown:
    """Run a viewer; return what it showed in `seconds` after it settled."""
    screen = Screen(command)
    try:
        screen.read(settle)
        shown = Shown()
        cpu, began = screen.cpu(), time.monotonic()
        came = screen.read(seconds)
        shown.cpu, shown.seconds = screen.cpu() - cpu, time.monotonic() - began
    finally:
        screen.close()
    sent = struct.unpack(
        f"{times.stat().st_size // 8}q", times.read_bytes()[: times.stat().st_size // 8 * 8]
    )
    seen: set[int] = set()
    for at, data in came:
        shown.bytes += len(data)
        for found in MARK.finditer(data):
            frame = frame_of(found[0])
            if frame is not None and frame < len(sent) and frame not in seen:
                seen.add(frame)
                delay = (at - sent[frame]) / 1e6
                if 0 <= delay < 60_000:
                    shown.delays.append(delay)
    return shown
