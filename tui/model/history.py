"""The states of a table that were shown, limited in bytes; the oldest go first. No Textual."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Final

from livetable.tui.model.budget import USUAL, Budget
from livetable.tui.model.headings import Span
from livetable.tui.model.table import Table

_FRAME: Final = 3000
_COLUMN: Final = 650
"""Bytes that a frame and each of its columns take besides the body, as Arrow and Python objects.

Measured: the growth of the process with tables of 3, 20 and 200 columns.
"""


class History:
    """The tables that were shown, by time.

    Any thread may read; only the event loop adds.

    Args:
        budget: The memory limit, shared with other histories of the same budget. The newest table
            is always kept. None: a budget of the default size.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or USUAL.budget()
        self.budget.join(self)
        self.bytes = 0
        """The bytes it takes now."""
        self.marked: Table | None = None
        """The marked table, with which others are compared, None if there is none."""
        self._tables: list[Table] = []
        self._times: list[float] = []
        self._first = 0
        self._sizes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tables)

    @property
    def first(self) -> int:
        """The number of the oldest table. A table keeps its number."""
        return self._first

    @property
    def last(self) -> int:
        """The number of the newest table, one less than `first` if there is none."""
        return self._first + len(self._tables) - 1

    @property
    def seconds(self) -> float:
        """Seconds from the oldest to the newest table."""
        return self._times[-1] - self._times[0] if self._times else 0.0

    @property
    def to_wall(self) -> float:
        """The difference between seconds since 1970 and the monotonic clock."""
        return time.time() - time.monotonic()

    def add(self, table: Table) -> None:
        """Add a table. Times never decrease: an earlier time is replaced by the last one."""
        with self._lock:
            sent = max(table.sent, self._times[-1]) if self._times else table.sent
            self._tables.append(table)
            self._times.append(sent)
            self._sizes += size_of(table)
            self._count()
        self.budget.keep()

    def keep(self, table: Table) -> Table:
        """Add the newest table; return it with this history as its past."""
        # Strictly later than the one before: `before` finds states by their times.
        after = self.at(self.last).sent + 1e-6 if len(self) else table.sent
        table = replace(table, past=self, sent=max(table.sent, after))
        self.add(table)
        return table

    def forget(self) -> None:
        """Forget the oldest table."""
        with self._lock:
            self._sizes -= size_of(self._tables[0])
            # This only shifts pointers. A ring buffer could not be searched with `bisect`.
            del self._tables[:1], self._times[:1]
            self._first += 1
            self._count()

    def clear(self) -> None:
        """Forget all tables."""
        with self._lock:
            self._first += len(self._tables)
            self._sizes = self.bytes = 0
            self._tables.clear()
            self._times.clear()
            self.marked = None

    def _count(self) -> None:
        """Count the bytes: all that the oldest table holds, plus what each later one added."""
        oldest = self._tables[0]
        self.bytes = self._sizes + max(0, oldest.held - oldest.size)

    def at(self, number: int) -> Table:
        """Return the table with a number, or the nearest one.

        Raises:
            LookupError: there are no tables.
        """
        with self._lock:
            if not self._tables:
                raise LookupError("nothing was shown yet")
            return self._tables[min(max(0, number - self._first), len(self._tables) - 1)]

    def number_at(self, moment: float) -> int:
        """Return the number of the table that was shown at a moment of the monotonic clock."""
        with self._lock:
            return self._first + max(0, bisect_right(self._times, moment) - 1)

    def before(self, table: Table, span: Span) -> Table | None:
        """Return an earlier state.

        Args:
            table: The later state.
            span: ``"mark"``, or seconds; 0 is the previous frame.

        Returns:
            The state, None if it is not kept.
        """
        if span == "mark":
            return self.marked
        with self._lock:
            if span == 0:
                index = bisect_left(self._times, table.sent) - 1
            else:
                index = bisect_right(self._times, table.sent - span) - 1
            return self._tables[index] if index >= 0 else None

    def tables(self, since: float = float("-inf")) -> list[Table]:
        """Return the tables since a moment, oldest first."""
        with self._lock:
            return self._tables[bisect_left(self._times, since) :]


def size_of(table: Table) -> int:
    """Return how many bytes a table takes."""
    return table.size + _FRAME + _COLUMN * len(table.sources)
