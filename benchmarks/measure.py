"""A viewer in a pseudo-terminal, and when which frame came out of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.effort import Effort
from benchmarks.marks import MARK, frame_of
from benchmarks.results import quantile

SIZE = (50, 200)
"""Lines and columns of every terminal here."""

PYTHON = sys.executable
LIVETABLE = [PYTHON, "-m", "livetable.tui"]

_ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",  # where is the cursor
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # is there synchronized output
}

Came = list[tuple[int, bytes]]
"""Output: monotonic nanoseconds, and the bytes that came then."""


@contextlib.contextmanager
def runtime_folder() -> Iterator[Path]:
    """Give feeds and viewers a folder of their own, and this checkout's code."""
    with tempfile.TemporaryDirectory(prefix="ltb", dir="/tmp") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        os.environ["XDG_CONFIG_HOME"] = f"{folder}/config"
        # Where it is set, our code would be compiled at each start, and what it is compared to not.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
        yield Path(folder)


@contextlib.contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command; end it afterwards."""
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@dataclass
class Feed:
    """The benchmarks' feed.

    Attributes:
        times: The file with the times of its frames.
        pid: Its process.
    """

    times: Path
    pid: int

    def sent(self) -> tuple[int, ...]:
        """Return when each frame was sent, in monotonic nanoseconds."""
        data = self.times.read_bytes()
        count = len(data) // 8
        return struct.unpack(f"{count}q", data[: count * 8])


@contextlib.contextmanager
def feed(
    folder: Path, rows: int, columns: int, hz: float, share: float, name: str = "bench"
) -> Iterator[Feed]:
    """Run the benchmarks' feed."""
    times = folder / f"{name}.times"
    words = [name, *map(str, (rows, columns, hz, share)), str(times)]
    with process(PYTHON, "-m", "benchmarks.feed", *words) as running:
        until = time.monotonic() + 120
        while not times.exists() or not times.stat().st_size:
            if time.monotonic() > until or running.poll() is not None:
                raise RuntimeError("the feed did not start")
            time.sleep(0.05)
        yield Feed(times, running.pid)
    times.unlink()


class Screen:
    """A command in a pseudo-terminal of its own, which answers as terminals do.

    Args:
        command: The command.
        rate: Bytes a second that the terminal takes, None for all there are.
    """

    def __init__(self, command: Sequence[str], rate: float | None = None) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
            environment = {
                name: value
                for name, value in os.environ.items()
                if name not in ("COLUMNS", "LINES", "NO_COLOR")
            }
            environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execvpe(command[0], list(command), environment)
        self.began = time.monotonic()
        self._rate = rate
        self._free_at = 0.0
        self._tail = b""

    def read(self, seconds: float, wanted: re.Pattern[bytes] | None = None) -> Came:
        """Return what comes out for so long, or until a pattern did."""
        until = time.monotonic() + seconds
        came: Came = []
        seen = b""
        while (left := until - time.monotonic()) > 0:
            if self._rate is not None and (wait := self._free_at - time.monotonic()) > 0:
                time.sleep(min(wait, left))
                continue
            ready, _, _ = select.select([self.fd], [], [], left)
            if not ready:
                continue
            try:
                data = os.read(self.fd, 1 << 20 if self._rate is None else 512)
            except OSError:
                break
            if self._rate is not None:
                self._free_at = max(self._free_at, time.monotonic()) + len(data) / self._rate
            came.append((time.monotonic_ns(), data))
            self._answer(data)
            if wanted is not None:
                seen = seen[-64:] + data
                if wanted.search(seen):
                    break
        return came

    def _answer(self, data: bytes) -> None:
        data = self._tail + data
        for question, answer in _ANSWERS.items():
            # The tail is looked at twice: what it holds whole was answered before.
            asked = data.count(question) - self._tail.count(question)
            os.write(self.fd, answer * asked)
        self._tail = data[-16:]

    def until(self, wanted: re.Pattern[bytes], seconds: float = 60.0) -> float:
        """Return the seconds from now until a pattern came out."""
        began = time.monotonic()
        came = self.read(seconds, wanted)
        if not wanted.search(b"".join(data for _, data in came)):
            raise TimeoutError(f"{wanted.pattern!r} did not come out")
        return time.monotonic() - began

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def key(self, keys: bytes, wanted: re.Pattern[bytes]) -> tuple[float, Came]:
        """Press keys; return the milliseconds until a pattern came out, and what came."""
        self.send(keys)
        began = time.monotonic_ns()
        came = self.read(20, wanted)
        return (time.monotonic_ns() - began) / 1e6, came

    def cpu(self) -> float:
        """Return the seconds of processor time used so far."""
        return processor_seconds(self.pid)

    def memory(self) -> int:
        """Return the resident bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def close(self) -> None:
        """End the command."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def processor_seconds(pid: int) -> float:
    """Return the seconds of processor time that a process's threads have used.

    From the scheduler where it tells, to the nanosecond: the ticks that are charged otherwise are a
    sample, and of a process that is asleep most of the time a bad one.
    """
    try:
        told = Path(f"/proc/{pid}/task").glob("*/schedstat")
        return sum(int(one.read_text().split()[0]) for one in told) / 1e9
    except OSError:
        used = psutil.Process(pid).cpu_times()
        return float(used.user + used.system)


@dataclass
class Shown:
    """What came out of a viewer.

    Attributes:
        delays: Milliseconds from `send` to the terminal, a figure per frame seen.
        size: Bytes that the viewer wrote.
        cpu: Seconds of processor time it used.
        seconds: How long it was looked at.
        settling: What came out before.
        output: What came out then.
    """

    delays: list[float] = field(default_factory=list)
    size: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    settling: bytes = b""
    output: bytes = b""

    def delay(self, share: float) -> float:
        """Return a quantile of the delays."""
        return quantile(self.delays, share)

    @property
    def load(self) -> float:
        """Share of a core that it used."""
        return self.cpu / self.seconds


def delays(came: Came, sent: Sequence[int]) -> list[float]:
    """Return the milliseconds from each frame's `send` to its first byte on the terminal."""
    seen: set[int] = set()
    found_delays = []
    tail = b""
    for at, data in came:
        for found in MARK.finditer(tail + data):
            frame = frame_of(found[0])
            if frame is not None and frame < len(sent) and frame not in seen:
                seen.add(frame)
                delay = (at - sent[frame]) / 1e6
                if 0 <= delay < 60_000:
                    found_delays.append(delay)
        tail = data[-16:]
    return found_delays


def watch(command: Sequence[str], fed: Feed, effort: Effort) -> Shown:
    """Run a viewer; return what it showed after it settled."""
    with Screen(command) as screen:
        before = screen.read(effort.settle)
        shown = Shown(settling=b"".join(data for _, data in before))
        cpu, began = screen.cpu(), time.monotonic()
        came = screen.read(effort.look)
        shown.cpu, shown.seconds = screen.cpu() - cpu, time.monotonic() - began
    shown.output = b"".join(data for _, data in came)
    shown.size = len(shown.output)
    shown.delays = delays(came, fed.sent())
    return shown
