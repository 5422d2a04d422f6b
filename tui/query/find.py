"""Search: finds the next match of a text in a table, in reading order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from livetable.tui.model.table import Column, Table
from livetable.tui.query.text_match import FormOf, containing


class Matches:
    """The matches of a text in one state of a table.

    Args:
        table: The table as it is shown.
        text: The text; case is ignored.
        column: The only column to search, None for all.
        form_of: Returns a column's format on the screen.
    """

    def __init__(
        self,
        table: Table,
        text: str,
        column: int | None = None,
        form_of: FormOf = lambda column: None,
    ) -> None:
        self._table = table
        self._searched = tuple(range(len(table.titles))) if column is None else (column,)
        mask = np.zeros(table.frame_rows, dtype=bool)
        self._found: dict[int, np.ndarray[Any, Any]] = {}
        for place in self._searched:
            hits = containing(
                text, (_with_values(table, place),), table.frame_rows, (form_of(place),)
            )
            if hits.any():
                self._found[place] = np.packbits(hits)  # one bit per cell: there may be 500 columns
                mask |= hits
        self._rows = np.flatnonzero(mask if table.order is None else mask[table.order])

    def find(self, start: tuple[int, int], steps: int) -> tuple[int, int] | None:
        """Return the row and column of a match, None if there is no match.

        Args:
            start: Row and column to start from.
            steps: 1 for the next match after `start`, -1 for the one before it, 2 for the second
                after it; 0 for the next one at or after `start`. After the last match comes the
                first.
        """
        place = self._step(start, steps)
        for _ in range(abs(steps) - 1):
            if place is not None:
                place = self._step(place, steps)
        return place

    def _step(self, start: tuple[int, int], step: int) -> tuple[int, int] | None:
        rows = self._rows
        if not rows.size:
            return None
        row, column = start
        here = self._columns(row) if row in _around(rows, row) else []
        if step >= 0:
            after = [one for one in here if one > column or (step == 0 and one == column)]
            if after:
                return row, after[0]
            place = int(np.searchsorted(rows, row, side="right"))
            following = int(rows[place % rows.size])
            matching = self._columns(following)
            return following, matching[0] if matching else self._searched[0]
        before = [one for one in here if one < column]
        if before:
            return row, before[-1]
        place = int(np.searchsorted(rows, row, side="left")) - 1
        preceding = int(rows[place])
        matching = self._columns(preceding)
        return preceding, matching[-1] if matching else self._searched[0]

    def _columns(self, row: int) -> list[int]:
        """Return which columns contain the text in one row."""
        place = self._table.row_in_frame(row)
        return [at for at, found in self._found.items() if found[place // 8] & (128 >> place % 8)]


def _around(rows: np.ndarray[tuple[int], np.dtype[np.intp]], row: int) -> tuple[int, ...]:
    place = int(np.searchsorted(rows, row))
    return (int(rows[place]),) if place < rows.size else ()


def _with_values(table: Table, column_at: int) -> Column:
    column = table.column(column_at)
    return (
        column if column.values is not None else replace(column, values=table.values_at(column_at))
    )
