"""Reads a table without a screen: yields its states until it is asked to end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from livetable.feed.base.command_line import INTERRUPTED, SAID_SECONDS, say
from livetable.feed.base.signals import heed
from livetable.feed.base.terminal_text import harmless
from livetable.feed.errors import LivetableError
from livetable.tui.target import Target, ViewOptions
from livetable.tui.text.places import started

if TYPE_CHECKING:
    from livetable.feed.protocol.source_status import SourceStatus
    from livetable.feed.tape.recorder import Recorder
    from livetable.tui.model.feed_state import FeedState
    from livetable.tui.model.history import History
    from livetable.tui.model.table import Table


class NoTable(LivetableError):
    """The table did not arrive in time, or is not what was asked for."""


def nothing_of(awaited: str) -> str:
    """Return the beginning of a sentence: ``No rows of orders.csv`` for ``rows of orders.csv``."""
    return f"No {awaited.removeprefix('a ').removeprefix('the ')}"


class Hint:
    """Says once on stderr what is being waited for, if it takes more than a moment."""

    def __init__(self) -> None:
        self._due = time.monotonic() + SAID_SECONDS
        self._said = False

    def left(self, until: float | None) -> float | None:
        """Return the seconds to wait for news: until the limit, or until the hint is due."""
        limits = (until, None if self._said else self._due)
        ends = [limit for limit in limits if limit is not None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def is_due(self) -> bool:
        """Tell whether to say the hint now."""
        return not self._said and time.monotonic() >= self._due

    def say(self, sentence: str) -> None:
        """Say a sentence instead of the hint, which is then never said."""
        self._said = True
        say("livetable", sentence)


class Reading:
    """Reads a table. Iterate over it once, in the main thread.

    Args:
        target: The table.
        timeout: Seconds after which to give up; None: never.
        recorder: Records the table, None for no recording.
        until: When to give up, by the monotonic clock, if part of the timeout has passed already.
        settled: Whether to wait until an incomplete last line is a row.
        conditions: Expressions that will be applied: if one looks back, past states are kept.

    Attributes:
        satisfied: Whether the wait is over, so that the timeout no longer applies.
        code: The exit code: 130 after Ctrl-C, else 0.
        awaits: What the reader waits for once there is a table, None for nothing.
    """

    def __init__(
        self,
        target: Target,
        timeout: float | None,
        recorder: Recorder | None = None,
        until: float | None = None,
        *,
        settled: bool = False,
        conditions: Sequence[str] = (),
    ) -> None:
        from livetable.tui.workers.feed import FeedReader

        self.satisfied = False
        self.code = 0
        self.awaits: str | None = None
        self._target = target
        self._timeout = timeout
        self._until = until
        self._settled = settled
        self._whole: Table | None = None
        self._came: Table | None = None
        self._history = _history_for(conditions)
        self._progress = _Progress()
        self._news = threading.Event()
        self._ended = False
        self._subscriber = FeedReader(target, self._news.set, recorder=recorder)

    def end(self, code: int = 0) -> None:
        """End the iteration; from any thread."""
        self.code = code
        self._ended = True
        self._news.set()

    def end_by_signals(self) -> None:
        """End the iteration on a signal, with its exit code."""
        heed(lambda number: self.end(INTERRUPTED if number == signal.SIGINT else 0))

    def __iter__(self) -> Iterator[FeedState]:
        """Yield each new state.

        Raises:
            NoTable: the wait timed out, or the source has failed for good.
        """
        # Long, as it is one loop: each state is looked at in this order.
        until = self._until
        if until is None and self._timeout is not None:
            until = time.monotonic() + self._timeout
        worker = threading.Thread(target=self._subscriber.run, daemon=True)
        worker.start()
        from livetable.tui.model.feed_state import Link

        link: Link | None = None
        said: set[str] = set()
        lacks = False
        hint = Hint()
        try:
            while not self._ended:
                self._news.clear()
                state = self._as_whole(self._subscriber.take())
                if state.failure is not None and state.table is None:
                    # It may have been said as a note already: don't say it twice.
                    raise NoTable("" if state.failure in said else state.failure)
                note = state.note if state.failure is None else None  # a failure is said at the end
                for sentence in (note, state.problem):
                    if sentence and sentence not in said:
                        said.add(sentence)
                        hint.say(sentence)
                if state.link is not link and state.link is Link.GONE:
                    title = self._target.title
                    gone = f"{title} stopped answering: waiting for it"
                    if link in (None, Link.CONNECTING, Link.WAITING):  # a broker kept it
                        gone = f"The producer of {title} no longer answers: this is its last state"
                    say("livetable", gone)
                link = state.link
                if state.source.unreadable and not (lacks or self._settled):
                    lacks = True
                    say("livetable", lacking(state.source) or "")
                yield state
                if state.failure is not None:  # after the yield: rows that did arrive are printed
                    raise NoTable("" if state.failure in said else state.failure)
                if hint.is_due() and not self.satisfied and self._progress.done is None:
                    awaits = self._awaited(state)
                    hint.say(f"waiting for {awaits}" if awaits else "")
                self._subscriber.credit()
                limit = None if self.satisfied else until
                if limit is not None and time.monotonic() >= limit:
                    raise self._missing(state.table)
                self._news.wait(hint.left(limit))
        finally:
            self._progress.end()
            self._subscriber.stop()
            worker.join(5)

    def _as_whole(self, state: FeedState) -> FeedState:
        """Return a state whose table is complete: while a file is being read, the last such one."""
        source = state.source
        if source.reading is not None or (self._settled and source.settling):
            if source.reading is not None:
                self._progress.show(self._target.title, source.reading)
            return replace(state, table=self._whole)
        self._progress.end()
        if state.table is not self._came:
            self._came = self._whole = state.table
            if state.table is not None and self._history is not None:
                self._whole = self._history.keep(state.table)
        return state if self._history is None else replace(state, table=self._whole)

    def _missing(self, table: Table | None) -> NoTable:
        if self._progress.done is not None:
            share = f"{self._progress.done:.0%} of {self._target.title}"
            return NoTable(f"Read only {share} within {self._timeout:g} s")
        within = f"within {self._timeout:g} s"
        if table is not None:
            return NoTable(f"No {self.awaits.removeprefix('the ')} {within}" if self.awaits
                           else f"No row matched {within}")  # fmt: skip
        endpoint = self._target.endpoint
        if started(endpoint) is not None:
            return NoTable(f"{nothing_of(self._awaited_table(heard=True))} {within}")
        if endpoint is not None:
            return NoTable(f"No table {self._target.table!r} at {endpoint} {within}")
        from livetable.tui.workers.listing import live_now

        return NoTable(f"No table {self._target.table!r}. {live_now()}")

    def _awaited(self, state: FeedState) -> str | None:
        if state.table is not None:
            return self.awaits
        return self._awaited_table(heard=state.heard > 0)

    def _awaited_table(self, *, heard: bool) -> str:
        endpoint = self._target.endpoint
        if (feed := started(endpoint)) is not None:
            return feed.awaits
        if endpoint is not None and not heard:
            return f"a feed at {endpoint}"
        return f"table {self._target.table!r}" + (f" at {endpoint}" if endpoint else "")


def asked(options: ViewOptions) -> tuple[str, ...]:
    """Return the conditions that the options apply to the table."""
    return (*options.where, *([] if options.until is None else [options.until]))


def _history_for(conditions: Sequence[str]) -> History | None:
    """Return a history if a condition looks back, else None: a history takes memory."""
    if not conditions:
        return None
    from livetable.tui.model.history import History
    from livetable.tui.query.conditions import Watch
    from livetable.tui.query.expression import parse
    from livetable.tui.query.nodes import BadExpression

    parts = [part for text in conditions for part in Watch(text).conditions if part is not None]
    for part in parts:
        with contextlib.suppress(BadExpression):  # reported when it is evaluated
            if parse(part, None).spans:
                return History()
    return None


class _Progress:
    """Shows on stderr how much of a large file has been read; nothing for a small one."""

    def __init__(self) -> None:
        self.done: float | None = None
        """The share that has been read, None if nothing is being read."""
        self._since = 0.0
        self._said = 0.0
        self._is_said = False

    def show(self, title: str, done: float) -> None:
        """Show the progress."""
        now = time.monotonic()
        if self.done is None:
            self._since = self._said = now
        self.done = done
        live = sys.stderr is not None and sys.stderr.isatty()
        if now - self._since < _SLOW or now - self._said < (0.2 if live else _OFTEN):
            return
        self._said = now
        text = f"livetable: reading {harmless(title)} {done:.0%}"
        with contextlib.suppress(OSError, ValueError):
            print(f"\r{text} " if live else text, end="" if live else "\n", file=sys.stderr,
                  flush=True)  # fmt: skip
            self._is_said = live

    def end(self) -> None:
        """Erase the line: the file has been read."""
        self.done = None
        if self._is_said:
            self._is_said = False
            with contextlib.suppress(OSError, ValueError):
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)


_SLOW: Final = 1.0  # seconds before the first line
_OFTEN: Final = 5.0  # seconds between lines that are not on a terminal


def lacking(source: SourceStatus) -> str | None:
    """Return a sentence on the lines that could not be read; None if all could."""
    if not source.unreadable:
        return None
    number, text, why = source.lines[0] if source.lines else (0, "", "")
    lines = "1 line" if source.unreadable == 1 else f"{source.unreadable:,} lines"
    return f"{lines} could not be read: line {number} {why}: {text:.80}"


def shown_of(table: Table, options: ViewOptions) -> Table:
    """Return a table with the filters, the sort and the columns of the command line.

    Raises:
        NoTable: it lacks a column, or a filter can't be applied.
    """
    if options.sort or options.where:
        from livetable.tui.query.arrange import arrange, first_arrangement

        done = arrange(table, first_arrangement(options.sort, options.where))
        if done.problems:
            raise NoTable(done.problems[0])
        table = done.table
    if options.columns is not None:
        if missing := table.missing(options.columns):
            known = ", ".join(map(repr, table.titles))
            raise NoTable(f"No column {missing[0]!r}. Columns: {known}")
        table = table.select(options.columns)
    return table
