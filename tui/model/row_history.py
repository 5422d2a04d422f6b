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
"""A `read` stops after this long; the next one continues."""


class RowHistory:
    """Reads a row's numbers from the tables of a history, each table once.

    Args:
        history: The history.
        points: At most this many of the newest tables are read.
    """

    def __init__(self, history: History, points: int) -> None:
        self._history = history
        self._points = points
        self._known: dict[int, dict[ColumnRef, Any]] = {}
        self._of: object = None
        self.whole = True
        """Whether the last `read` covered all tables; if not, the next ones read the rest."""

    def read(
        self, table: Table, row: int, columns: Sequence[ColumnRef], until: float = math.inf
    ) -> tuple[list[float], dict[ColumnRef, list[float]]]:
        """Return times, and each column's values at these times; NaN for missing ones.

        Args:
            table: A table that shows the row.
            row: The row's number, as shown.
            columns: Numeric columns.
            until: Leave out tables that were sent later, by the monotonic clock.
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
        deadline = time.monotonic() + BUDGET_SECONDS
        self.whole, has_read = True, False
        for number in reversed(numbers):  # from the newest: a row moves little between frames
            then = history.at(number)
            if number not in self._known:
                if has_read and time.monotonic() > deadline:
                    self.whole = False
                    break
                has_read = True
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
    """Return numbers as a line of blocks, the newest at the right; NaN is a space."""
    if len(values) > width:  # each block shows the last value of its interval
        step = len(values) / width
        values = [values[min(len(values), round((x + 1) * step)) - 1] for x in range(width)]
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
