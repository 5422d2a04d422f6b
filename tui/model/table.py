"""The table as it stands, immutable, with rows told apart by key. No Textual."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import comparable, plain_type, rows_array, taken
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.values import Arrays, Values
from livetable.tui.model.headings import ColumnRef, Headings, Span, headings_of, selected
from livetable.tui.model.row_keys import RowId, RowKeys

if TYPE_CHECKING:
    from livetable.feed.rows.replica import Followed
    from livetable.feed.rows.row_map import Rows


class Past(Protocol):
    """Where earlier states of a table are found."""

    def before(self, table: Table, span: Span) -> Table | None:
        """Return the state that was shown so long before, None if nobody knows it."""
        ...


@dataclass(frozen=True)
class Column:
    """A column with its values.

    Attributes:
        title: What stands in the header, harmless.
        values: Its values, in the order of the frame; None for an index that only counts.
    """

    title: str
    values: pa.Array | None


@dataclass(frozen=True)
class Table:
    """One state of a table.

    Nothing here is made anew for each column with each frame: of 500 the screen shows ten.

    Attributes:
        headings: The columns in the order shown.
        sources: The columns' values, in the order of the frame.
        rows: Number of rows shown.
        shape: Rows and columns as the producer counts them.
        range: Start and step of the index that is shown without values.
        position: Epoch and seq of the frame.
        order: Which of the frame's rows are shown, in the order shown; None for all as they came.
        sent: When the frame was sent, by this machine's monotonic clock.
        size: Bytes of the frame's body.
        past: Where its earlier states are, None if they are not kept.
        grouped: Whether its rows are groups of the frame's.
        whole: All columns, if some of them are not in `headings`: expressions know those too.
        line: The same object for all states of one line, in which a row keeps its number.
        numbers: The frame's rows by number; None where these are their positions.
        held: Bytes of all it holds, also of what it shares with the states before it.
        unfinished: Which of the frame's rows may still become another one; None if none may.
    """

    headings: Headings
    sources: Values
    rows: int
    shape: tuple[int, int]
    range: tuple[int, int]
    position: Position
    _source_types: tuple[pa.DataType, ...]
    _held_by: tuple[int, ...]
    order: np.ndarray[Any, Any] | None = None
    sent: float = 0.0
    size: int = 0
    past: Past | None = None
    whole: Headings | None = None
    grouped: bool = False
    line: object = None
    numbers: Rows | None = None
    held: int = 0
    unfinished: int | None = None

    @property
    def undressed(self) -> Table:
        """The table with all its columns."""
        return self if self.whole is None else self._undressed

    @cached_property
    def _undressed(self) -> Table:
        # Never the table itself: that would be a circle, which only the collector frees.
        assert self.whole is not None
        return replace(self, headings=self.whole, whole=None)

    @property
    def fixed(self) -> int:
        """How many columns stay at the left."""
        return self.headings.fixed

    @property
    def titles(self) -> tuple[str, ...]:
        """The columns' titles."""
        return self.headings.titles

    @property
    def refs(self) -> tuple[ColumnRef, ...]:
        """What the columns are held by, in order."""
        return self.headings.refs

    @cached_property
    def types(self) -> tuple[pa.DataType, ...]:
        """The columns' Arrow types; a 64-bit integer for an index that counts."""
        if not self.headings.computes:
            return self.types_alone(self.headings)
        everything = self.headings if self.whole is None else self.whole
        kinds = self.types_alone(everything)  # also of columns that are not shown
        if self.past is not None and everything.looks_back:
            kinds = self._types_beside_past(everything, kinds)
        if self.whole is None:
            return kinds
        return tuple(kinds[self.whole.places[ref]] for ref in self.refs)

    def _types_beside_past(
        self, headings: Headings, usual: tuple[pa.DataType, ...]
    ) -> tuple[pa.DataType, ...]:
        kinds: list[pa.DataType] = []
        for kind, heading in zip(usual, headings.columns, strict=True):
            if heading.formula is not None:
                kind = heading.formula.type_beside_past(self, headings, tuple(kinds))
            kinds.append(kind)
        return usual if tuple(kinds) == usual else tuple(kinds)

    def types_alone(self, headings: Headings) -> tuple[pa.DataType, ...]:
        """Return the types of columns of this frame, whatever was before it."""
        return headings.types(self._source_types)

    def column(self, column: int) -> Column:
        """Return a column with its values."""
        heading = self.headings.columns[column]
        source = heading.source
        if heading.formula is not None:
            return Column(heading.title, heading.formula.whole(self, column))
        return Column(heading.title, None if source is None else self.sources.whole(source))

    @property
    def is_keyed(self) -> bool:
        """Whether rows are told apart by values, not by position."""
        return bool(self._held_by)

    @cached_property
    def keys(self) -> RowKeys:
        """What the frame's rows are told apart by."""
        return RowKeys(self.sources, self._held_by, self.frame_rows, self.numbers, self.line)

    def window(self, column: int, start: int, stop: int) -> pa.Array:
        """Return a column's values of the rows from `start` to before `stop`."""
        heading = self.headings.columns[column]
        if heading.formula is not None:
            return heading.formula.window(self, column, start, stop)
        source = heading.source
        if source is None:
            first, step = self.range
            return rows_array(self.frame_rows_of(start, stop) * step + first)
        if self.order is None:
            return self.sources.stretch(source, start, stop)
        return self.sources.at(source, self._order_of(start, stop))

    def values_of_rows(self, column: int, rows: pa.Array) -> pa.Array:
        """Return a column's values of some of the frame's rows; nulls where `rows` has nulls."""
        heading = self.headings.columns[column]
        if heading.source is None or heading.formula is not None:
            return taken(self.values_at(column), rows)
        return self.sources.at(heading.source, rows)

    def _order_of(self, start: int, stop: int) -> pa.Array:
        """Return which of the frame's rows are shown, made once for all columns of a paint."""
        made = self.__dict__.get("_order_made")
        if made is None or made[:2] != (start, stop):
            assert self.order is not None
            # A copy: whoever remembers these few rows must not hold on to the whole order.
            made = start, stop, rows_array(self.order[start:stop].copy())
            self.__dict__["_order_made"] = made
        found: pa.Array = made[2]
        return found

    def arranged(self, order: np.ndarray[Any, Any] | None) -> Table:
        """Return the same frame with other rows shown: those of `order`, in that order."""
        return replace(self, order=order, rows=self.frame_rows if order is None else len(order))

    @property
    def frame_rows(self) -> int:
        """Rows of the frame, shown or not."""
        return self.shape[0]

    def row_in_frame(self, row: int) -> int:
        """Return which of the frame's rows is shown as row number `row`."""
        return row if self.order is None else int(self.order[row])

    def frame_rows_of(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Return which of the frame's rows are shown from `start` to before `stop`."""
        if self.order is None:
            return np.arange(start, stop, dtype=np.int64)
        return self.order[start:stop]

    def identity(self, row: int) -> RowId:
        """Return what row number `row` is held by."""
        return self.keys.identity(self.row_in_frame(row))

    def name_of(self, row: int) -> str:
        """Return what to call row number `row`: what it is held by, or what its index counts."""
        place = self.row_in_frame(row)
        if self._held_by:
            return self.keys.name_of(place)
        first, step = self.range
        return str(first + step * place)

    def identities(self, start: int, stop: int) -> list[RowId]:
        """Return what the rows from `start` to before `stop` are held by."""
        if not self._held_by:
            rows = self.frame_rows_of(start, stop)
            if self.numbers is not None:
                rows = self.keys.numbers_of(rows)
            return [(row,) for row in rows.tolist()]
        sources = self.sources
        if self.order is None:
            held = [sources.stretch(at, start, stop) for at in self._held_by]
        else:
            rows = self._order_of(start, stop)
            held = [sources.at(at, rows) for at in self._held_by]
        return list(zip(*(comparable(one).to_pylist() for one in held), strict=True))

    def rows_of(self, held: Collection[RowId]) -> np.ndarray[Any, Any]:
        """Return which of the frame's rows are held by one of these, in the order shown.

        Takes time in proportion to the table's rows.
        """
        if not self._held_by:
            rows = self.frame_rows_of(0, self.rows)
            wanted = [one[0] for one in held if type(one[0]) is int]
            return rows[np.isin(self.keys.numbers_of(rows), wanted)]
        found = [at for at, one in enumerate(self.identities(0, self.rows)) if one in held]
        return self.frame_rows_of(0, self.rows)[found]

    def find(self, other: Table, row: int, near: int) -> int | None:
        """Return this table's row that is held by the same as row number `row` of `other`.

        Of several the one nearest to where it was in the frame; None if it is gone or not shown.
        Takes no time if it is still at `near` or where it was in the frame, else a pass over the
        key columns.
        """
        # Where no row is shown the cursor stands at row 0, which is none.
        if len(other._held_by) != len(self._held_by) or not 0 <= row < other.rows:
            return None
        wanted = other.row_in_frame(row)
        same = other.keys.rows_in(self.keys, np.array([wanted], dtype=np.int64))
        if same is not None and (same[0] >= 0 or not self._held_by):
            return self._place_of(int(same[0])) if same[0] >= 0 else None
        if self._held_by:
            identity = other.keys.identity(wanted)
            if 0 <= near < self.rows and self.identity(near) == identity:
                return near
            guess = near if self.order is None else wanted
            same_row = self.keys.find(other.keys, wanted, guess)
            if same_row is None:
                return None
            wanted = same_row
        return self._place_of(wanted)

    def _place_of(self, row: int) -> int | None:
        """Return where a row of the frame is shown, None if it is not."""
        if self.order is None:
            return row if row < self.rows else None
        if row >= self.frame_rows:
            return None
        places = np.flatnonzero(self.order == row)
        return int(places[0]) if places.size else None

    def column_at(self, ref: ColumnRef) -> int | None:
        """Return where a column is, None if it is not there."""
        return self.headings.places.get(ref)

    def values_at(self, column: int) -> pa.Array:
        """Return all values of a column, in the order of the frame, whatever is shown of it."""
        values = self.column(column).values
        if values is None:
            first, step = self.range
            return rows_array(np.arange(self.frame_rows, dtype=np.int64) * step + first)
        return values

    def select(self, names: Sequence[str]) -> Table:
        """Return the table with only the columns of these titles, in this order.

        What tells rows apart stays at the left. Titles that there are none of are passed over
        (`missing` tells them): the column may yet come.
        """
        headings = selected(self.headings, tuple(names))
        return replace(self, headings=headings, whole=self.whole or self.headings)

    def only(self, column: int) -> Table:
        """Return the table with one column, whose values may be an index that only counts."""
        heading = replace(self.headings.columns[column], fixed=False)
        shown = Headings([heading], (self.refs[column],))
        if heading.source is not None or heading.formula is not None:
            return replace(self, headings=shown, whole=self.whole or self.headings)
        shown = Headings([replace(heading, source=0)], (self.refs[column],))
        values = self.values_at(column)
        return replace(
            self, headings=shown, whole=None, sources=Arrays([values]), _source_types=(values.type,)
        )

    def without_fixed(self) -> Table:
        """Return the table without the columns that stay at the left."""
        return replace(self, headings=Headings(self.headings.columns[self.fixed :]))

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return which of these titles no column has."""
        return [name for name in names if name not in self.titles]


def build(
    followed: Followed,
    key: tuple[Any, ...],
    position: Position,
    columns: int | None = None,
    *,
    sent: float = 0.0,
) -> Table:
    """Return one state of a table as it is shown: key or index first and fixed.

    Args:
        followed: The state.
        key: Labels of the key columns, as JSON labels; those that are missing are ignored.
        position: Its epoch and seq.
        columns: How many columns the producer counts; all that came if None.
        sent: When it was sent, by this machine's monotonic clock.
    """
    labels = followed.labels
    headings, by_key = headings_of(labels, json.dumps(key))
    levels = 0 if labels.range is not None else len(labels.index)
    held = [at + levels for at in by_key] or list(range(levels))
    # Rows can't be told apart by lists and dicts: nothing finds them again.
    held = [at for at in held if not pa.types.is_nested(plain_type(followed.types[at]))]
    return Table(
        headings=headings,
        sources=followed.values,
        rows=followed.count,
        shape=(followed.count, len(labels.columns) if columns is None else columns),
        range=labels.range or (0, 1),
        position=position,
        sent=sent,
        size=followed.size,
        held=followed.held,
        line=followed.line,
        numbers=followed.rows,
        _source_types=followed.types,
        _held_by=tuple(held),
    )
