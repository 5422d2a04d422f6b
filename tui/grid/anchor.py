"""Keeps the top row and the cursor on their rows through updates. No Textual."""

from __future__ import annotations

from dataclasses import dataclass, replace

from livetable.tui.model.table import Table


@dataclass(frozen=True, slots=True)
class View:
    """A scroll position and a cursor.

    Attributes:
        top: The first row shown.
        row: The cursor's row.
        column: The cursor's column, as a position in `Table.titles`.
    """

    top: int = 0
    row: int = 0
    column: int = 0


def follow(view: View, before: Table, after: Table, height: int, *, holds: bool = False) -> View:
    """Return the view after an update.

    The cursor stays on its row, and the topmost row that still exists stays on its line. At an edge
    the view follows the table instead: with cursor and view at the first row it stays at the top;
    with the cursor on the last row, and that row in sight, it stays at the end.

    Args:
        view: The view of `before`.
        before: The table before the update.
        after: The table after the update.
        height: Rows in sight.
        holds: Whether the cursor stays on its row even at an edge.
    """
    column = _same_column(view.column, before, after)
    if before.grouped != after.grouped:  # groups and rows don't correspond
        return View(0, 0, column)
    last_top = max(0, after.rows - height)
    if view.top == 0 and view.row == 0 and not holds:
        return View(0, 0, column)
    at_end = view.row >= before.rows - 1 and view.top + height >= before.rows
    if at_end and before.rows > 0 and not holds:
        return View(last_top, max(0, after.rows - 1), column)
    row = after.find(before, view.row, view.row) if view.row < before.rows else None
    top = _held_top(view, before, after, height)
    if row is None:
        row = view.row - view.top + top
    top, row = min(top, last_top), min(max(0, row), max(0, after.rows - 1))
    if holds:  # the cursor's row must stay in sight
        top = min(max(top, row - height + 1), row)
    return View(top, row, column)


def _held_top(view: View, before: Table, after: Table, height: int) -> int:
    stop = min(before.rows, view.top + height)
    for line in range(stop - view.top):
        found = after.find(before, view.top + line, view.top + line)
        if found is not None:
            return max(0, found - line)
    return view.top


def _same_column(column: int, before: Table, after: Table) -> int:
    """Return where a column is now."""
    if column < len(before.titles):
        found = after.column_at(before.refs[column])
        if found is not None:
            return found
    return min(column, max(0, len(after.titles) - 1))


def move(view: View, table: Table, height: int, rows: int = 0, columns: int = 0) -> View:
    """Return the view with the cursor moved, scrolled just far enough to show it."""
    row = min(max(0, view.row + rows), max(0, table.rows - 1))
    column = min(max(0, view.column + columns), max(0, len(table.titles) - 1))
    return show(replace(view, row=row, column=column), height)


def show(view: View, height: int) -> View:
    """Return the view scrolled just far enough to show the cursor's row."""
    top = min(view.top, view.row)
    if height > 0:
        top = max(top, view.row - height + 1)
    return replace(view, top=max(0, top))
