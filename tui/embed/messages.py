"""What `LiveTable` says of itself: `LiveTable.RowSelected` and its like."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from textual.coordinate import Coordinate
from textual.message import Message

if TYPE_CHECKING:
    from livetable.tui.embed.live_table import LiveTable
    from livetable.tui.model.row_keys import RowId
    from livetable.tui.model.table import Table


class Row(NamedTuple):
    """A row of a table on the screen, as it was when something happened to it.

    Attributes:
        key: What identifies the row.
        values: Its values by the columns' labels, as Python values.
        position: Where it was, counted from 0 in the order that is shown.
    """

    key: Any
    values: dict[Any, Any]
    position: int


class _OfRow(Message):
    """Something about a row.

    Attributes:
        live_table: The widget.
        row_key: What identifies the row: the value of the key column, a tuple of several; the index
            label of a table without a key.
        row: The row's values by the columns' labels, as Python values.
        cursor_row: Where the row is, counted from 0 in the order that is shown.
    """

    def __init__(self, live_table: LiveTable, row: Row) -> None:
        self.live_table = live_table
        self.row_key = row.key
        self.row = row.values
        self.cursor_row = row.position
        super().__init__()

    @property
    def control(self) -> LiveTable:
        """The widget."""
        return self.live_table


class RowHighlighted(_OfRow):
    """The cursor is on another row: it moved, or an update put another row there."""


class RowSelected(_OfRow):
    """Enter was pressed, or a row was double-clicked."""


class CellSelected(_OfRow):
    """Enter was pressed on a cell, or a cell was double-clicked.

    Attributes:
        column: The column's label.
        value: The cell's value, as a Python value.
        coordinate: Row and column as they are shown, counted from 0.
    """

    def __init__(self, live_table: LiveTable, row: Row, table: Table, column: int) -> None:
        super().__init__(live_table, row)
        self.column = label_of(table, column)
        self.value = value_of(table, column, row.position)
        self.coordinate = Coordinate(row.position, column)


class HeaderSelected(Message):
    """A column's header was clicked.

    Attributes:
        live_table: The widget.
        column: The column's label.
        column_index: Where the column is, counted from 0 in the order that is shown.
        label: The text of the header.
    """

    def __init__(self, live_table: LiveTable, table: Table, column: int) -> None:
        self.live_table = live_table
        self.column = label_of(table, column)
        self.column_index = column
        self.label = table.titles[column]
        super().__init__()

    @property
    def control(self) -> LiveTable:
        """The widget."""
        return self.live_table


def row_of(table: Table, position: int) -> Row | None:
    """Return a row of a table, None if it has no such row.

    Args:
        table: The table, as it is shown.
        position: The row, counted from 0 in the order that is shown.
    """
    if not 0 <= position < table.rows:
        return None
    values: dict[Any, Any] = {}
    for column in range(len(table.titles)):
        values.setdefault(label_of(table, column), value_of(table, column, position))
    everything = table.undressed  # the person may have hidden a key column
    key = tuple(value_of(everything, column, position) for column in _key_columns(everything))
    return Row(key[0] if len(key) == 1 else key, values, position)


class UnderCursor:
    """Remembers which row was last under the cursor."""

    def __init__(self) -> None:
        self._row: tuple[RowId | None, int] = (None, -1)
        self._table: Table | None = None

    def another(self, table: Table | None, position: int) -> Row | None:
        """Return the row under the cursor if it is another one than the last time, else None."""
        if table is None or position >= table.rows:
            self._row = (None, -1)
            return None
        now, before = (table.identity(position), position), self._row
        # In one state rows of the same key are others; by an update they only changed places.
        same = now == before if table is self._table else now[0] == before[0]
        self._row, self._table = now, table
        return None if same else row_of(table, position)


def _key_columns(table: Table) -> list[int]:
    """Return the columns that identify rows: the key, else the index."""
    columns = table.headings.columns
    held_by = table.keys.held_by
    held = [at for at, one in enumerate(columns) if one.source in held_by]
    counted = [at for at, one in enumerate(columns) if one.source is None and one.formula is None]
    return held or counted


def label_of(table: Table, column: int) -> Any:
    """Return what the producer calls a column; its title where it was computed here."""
    heading = table.headings.columns[column]
    return heading.title if heading.label is None else heading.label


def value_of(table: Table, column: int, row: int) -> Any:
    """Return a cell as a Python value."""
    values = table.window(column, row, row + 1)
    if pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type):
        # Arrow makes pandas' values of nanoseconds, and loads pandas for it: half a second.
        with contextlib.suppress(pa.ArrowInvalid):  # there are nanoseconds
            values = values.cast(_in_microseconds(values.type))
    return values[0].as_py()


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    return pa.duration("us") if pa.types.is_duration(kind) else pa.timestamp("us", kind.tz)
