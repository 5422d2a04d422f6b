"""A table read without a screen: one state after the other, until it is told to end."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from livetable.feed.errors import LivetableError
from livetable.feed.harmless import harmless
from livetable.tui.target import Target, ViewOptions

if TYPE_CHECKING:
    from livetable.feed.recording import Recorder
    from livetable.tui.model import Table
    from livetable.tui.subscriber import FeedState

INTERRUPTED: Final = 130


class NoTable(LivetableError):
    """No table came in time, or not the one that was asked for."""


class Reading:
    """Reads a table; to be iterated over once, in the main thread.

    Args:
        target: The table.
        timeout: Seconds after which to give up; None: never.
        recorder: What records the table, None if nothing does.
        until: When to give up, by the monotonic clock, if some of the time is over already.

    Attributes:
        satisfied: Whether what was waited for is there: nobody gives up any more.
        code: The exit code: that of a signal that ended it, else 0.
    """

    def __init__(
        self,
        target: Target,
        timeout: float | None,
        recorder: Recorder | None = None,
        until: float | None = None,
    ) -> None:
        from livetable.tui.subscriber import Subscriber

        self.satisfied = False
        self.code = 0
        self._target = target
        self._timeout = timeout
        self._until = until
        self._news = threading.Event()
        self._ended = False
        self._subscriber = Subscriber(target, self._news.set, recorder=recorder)

    def end(self, code: int = 0) -> None:
        """End the iteration; from a signal's handler as well."""
        self.code = code
        self._ended = True
        self._news.set()

    def end_by_signals(self) -> None:
        """End in order when asked to by a signal, with the exit code that goes with it."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(
                    getattr(signal, name),
                    lambda number, _: self.end(INTERRUPTED if number == signal.SIGINT else 0),
                )

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
        said = None
        try:
            while not self._ended:
                self._news.clear()
                state = self._subscriber.take()
                if state.failure is not None and state.table is None:
                    raise NoTable(state.failure)
                if state.note and state.note != said:
                    said = state.note
                    print(f"livetable: {harmless(said)}", file=sys.stderr)
                yield state
                self._subscriber.credit()
                left = None if until is None or self.satisfied else until - time.monotonic()
                if left is not None and left <= 0:
                    raise self._missing(state.table)
                self._news.wait(left)
        finally:
            self._subscriber.stop()
            worker.join(5)

    def _missing(self, table: Table | None) -> NoTable:
        within = f"within {self._timeout:g} s"
        if table is not None:
            return NoTable(f"{self._target.title} did not come to it {within}")
        where = f" on {self._target.endpoint}" if self._target.endpoint else ""
        return NoTable(f"no table {self._target.table!r}{where} {within}")


def shown_of(table: Table, options: ViewOptions) -> Table:
    """Return a table with the rows, the order and the columns that the command line asks for.

    Raises:
        NoTable: it lacks a column, or a filter can't be read.
    """
    if options.sort or options.where:
        from livetable.tui.arrange import arrange, first_arrangement

        done = arrange(table, first_arrangement(options.sort, options.where))
        if done.problems:
            raise NoTable(done.problems[0])
        table = done.table
    if options.columns is not None:
        if missing := table.missing(options.columns):
            known = ", ".join(map(repr, table.titles))
            raise NoTable(f"there is no column {missing[0]!r}; there are {known}")
        table = table.select(options.columns)
    return table
