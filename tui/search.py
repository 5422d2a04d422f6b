"""Where in a table a text is: the next match from a place, in the order of reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from livetable.tui.contains import containing
from livetable.tui.model import Column, Table


def find(
    table: Table, text: str, start: tuple[int, int], step: int, column: int | None = None
) -> tuple[int, int] | None:
    """Return the row and column of a match, None if nothing contains the text.

    Args:
        table: The table as it is shown.
        text: What to look for, upper and lower case alike.
        start: Row and column to start from.
        step: 1 for the next match behind `start`, -1 for the one before it, 0 for the next one at
            `start` or behind it. After the last comes the first.
        column: The only column to look in, None for all.
    """
    searched = tuple(range(len(table.titles))) if column is None else (column,)
    columns = tuple(_with_values(table, at) for at in searched)
    mask = containing(text, columns, table.frame_rows)
    rows = np.flatnonzero(mask if table.order is None else mask[table.order])
    if not rows.size:
        return None
    row, at = start
    here = _columns(table, text, row, searched) if row in _around(rows, row) else []
    if step >= 0:
        behind = [one for one in here if one > at or (step == 0 and one == at)]
        if behind:
            return row, behind[0]
        place = int(np.searchsorted(rows, row, side="right"))
        following = int(rows[place % rows.size])
        return following, _first(table, text, following, searched)
    before = [one for one in here if one < at]
    if before:
        return row, before[-1]
    place = int(np.searchsorted(rows, row, side="left")) - 1
    preceding = int(rows[place])
    found = _columns(table, text, preceding, searched)
    return preceding, found[-1] if found else searched[0]


def _around(rows: np.ndarray[tuple[int], np.dtype[np.intp]], row: int) -> tuple[int, ...]:
    place = int(np.searchsorted(rows, row))
    return (int(rows[place]),) if place < rows.size else ()


def _with_values(table: Table, at: int) -> Column:
    column = table.column(at)
    return column if column.values is not None else replace(column, values=table.values_at(at))


def _first(table: Table, text: str, row: int, searched: tuple[int, ...]) -> int:
    found = _columns(table, text, row, searched)
    return found[0] if found else searched[0]


def _columns(table: Table, text: str, row: int, searched: tuple[int, ...]) -> list[int]:
    """Return which columns contain the text in one row."""
    return [
        at
        for at in searched
        if containing(text, (Column(table.titles[at], table.window(at, row, row + 1)),), 1)[0]
    ]
