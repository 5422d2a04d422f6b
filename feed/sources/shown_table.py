"""Passes a source's rows to its publisher: as a new table, by key, or at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from livetable.feed.errors import LivetableError
from livetable.feed.frames.capture import capture
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.bad_lines import BadLine

_MOST_TOLD: Final = 20


class ShownTable:
    """Decides how to publish rows, and reports unreadable lines.

    Args:
        publisher: Where they go.
        key: The column that identifies a row, None if nothing does.
    """

    def __init__(self, publisher: Publisher, key: str | None) -> None:
        self.publisher = publisher
        self.shown = False
        """Whether there was a table, with rows or without."""
        self.has_rows = False
        """Whether to add the next rows to the rows so far."""
        self._key = key

    def begin(self) -> None:
        """Replace the table with the next rows."""
        self.has_rows = False

    def put(self, table: pa.Table, *, anew: bool = False) -> None:
        """Add rows to the table, or replace it.

        Args:
            table: The rows. Of several with the same key the last one counts.
            anew: Whether they are the whole table.

        Raises:
            LivetableError: there is no such key column.
        """
        table = self._last_of_each(table)
        if anew or not self.has_rows:
            self.publisher.send(table)
            self.has_rows = False
        elif self._key:
            self.publisher.upsert(table)
        elif table.num_rows:
            self.publisher.append(table)
        self.has_rows = self.has_rows or bool(table.num_rows)
        self.shown = True

    def put_tail(self, row: pa.Table) -> None:
        """Show the row of an unfinished line; the next rows replace it."""
        row = self._last_of_each(row)
        if self.has_rows:
            self.publisher.show_tail(row)
        else:
            self.publisher.send_captured(capture(row), unfinished=True)
            self.shown = True

    def tell_unreadable(self, count: int, lines: Sequence[BadLine]) -> None:
        """Report the number of unreadable lines, and the first of them."""
        self.publisher.set_source(unreadable=count, lines=tuple(lines[:_MOST_TOLD]))

    def _last_of_each(self, table: pa.Table) -> pa.Table:
        return last_of_each(table, self._key) if self._key else table


def last_of_each(table: pa.Table, key: str) -> pa.Table:
    """Return the last row of each key: earlier rows of the same key are outdated."""
    if key not in table.column_names:
        raise LivetableError(no_column(key, table.column_names))
    last = {value: row for row, value in enumerate(table.column(key).to_pylist())}
    return table if len(last) == len(table) else table.take(sorted(last.values()))


def no_column(key: object, names: Sequence[object]) -> str:
    """Say that the key column is missing, and which columns there are."""
    more = ", …" if len(names) > 20 else ""
    return f"no column {key!r}; columns: {', '.join(map(repr, names[:20]))}{more}"
