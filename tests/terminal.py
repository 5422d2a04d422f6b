"""A real pseudo-terminal with a program in it, and the screen that it shows."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import pyte
from wcwidth import wcwidth

from tests.waiting import wait_for

# What pyte prints instead of passing it over; and the left-to-right mark, at which it drops the
# rest of the text (tmux and others rightly give it no width).
_UNKNOWN = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b[P_^].*?\x1b\\|\xe2\x80\x8e", re.DOTALL
)


class Terminal:
    """Runs a command in a pseudo-terminal of its own.

    Args:
        command: The command; ``livetable`` and ``livetable-feed`` are this checkout's.
        folder: Its runtime folder.
        size: Lines and columns.
        environment: More of its environment.
        late: Seconds until an answer to a question of the program's arrives.
        each: How often the terminal answers where the cursor is, as odd ones do.
    """

    def __init__(
        self,
        *command: str,
        folder: Path,
        size: tuple[int, int] = (24, 80),
        environment: dict[str, str] | None = None,
        late: float = 0.0,
        each: int = 1,
    ) -> None:
        self._late, self._each = late, each
        self.answered = 0
        self._due: deque[tuple[int, int]] = deque()
        self._answering = threading.Lock()
        self.screen = pyte.Screen(size[1], size[0])
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self.raw = bytearray()
        self.stopped_reading = threading.Event()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            _become(command, folder, environment or {})
        self.attributes = termios.tcgetattr(self.fd)
        self.status: int | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self.stopped_reading.is_set():
            ready, _, _ = select.select([self.fd], [], [], 0.05)
            if not ready:
                continue
            try:
                data = os.read(self.fd, 65_536)
            except OSError:
                return
            if not data:
                return
            with self._lock:
                # Where is the cursor? Any terminal answers; livetable asks after each paint.
                asked = (self.raw[-3:] + data).count(b"\x1b[6n")
                what_it_is = (self.raw[-2:] + data).count(b"\x1b[c")
                self.raw += data
                self._stream.feed(_UNKNOWN.sub(b"", data))
            if not asked and not what_it_is:
                continue
            self._due.append((asked, what_it_is))
            if self._late:
                timer = threading.Timer(self._late, self._answer)
                timer.daemon = True
                timer.start()
            else:
                self._answer()

    def _answer(self) -> None:
        with self._answering:  # in the order that was asked in, whichever timer is first
            asked, what_it_is = self._due.popleft()
            told = b"\x1b[1;1R" * self._each * asked + b"\x1b[?62;1;6c" * what_it_is
            with contextlib.suppress(OSError):
                os.write(self.fd, told)
                self.answered += asked

    @property
    def lines(self) -> list[str]:
        """The lines on the screen."""
        with self._lock:
            return [self._line(y).rstrip() for y in range(self.screen.lines)]

    def _line(self, y: int) -> str:
        """Return a line; pyte's own way fails where half a wide character is written over."""
        line = []
        half = False
        for x in range(self.screen.columns):
            text = self.screen.buffer[y][x].data
            if not half:
                line.append(text or " ")
            half = not half and bool(text) and wcwidth(text[0]) == 2
        return "".join(line)

    @property
    def text(self) -> str:
        """All that is on the screen."""
        return "\n".join(self.lines)

    @property
    def table(self) -> str:
        """What is under the status line, whose rates and ages are numbers like those of cells."""
        return "\n".join(self.lines[1:])

    def cell(self, line: int, column: int) -> pyte.screens.Char:
        """Return a cell with its style."""
        with self._lock:
            return self.screen.buffer[line][column]

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self.fd, keys.encode())

    def resize(self, lines: int, columns: int) -> None:
        """Make the terminal another size."""
        with self._lock:
            self.screen.resize(lines, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def hang_up(self) -> None:
        """Cut the line."""
        self.stopped_reading.set()
        self._thread.join(5)
        with self._answering:
            os.close(self.fd)
            self.fd = -1

    def wait_for(self, wanted: str | Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until a text is on the screen, or a condition holds."""
        condition = wanted if callable(wanted) else lambda: wanted in self.text
        try:
            wait_for(condition, seconds)
        except AssertionError:
            raise AssertionError(f"waited for {wanted!r}; the screen shows:\n{self.text}") from None

    def wait_for_end(self, seconds: float = 10.0) -> int:
        """Wait until the program has ended; return its exit code, or minus its signal."""

        def ended() -> bool:
            if self.status is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.status = os.waitstatus_to_exitcode(status)
            return self.status is not None

        wait_for(ended, seconds, "the program to end")
        if not self.stopped_reading.is_set():
            self._thread.join(2)  # what it said last is still to be read
        assert self.status is not None
        return self.status

    def kill(self) -> None:
        """End the program, if it has not ended."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait_for_end()
        time.sleep(0)
        self.stopped_reading.set()
        self._thread.join(5)
        with self._answering, contextlib.suppress(OSError):
            # An answer that is due yet would go to who is given this number next.
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def command_line(command: Sequence[str]) -> list[str]:
    """Return how to run a command of this checkout."""
    modules = {"livetable": "livetable.tui", "livetable-feed": "livetable.feed"}
    if command[0] in modules:
        return [sys.executable, "-m", modules[command[0]], *command[1:]]
    return list(command)


def environment_for(folder: Path, more: dict[str, str] | None = None) -> dict[str, str]:
    """Return an environment with a runtime folder of its own and no settings of this one."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TEXTUAL", "COV_", "NO_COLOR", "COLORTERM", "COLUMNS", "LINES"))
    }
    basic = {"XDG_RUNTIME_DIR": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return kept | basic | (more or {})


def _become(command: Sequence[str], folder: Path, more: dict[str, str]) -> None:
    line = command_line(command)
    os.execvpe(line[0], line, environment_for(folder, more))
