"""A table read without a screen: one state after the other, until it is told to end."""

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
    """No table came in time, or not the one that was asked for."""


def nothing_of(awaited: str) -> str:
    """Return how to say that what was waited for did not come: ``no rows of orders.csv``."""
    return f"No {awaited.removeprefix('a ').removeprefix('the ')}"


class Hint:
    """Says what is waited for, once, on stderr, if it takes a while."""

    def __init__(self) -> None:
        self._due = time.monotonic() + SAID_SECONDS
        self._said = False

    def left(self, until: float | None) -> float | None:
        """Return how long to wait for news: until a time, or until there is something to say."""
        ends = [one for one in (until, None if self._said else self._due) if one is not None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def is_due(self) -> bool:
        """Tell whether to say it now."""
        return not self._said and time.monotonic() >= self._due

    def say(self, sentence: str) -> None:
        """Say it, or something else in its place: it is not said again."""
        self._said = True
        say("livetable", sentence)


class Reading:
    """Reads a table; to be iterated over once, in the main thread.

    Args:
        target: The table.
        timeout: Seconds after which to give up; None: never.
        recorder: What records the table, None if nothing does.
        until: When to give up, by the monotonic clock, if some of the time is over already.
        settled: Whether also a line without an end is waited for, until it is a row.
        conditions: What the table is asked: where one looks back, each table has its past.

    Attributes:
        satisfied: Whether what was waited for is there: nobody gives up any more.
        code: The exit code: that of a signal that ended it, else 0.
        awaits: What is waited for once there is a table, None for nothing more than that.
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
        from livetable.tui.workers.feed import Subscriber

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
        self._subscriber = Subscriber(target, self._news.set, recorder=recorder)

    def end(self, code: int = 0) -> None:
        """End the iteration; from any thread."""
        self.code = code
        self._ended = True
        self._news.set()

    def end_by_signals(self) -> None:
        """End in order when asked to by a signal, with the exit code that goes with it."""
        heed(lambda number: self.end(INTERRUPTED if number == signal.SIGINT else 0))

    def __iter__(self) -> Iterator[FeedState]:
        """Yield each state that is news.

        Raises:
            NoTable: what was waited for did not come in time, or the source said that it never
                will.
        """
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
                    # As a note it may have been said before; then it is not said twice.
                    raise NoTable("" if state.failure in said else state.failure)
                note = state.note if state.failure is None else None  # it is said at the end
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
                if state.failure is not None:  # behind its rows: of those that came, none is lost
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
        """Return a state with the last table that was a whole: of a part nobody is told."""
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
    """Return what a table is asked until something comes to be, or to print some of its rows."""
    return (*options.where, *([] if options.until is None else [options.until]))


def _history_for(conditions: Sequence[str]) -> History | None:
    """Return where tables are kept, None if no condition asks for what was: it takes memory."""
    if not conditions:
        return None
    from livetable.tui.model.history import History
    from livetable.tui.query.conditions import Watch
    from livetable.tui.query.expression import parse
    from livetable.tui.query.nodes import BadExpression

    parts = [part for text in conditions for part in Watch(text).conditions if part is not None]
    for part in parts:
        with contextlib.suppress(BadExpression):  # who works it out will say so
            if parse(part, None).spans:
                return History()
    return None


class _Progress:
    """A line on stderr that says how much of a long file is read; none for what is short."""

    def __init__(self) -> None:
        self.done: float | None = None
        """How much is read, None if nothing is under way."""
        self._since = 0.0
        self._said = 0.0
        self._is_said = False

    def show(self, title: str, done: float) -> None:
        """Say how far it is."""
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
        """Take the line away: all is read."""
        self.done = None
        if self._is_said:
            self._is_said = False
            with contextlib.suppress(OSError, ValueError):
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)


_SLOW: Final = 1.0
_OFTEN: Final = 5.0


def lacking(source: SourceStatus) -> str | None:
    """Return what a table lacks of what its source has, as a sentence; None if it lacks nothing."""
    if not source.unreadable:
        return None
    number, text, why = source.lines[0] if source.lines else (0, "", "")
    lines = "1 line" if source.unreadable == 1 else f"{source.unreadable:,} lines"
    return f"{lines} could not be read: line {number} {why}: {text:.80}"


def shown_of(table: Table, options: ViewOptions) -> Table:
    """Return a table with the rows, the order and the columns that the command line asks for.

    Raises:
        NoTable: it lacks a column, or a filter can't be read.
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
