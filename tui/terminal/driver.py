"""The terminal driver: writes without blocking, and knows what the terminal has received.

Textual's driver queues 30 paints in a thread and then blocks the event loop: on a slow line the
screen is then seconds old. This one buffers what the terminal has not accepted, and asks it for
the cursor's position after a paint: the answer means that the paint has arrived, even through SSH,
which buffers megabytes. `pace.Pace` decides when to paint next.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import select
import signal
import termios
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from livetable.tui.terminal.bell import Bell
from livetable.tui.terminal.job_control import has_shell, stop_group
from livetable.tui.terminal.output import ASK, TerminalOutput
from livetable.tui.terminal.pace import PROBE_SECONDS, RETRY_SECONDS, Pace
from livetable.tui.terminal.ssh_connections import lines_of_tmux

if TYPE_CHECKING:
    from livetable.tui.terminal.slow_line import CarefulPaint

_LEAVE_SECONDS: Final = 1.0
_SWALLOW_SECONDS: Final = 2.0  # at the end, wait this long for answers on their way,
_SWALLOW_TRIPS: Final = 3  # or this many round trips,
_SWALLOW_MOST: Final = 15.0  # but no longer than this
_LAST_SECONDS: Final = 0.02
_NEXT_SECONDS: Final = 0.02  # the last answer may arrive this long after the one before it
_UNDECIDED_MS: Final = 20
_ASK_LAST: Final = "\x1b[c"
"""Asks for the terminal's type, once at the end: it may answer the other question twice."""
_LONGEST_ANSWER: Final = 64
_LAST_ANSWER: Final = re.compile(rb"\x1b\[\?[\d;]*c")


