"""Provides an expression's columns: of all rows, of the rows in sight, or of earlier states."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from livetable.tui.model.headings import Span
from livetable.tui.model.table import Table
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.row_match import is_akin, places_in


class Columns(Protocol):
    """Provides an expression's columns."""

    def values_of(self, title: str) -> pa.Array | None:
        """Return the values of the first column with a title, None if there is none."""
        ...

    def holds_quantities(self, title: str) -> bool:
        """Tell whether the first column with a title holds texts that are numbers with units."""
        ...

    def categories_of(self, title: str) -> tuple[str, ...]:
        """Return the ordered categories of the first column with a title; empty if unordered."""
        ...

    def earlier(self, span: Span) -> tuple[Columns, float]:
        """Return the same rows in an earlier state, and how many seconds ago that was."""
        ...


def columns_of(table: Table) -> Columns:
    """Return all columns of a table, with all rows."""
    everything = table.undressed
    return Whole(everything, len(everything.titles))


def shown(table: Table, start: int, stop: int) -> Columns:
    """Return all columns of a table, with the rows shown from `start` to before `stop`."""
    everything = table.undressed
    return Shown(everything, len(everything.titles), start, stop)


class Empty:
    """Columns without rows, to determine types."""

    def __init__(
        self,
        titles: tuple[str, ...],
        types: tuple[Any, ...],
        before: dict[Span, tuple[Any, ...]] | None = None,
    ) -> None:
        self._titles = titles
        self._types = dict(reversed(list(zip(titles, types, strict=True))))
        self._before = before or {}

    def values_of(self, title: str) -> pa.Array | None:
        kind = self._types.get(title)
        return None if kind is None else pa.nulls(0, kind)

    def holds_quantities(self, title: str) -> bool:
        return False

    def categories_of(self, title: str) -> tuple[str, ...]:
        return ()

    def earlier(self, span: Span) -> tuple[Columns, float]:
        types = self._before.get(span)
        return (self if types is None else Empty(self._titles, types)), 1.0


class _OfTable:
    """A table's columns; computed ones only if they come before a given position."""

    def __init__(self, table: Table, before: int) -> None:
        self.table = table
        self._before = before

    def values_of(self, title: str) -> pa.Array | None:
        column = self.table.column_at((title, 0))
        if column is None or (
            column >= self._before and self.table.headings.columns[column].formula is not None
        ):
            return None
        return self.values_at(column)

    def holds_quantities(self, title: str) -> bool:
        at = self.table.column_at((title, 0))
        return at is not None and self.table.headings.columns[at].quantity

    def categories_of(self, title: str) -> tuple[str, ...]:
        at = self.table.column_at((title, 0))
        return () if at is None else self.table.headings.columns[at].categories

    def values_at(self, column: int) -> pa.Array:
        raise NotImplementedError

    def _earlier(self, span: Span) -> tuple[Table | None, float]:
        table = self.table
        then = table.past.before(table, span) if table.past is not None else None
        return then, table.sent - then.sent if then is not None else float("nan")


class Shown(_OfTable):
    """The columns of the rows in sight."""

    def __init__(self, table: Table, before: int, start: int, stop: int) -> None:
        super().__init__(table, before)
        self._start = start
        self._stop = stop

    def values_at(self, column: int) -> pa.Array:
        return self.table.window(column, self._start, self._stop)

    def earlier(self, span: Span) -> tuple[Columns, float]:
        then, seconds = self._earlier(span)
        rows = self.table.frame_rows_of(self._start, self._stop)
        return _Then(self.table, then, self._before, rows), seconds


class Whole(_OfTable):
    """The columns of all rows."""

    def values_at(self, column: int) -> pa.Array:
        return self.table.values_at(column)

    def earlier(self, span: Span) -> tuple[Columns, float]:
        then, seconds = self._earlier(span)
        return _Then(self.table, then, self._before, None), seconds


class _Then(_OfTable):
    """The columns of the same rows in an earlier state; null for rows that did not exist."""

    def __init__(
        self, now: Table, then: Table | None, before: int, rows: np.ndarray[Any, Any] | None
    ) -> None:
        super().__init__(now, before)
        self._then = then
        self._places = None if then is None else places_in(now, then, rows)
        self._count = now.frame_rows if rows is None else len(rows)

    def values_at(self, column: int) -> pa.Array:
        kind = self.table.types[column]
        then = self._then
        place = then.column_at(self.table.refs[column]) if then is not None else None
        if then is None or place is None or self._places is None:
            return pa.nulls(self._count, kind)
        values = then.values_of_rows(place, self._places)
        if not is_akin(values.type, kind):
            return pa.nulls(self._count, kind)
        if pa.types.is_timestamp(kind) and values.type.tz != kind.tz:  # same moment, other zone
            return values.cast(pa.timestamp(values.type.unit, kind.tz))
        return values

    def earlier(self, span: Span) -> tuple[Columns, float]:
        raise BadExpression("Can't nest changes. Make the inner one a computed column first")
