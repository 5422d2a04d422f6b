"""The terminal: written to without blocking, and known to have taken what was written.

Textual's own driver hands 30 paints to a thread and then blocks the event loop; through a slow line
what is shown is then seconds old. This one keeps what the terminal has not taken yet, and asks
the terminal after a paint where its cursor is: the answer means that it has seen the paint, also
through SSH, whose other end buffers megabytes. `pace.Pace` says when the next paint may be made.
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
_SWALLOW_SECONDS: Final = 2.0  # that the end waits for answers which are still on their way
_SWALLOW_TRIPS: Final = 3  # or so many times as long as the last answer took,
_SWALLOW_MOST: Final = 15.0  # but not longer than this
_LAST_SECONDS: Final = 0.02
_NEXT_SECONDS: Final = 0.02  # that the last answer may come behind the one before it
_UNDECIDED_MS: Final = 20
_ASK_LAST: Final = "\x1b[c"
"""What it is, asked once, at the end: a terminal may answer the other question twice."""
_LONGEST_ANSWER: Final = 64
_LAST_ANSWER: Final = re.compile(rb"\x1b\[\?[\d;]*c")


class TerminalDriver(LinuxDriver):
    """Textual's driver, with an output of its own on the terminal."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self._bell = Bell()
        self.exit_event = self._bell
        self.pace = Pace()
        self._lines = lines_of_tmux()
        if self._lines is not None:
            self.pace.backlog = self._lines.backlog
        self.on_progress: Callable[[], None] | None = None
        """Called in the event loop when the terminal answered or took the last byte."""
        self._raw: list[Any] | None = None  # the terminal's settings while it is taken
        self.careful: CarefulPaint | None = None
        """What paints while each byte counts."""
        self.started = 0
        """How often the terminal was taken: each time it is blank."""
        self.was_resized = False
        """Whether it has been another size since it was taken, or may have been."""
        self._answers = 0
        self._came = threading.Event()
        self._last_asked_at: float | None = None  # only until its answer was waited for
        self._is_last_answered = False
        self._last_read = b""
        self._first_trip = 0.0  # seconds; sure to be no other question's answer
        self.is_gone = False
        """Whether nothing comes from the terminal any more, nor will."""
        self.on_gone: Callable[[], None] | None = None
        """Called when that is so; in the thread that reads."""
        self._leaves = False
        self._is_stopping = self._goes_on = False
        try:
            name = os.ttyname(self.fileno)
        except OSError:
            name = None
        self.output = TerminalOutput(name, self.pace, lambda: self._loop, self._progressed)
        """Where it writes to."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal."""
        return self._get_terminal_size()

    @property
    def is_careful(self) -> bool:
        """Whether each byte counts: nobody but `careful` paints then."""
        return self.careful is not None and self.careful.is_on

    def leave(self) -> None:
        """Paint no more, and ask nothing but the last: what is asked now keeps the shell waiting.

        It is asked at once: what else there is to be done at the end is done until it is answered.
        """
        self._leaves = True
        self._ask_last()

    def ask(self) -> None:
        """Ask the terminal to say when it has come this far."""
        if self.output.is_open and not self._leaves:
            self.write(ASK)
            self.pace.asked()

    def wait(self) -> float:
        """Return in how many seconds to look again whether to paint; 0 for now.

        The terminal may tell before (`on_progress`).
        """
        wait = None if self._leaves else self.pace.wait(self.output.pending)
        if wait == 0 and self.pace.probe():
            self.ask()
            return PROBE_SECONDS
        return RETRY_SECONDS if wait is None else wait

    def ask_if_due(self) -> None:
        """Ask the terminal, if it is not known well enough what it has seen."""
        if self.pace.should_ask():
            self.ask()

    def write(self, data: str) -> None:
        """Write without blocking; what the terminal does not take is kept, in order."""
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
        self.ask()  # before anything is painted: by the answer it is known how much may be
        with contextlib.suppress(termios.error):
            self._raw = termios.tcgetattr(self.fileno)
        # Textual's own handler can be interrupted by the next change between reading a size and
        # telling it: the older size is told last then, and stays. The loop's runs whole.
        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._on_resized)
        if self._get_terminal_size() != size:
            self.tell_size()

    def _on_resized(self) -> None:
        self.was_resized = True
        self.tell_size()

    def tell_size(self) -> None:
        """Tell the app how large the terminal is."""
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))

    def see_size(self, shown: Size) -> None:
        """Tell the app the terminal's size again, if it shows another one.

        A screen that comes or goes in the moment of a change may not hear of it, and would keep the
        old size for good.
        """
        if tuple(shown) != tuple(self._get_terminal_size()):
            self.tell_size()

    def _sigcont_application(self, *_: Any) -> None:
        """Go on. Only after Ctrl-Z was the terminal given back, and has to be taken again.

        Whoever else stopped the viewer (`kill -STOP`): a shell may have written over the screen,
        and set the terminal to reading lines, so that keys come only with Enter.
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
        """Read keys and answers until `exit_event` is set, asleep between them.

        Textual's own looks ten times a second, which is all that an idle viewer would do.
        """
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        poll = select.poll()
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._bell.listen, select.POLLIN)
        while not self.exit_event.is_set():
            # After an escape it is seen by the clock whether more of a sequence comes.
            undecided = getattr(parser, "_timeout_time", 0.0) is not None
            ready = dict(poll.poll(_UNDECIDED_MS if undecided else None))
            if self.fileno in ready:
                data = b""
                with contextlib.suppress(OSError):
                    data = os.read(self.fileno, 4096)
                if not data:
                    self._lose()
                    return
                # Nothing to read, for who asks the parser, is the end of all input: so it is with
                # a part of a letter, and with what was an answer only.
                if text := decode(self._hear_last(data)):
                    for message in parser.feed(text):
                        self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def _hear_last(self, data: bytes) -> bytes:
        """Take answers to the last question out of what was read: its parser takes them for keys.

        Also what nobody here asked for: a shell that asks before it starts a command may be gone
        when the answer comes.
        """
        if self._last_asked_at is not None:
            self._last_read += data
            if _LAST_ANSWER.search(self._last_read):
                self._is_last_answered = True
                self._came.set()
            self._last_read = self._last_read[-_LONGEST_ANSWER:]
        return _LAST_ANSWER.sub(b"", data)

    def _lose(self) -> None:
        """End the app: the terminal is gone. A signal may say so, too, but not to everybody.

        It comes to the shell's jobs; not through `nohup`, `setsid`, `sudo` or a container's door.
        """
        self.is_gone = True
        self._came.set()
        if self.on_gone is not None:
            self.on_gone()

    def process_message(self, message: Message) -> None:
        """Keep the terminal's answers to oneself; pass on the rest."""
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
        """Drop the backlog of paints, which nobody will see, and ask the terminal the last things.

        They come behind all that makes a terminal report by itself. Once they are answered, nothing
        is left on the line. A terminal that has never answered is not asked.
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
        self._last_asked_at = now  # behind those: the thread that reads looks for the answer now
        self.write(f"\x1b[?1004l{ASK}{_ASK_LAST}")

    def _swallow_answers(self) -> None:
        """Wait for the answers that are still on their way: the shell would take them for keys."""
        if (asked := self._last_asked_at) is None:
            return
        trip = max(self._first_trip, self.pace.round_trip or 0.0)
        until = asked + min(max(_SWALLOW_SECONDS, _SWALLOW_TRIPS * trip), _SWALLOW_MOST)
        # One that does not know the last question is waited for no longer than it takes to answer.
        without_last = asked + trip + _LAST_SECONDS
        self.output.drain(max(0.0, until - time.monotonic()))
        while (now := time.monotonic()) < until:
            self._came.clear()  # before the look: what comes behind it wakes
            if self.is_gone or self._is_last_answered:
                break
            if self._answers >= self.output.questions:
                until = min(until, max(without_last, now + _NEXT_SECONDS))
            self._came.wait(max(0.0, until - now))
        self._last_asked_at = None

    def _sigtstp_application(self, *_: Any) -> None:
        """Stop, unless nobody is there who would have it go on, as the system's own stop has it."""
        if self._auto_restart and has_shell():
            self._stop_after(partial(os.kill, os.getpid(), signal.SIGSTOP))

    def stop_group(self) -> None:
        """Give the terminal back and stop, with the whole process group, as a terminal's Ctrl-Z.

        Who started this (`uv run`, `sh -c`) would go on waiting for it else, and the shell for
        them. The terminal is given back before: a shell that sees its job stopped takes it at once,
        and would read the answers that are still on their way.
        """
        self._stop_after(stop_group)

    def _stop_after(self, stop: Callable[[], None]) -> None:
        """Give the terminal back, then stop; not if told to go on while that was done."""
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

        Textual's own closes the driver. Output and bell are needed again behind `fg`: without the
        first paints block, with the second closed the input thread finds news without end.
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
    """Return the driver to use, None for Textual's choice (no POSIX terminal)."""
    return TerminalDriver if os.isatty(0) and hasattr(os, "ttyname") else None