class TerminalDriver(LinuxDriver):
    """Textual's driver, with its own output to the terminal."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._bell = Bell()
        self.exit_event = self._bell
        self.pace = Pace()
        self._lines = lines_of_tmux()
        if self._lines is not None:
            self.pace.backlog = self._lines.backlog
        self.on_progress: Callable[[], None] | None = None
        """Called in the event loop when the terminal has answered, or accepted the last byte."""
        self._raw: list[Any] | None = None  # the terminal's settings while the app runs
        self.careful: CarefulPaint | None = None
        """Paints on slow lines."""
        self.started = 0
        """How often the terminal was taken; the screen is blank each time."""
        self.was_resized = False
        """Whether the terminal was resized since it was taken."""
        self._answers = 0
        self._came = threading.Event()
        self._last_asked_at: float | None = None  # reset once the answer has been awaited
        self._is_last_answered = False
        self._last_read = b""
        self._first_trip = 0.0  # seconds; the first answer can't belong to another question
        self.is_gone = False
        """Whether the terminal is gone for good."""
        self.on_gone: Callable[[], None] | None = None
        """Called when the terminal is gone, in the input thread."""
        self._leaves = False
        self._is_stopping = self._goes_on = False
        try:
            name = os.ttyname(self.fileno)
        except OSError:
            name = None
        self.output = TerminalOutput(name, self.pace, lambda: self._loop, self._progressed)
        """Writes to the terminal."""

    @property
    def size(self) -> tuple[int, int]:
        """The terminal's columns and lines."""
        return self._get_terminal_size()

    @property
    def is_careful(self) -> bool:
        """Whether the line is slow, so that only `careful` may paint."""
        return self.careful is not None and self.careful.is_on

    def leave(self) -> None:
        """Stop painting, and ask the last question now.

        Its answer then arrives while the app shuts down, so that the shell is not kept waiting.
        """
        self._leaves = True
        self._ask_last()

    def ask(self) -> None:
        """Ask the terminal for an answer once it has received everything so far."""
        if self.output.is_open and not self._leaves:
            self.write(ASK)
            self.pace.asked()

    def wait(self) -> float:
        """Return how long to wait before the next paint, in seconds; 0: paint now.

        `on_progress` may be called earlier.
        """
        wait = None if self._leaves else self.pace.wait(self.output.pending)
        if wait == 0 and self.pace.probe():
            self.ask()
            return PROBE_SECONDS
        return RETRY_SECONDS if wait is None else wait

    def ask_if_due(self) -> None:
        """Ask the terminal if too little is known about what it has received."""
        if self.pace.should_ask():
            self.ask()

    def write(self, data: str) -> None:
        """Write without blocking; what the terminal does not accept is buffered."""
        if self.output.is_open:
            self.output.write(data.encode("utf-8", "replace"))
        else:
            super().write(data)

    def _progressed(self) -> None:
        if self.on_progress is not None:
            self.on_progress()

    def start_application_mode(self) -> None:
        """Take the terminal."""
        size = self._get_terminal_size()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.started += 1
        self.write("\x1b[2J")
        self.ask()  # before the first paint: the answer tells how fast the line is
        with contextlib.suppress(termios.error):
            self._raw = termios.tcgetattr(self.fileno)
        # Textual's signal handler can be interrupted by the next resize after it has read the size:
        # the older size is then posted last, and stays. The event loop's handler can't be.
        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._on_resized)
        if self._get_terminal_size() != size:
            self.tell_size()

    def _on_resized(self) -> None:
        self.was_resized = True
        self.tell_size()

    def tell_size(self) -> None:
        """Post the terminal's size to the app."""
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))

    def see_size(self, shown: Size) -> None:
        """Post the terminal's size again if the app shows another one.

        A screen that opens or closes during a resize may miss it, and would keep the old size.
        """
        if tuple(shown) != tuple(self._get_terminal_size()):
            self.tell_size()

    def _sigcont_application(self, *_: Any) -> None:
        """Continue. After Ctrl-Z the terminal must be taken again.

        After `kill -STOP` it was not given back, but a shell may have written on the screen, and
        set the terminal to line mode, in which keys only arrive with Enter.
        """
        self.pace.stood_still()
        if self._is_stopping:
            self._goes_on = True
            return
        if self._must_signal_resume:
            super()._sigcont_application()
            return
        with contextlib.suppress(OSError, termios.error):
            if self._raw is not None and os.tcgetpgrp(self.fileno) == os.getpgrp():
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._raw)
        self._loop.call_soon_threadsafe(self._app.post_message, self.SignalResume())

    def run_input_thread(self) -> None:
        """Read keys and answers until `exit_event` is set, without polling.

        Textual's thread wakes up ten times a second, even if the viewer is idle.
        """
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._bell.listen, select.POLLIN)
        while not self.exit_event.is_set():
            # After an escape, only a timeout tells whether a sequence follows.
            undecided = getattr(parser, "_timeout_time", 0.0) is not None
            ready = dict(poll.poll(_UNDECIDED_MS if undecided else None))
            if self.fileno in ready:
                data = b""
                with contextlib.suppress(OSError):
                    data = os.read(self.fileno, 4096)
                if not data:
                    self._lose()
                    return
                # Never feed an empty text, which the parser takes for the end of input: `text` is
                # empty for part of a UTF-8 character, and for an answer.
                if text := decode(self._hear_last(data)):
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def _hear_last(self, data: bytes) -> bytes:
        """Remove answers to the last question from the input: Textual would parse them as keys.

        Even if this app has not asked: a shell may have asked just before it started the app.
        """
        if self._last_asked_at is not None:
            self._last_read += data
            if _LAST_ANSWER.search(self._last_read):
                self._is_last_answered = True
                self._came.set()
            self._last_read = self._last_read[-_LONGEST_ANSWER:]
        return _LAST_ANSWER.sub(b"", data)

    def _lose(self) -> None:
        """End the app: the terminal is gone.

        SIGHUP is not enough: it does not arrive through `nohup`, `setsid`, `sudo` or a container.
        """
        self.is_gone = True
        self._came.set()
        if self.on_gone is not None:
            self.on_gone()

    def process_message(self, message: Message) -> None:
        """Handle the terminal's answers; pass on all other messages."""
        if isinstance(message, events.CursorPosition):
            if not self._answers and self.output.asked_first is not None:
                self._first_trip = time.monotonic() - self.output.asked_first
            self._answers += 1
            self._came.set()
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._answered, time.monotonic())
            return
        super().process_message(message)

    def _answered(self, moment: float) -> None:
        self.pace.answered(moment)
        self._progressed()

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        self._ask_last()
        self._swallow_answers()
        super().stop_application_mode()
        self.output.drain(_LEAVE_SECONDS)

    def _ask_last(self) -> None:
        """Drop the buffered paints and ask the last questions.

        They are asked after the terminal was told to send no more reports, so nothing else arrives
        after their answers. A terminal that has never answered is not asked.
        """
        if self._last_asked_at is not None:
            return
        self.output.drop_backlog()
        now, asked = time.monotonic(), self.output.asked_first
        never = not self._answers and asked and now > asked + _SWALLOW_SECONDS
        if not self.output.is_open or self._key_thread is None or self.exit_event.is_set() or never:
            return
        self._disable_mouse_support()
        self._disable_bracketed_paste()
        self._last_read, self._is_last_answered = b"", False
        self._last_asked_at = now  # last: from now on the input thread looks for the answer
        self.write(f"\x1b[?1004l{ASK}{_ASK_LAST}")

    def _swallow_answers(self) -> None:
        """Wait for answers that are still on their way: the shell would read them as keys."""
        if (asked := self._last_asked_at) is None:
            return
        trip = max(self._first_trip, self.pace.round_trip or 0.0)
        until = asked + min(max(_SWALLOW_SECONDS, _SWALLOW_TRIPS * trip), _SWALLOW_MOST)
        # For a terminal that ignores the last question, one round trip must be enough.
        without_last = asked + trip + _LAST_SECONDS
        self.output.drain(max(0.0, until - time.monotonic()))
        while (now := time.monotonic()) < until:
            self._came.clear()  # before the checks: what arrives after them wakes the wait
            if self.is_gone or self._is_last_answered:
                break
            if self._answers >= self.output.questions:
                until = min(until, max(without_last, now + _NEXT_SECONDS))
            self._came.wait(max(0.0, until - now))
        self._last_asked_at = None

    def _sigtstp_application(self, *_: Any) -> None:
        """Stop the process, unless there is no shell that could continue it."""
        if self._auto_restart and has_shell():
            self._stop_after(partial(os.kill, os.getpid(), signal.SIGSTOP))

    def stop_group(self) -> None:
        """Give the terminal back and stop the whole process group, like Ctrl-Z in a terminal.

        Stopping only this process would leave its parents (`uv run`, `sh -c`) running, and the
        shell waiting for them. The terminal is given back first: the shell takes it as soon as the
        job is stopped, and would read answers that are still on their way.
        """
        self._stop_after(stop_group)

    def _stop_after(self, stop: Callable[[], None]) -> None:
        """Give the terminal back, then stop, unless SIGCONT has arrived meanwhile."""
        self._is_stopping, self._goes_on = True, False
        try:
            self.suspend_application_mode()
        finally:
            self._is_stopping = False
        self._must_signal_resume = True
        if self._goes_on:
            self._sigcont_application()
        else:
            stop()

    def suspend_application_mode(self) -> None:
        """Give the terminal back for a while: Ctrl-Z.

        Textual's method closes the driver. But output and bell are needed again after `fg`: without
        the output, paints block; with a closed bell, the input thread spins.
        """
        self.stop_application_mode()
        super().close()
        self.pace.forget()

    def close(self) -> None:
        """Close the output."""
        self.output.drain(_LEAVE_SECONDS)
        self.output.close()
        super().close()
        if self._lines is not None:
            self._lines.close()
        self._bell.close()


def driver_for_terminal() -> type[LinuxDriver] | None:
    """Return the driver to use; None: let Textual choose (not a POSIX terminal)."""
    return TerminalDriver if os.isatty(0) and hasattr(os, "ttyname") else None
