"""Writes bytes to the terminal without blocking; buffers them in order until it accepts them."""

from __future__ import annotations

import contextlib
import curses
import os
import select
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from typing import Final

from livetable.tui.terminal.pace import Pace

ASK: Final = "\x1b[6n"
"""Asks a terminal where its cursor is."""


class TerminalOutput:
    """Writes to the terminal through its own open file.

    Non-blocking mode belongs to the open file: the shell's must not be changed.

    Args:
        name: The terminal's device; None: write nothing.
        pace: Notified of what is written.
        loop: Returns the event loop. Any thread may write.
        on_progress: Called in the event loop when the terminal has accepted the last byte.
    """

    def __init__(
        self,
        name: str | None,
        pace: Pace,
        loop: Callable[[], AbstractEventLoop],
        on_progress: Callable[[], object],
    ) -> None:
        self.fd = -1
        """The file descriptor, -1 for none."""
        self.questions = 0
        """How often the terminal was asked for its cursor's position."""
        self.asked_first: float | None = None
        """When it was first asked, by the monotonic clock."""
        self._pace = pace
        self._loop = loop
        self._on_progress = on_progress
        self._pending = bytearray()
        self._written_last = b""
        self._lock = threading.Lock()
        self._is_watching = False
        self._held = 0
        if name is not None:
            with contextlib.suppress(OSError):
                self.fd = os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)

    @property
    def is_open(self) -> bool:
        """Whether the terminal is open."""
        return self.fd >= 0

    @property
    def pending(self) -> int:
        """How many bytes the terminal has not accepted."""
        return len(self._pending)

    @property
    def erases(self) -> bool:
        """Whether erasing fills with the current background (bce)."""
        try:
            curses.setupterm(fd=self.fd if self.is_open else 1)
            declared = bool(curses.tigetflag("bce") > 0)
        except (curses.error, TypeError):
            return False
        return declared or os.environ.get("TERM", "").startswith("tmux")

    def write(self, data: bytes) -> None:
        """Write; what the terminal does not accept is buffered."""
        with self._lock:
            self._pending += data
            self._pace.wrote(len(data))
            if not self._is_watching and not self._held:
                self._write_some()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Collect all writes of the block into one system call."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            with self._lock:
                if self._pending and not self._held and not self._is_watching:
                    self._write_some()

    def _write_some(self) -> None:
        """Write as much as the terminal accepts. The caller holds the lock."""
        try:
            while self._pending:
                count = os.write(self.fd, self._pending)
                self._count_questions(bytes(self._pending[:count]))
                del self._pending[:count]
        except BlockingIOError:
            if not self._is_watching:
                self._is_watching = True
                self._loop().call_soon_threadsafe(self._watch)
        except OSError:  # the terminal is gone: SIGHUP or the input thread ends the app
            self._pending.clear()

    def _count_questions(self, written: bytes) -> None:
        """Count the questions in written bytes; dropped ones are never answered."""
        written = self._written_last + written
        self._written_last = written[1 - len(ASK) :]
        if count := written.count(ASK.encode()):
            self.questions += count
            self.asked_first = self.asked_first or time.monotonic()

    def _watch(self) -> None:
        self._loop().add_writer(self.fd, self._on_writable)

    def _on_writable(self) -> None:
        with self._lock:
            self._write_some()
            if self._pending:
                return
            self._is_watching = False
            self._loop().remove_writer(self.fd)
        self._on_progress()

    def drop_backlog(self) -> None:
        """Drop what the terminal has not accepted."""
        # The last written bytes may be half an escape sequence: CAN (\x18) cancels it.
        with self._lock:
            if self._pending:
                self._pending[:] = b"\x18\x1b[0m"

    def drain(self, seconds: float) -> None:
        """Wait up to so many seconds until the terminal has accepted everything."""
        until = time.monotonic() + seconds
        while self._pending and self.fd >= 0 and time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError):
                select.select([], [self.fd], [], until - time.monotonic())
            with self._lock:
                self._write_some()

    def close(self) -> None:
        """Close the descriptor."""
        if self.fd < 0:
            return
        if self._is_watching:
            with contextlib.suppress(Exception):
                self._loop().remove_writer(self.fd)
        os.close(self.fd)
        self.fd = -1
