"""One row's values over time, from the history. No Textual."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Final

from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.history import History
from livetable.tui.model.table import Table

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


BUDGET_SECONDS: Final = 0.03
"""A `read` looks for no further table when it has taken this long."""


class RowHistory:
    """Reads a row's numbers out of the tables of a history, each table once.

    Args:
        history: Where the tables are.
        points: How many of them to look at, at most; the newest ones.
    """

    def __init__(self, history: History, points: int) -> None:
        self._history = history
        self._points = points
        self._known: dict[int, dict[ColumnRef, Any]] = {}
        self._of: object = None
        self.whole = True
        """Whether the last `read` got through all tables. It may take long to find a row in them;
        what it did not get to is read by the next ones."""

    def read(
        self, table: Table, row: int, columns: Sequence[ColumnRef], until: float = math.inf
    ) -> tuple[list[float], dict[ColumnRef, list[float]]]:
        """Return times and each column's values then; NaN where there was none.

        Args:
            table: A table that shows the row.
            row: The row, as it is shown.
            columns: Columns of numbers.
            until: Nothing that was sent later.
        """
        history = self._history
        of = (table.identity(row), tuple(columns))
        if of != self._of:
            self._of = of
            self._known.clear()
        last = history.number_at(until) if until < math.inf else history.last
        numbers = range(max(history.first, last - self._points + 1), last + 1)
        for number in [number for number in self._known if number not in numbers]:
            del self._known[number]
        times: list[float] = []
        values: dict[ColumnRef, list[float]] = {column: [] for column in columns}
        near = table.row_in_frame(row)
        until_then = time.monotonic() + BUDGET_SECONDS
        self.whole, got_on = True, False
        for number in reversed(numbers):  # back from now: a row moves little from frame to frame
            then = history.at(number)
            if number not in self._known:
                if got_on and time.monotonic() > until_then:
                    self.whole = False
                    break
                got_on = True
                place = then.find(table, row, near)
                self._known[number] = _numbers(then, place, columns)
                near = place if place is not None else near
            times.append(then.sent)
            for column in columns:
                values[column].append(self._known[number].get(column, math.nan))
        return times[::-1], {column: found[::-1] for column, found in values.items()}


def _numbers(table: Table, row: int | None, columns: Sequence[ColumnRef]) -> dict[ColumnRef, float]:
    numbers: dict[ColumnRef, float] = {}
    if row is None:
        return numbers
    for column in columns:
        at = table.column_at(column)
        if at is not None:
            value = table.window(at, row, row + 1)[0].as_py()
            try:
                numbers[column] = math.nan if value is None else float(value)
            except (TypeError, ValueError, OverflowError):
                continue
    return numbers


def sparkline(values: Sequence[float], width: int) -> str:
    """Return numbers as a line of blocks, the newest at the right; a space where there is none."""
    if len(values) > width:  # each block is the last value of its share of the time
        step = len(values) / width
        values = [values[min(len(values), round((at + 1) * step)) - 1] for at in range(width)]
    known = [value for value in values if math.isfinite(value)]
    least, most = min(known, default=0.0), max(known, default=0.0)
    span = most - least
    blocks = []
    for value in values:
        if not math.isfinite(value):
            blocks.append(" ")
        elif span <= 0 or not math.isfinite(span):
            blocks.append(_BLOCKS[0])
        else:
            blocks.append(_BLOCKS[min(int((value - least) / span * 8), 7)])
    return "".join(blocks).rjust(width)
