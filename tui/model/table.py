"""One state of a table: immutable, with rows identified by key. No Textual."""

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
    """Finds earlier states of a table."""

    def before(self, table: Table, span: Span) -> Table | None:
        """Return the state that was shown so long before, None if it is not kept."""
        ...


@dataclass(frozen=True)
class Column:
    """A column with its values.

    Attributes:
        title: The header's text, harmless.
        values: Its values, in the order of the frame; None for a range index.
    """

    title: str
    values: pa.Array | None


@dataclass(frozen=True)
class Table:
    """One state of a table.

    Nothing is computed per column and frame: of 500 columns the screen shows ten.

    Attributes:
        headings: The columns in the order shown.
        sources: The columns' values, in the order of the frame.
        rows: Number of rows shown.
        shape: Rows and columns as the producer counts them.
        range: Start and step of the range index.
        position: Epoch and seq of the frame.
        order: Which of the frame's rows are shown, in the order shown; None: all, in frame order.
        sent: When the frame was sent, by this machine's monotonic clock.
        size: Bytes of the frame's body.
        past: The history of its earlier states, None if they are not kept.
        grouped: Whether its rows are groups of the frame's rows.
        whole: All columns, if `headings` lacks some: expressions may use those too.
        line: An object shared by all states in which rows keep their numbers.
        numbers: The numbers of the frame's rows; None if these are the positions.
        held: Bytes of all memory it uses, including what it shares with earlier states.
        unfinished: The row of an incomplete last line, which may still change; None for none.
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
        # Never the table itself: a reference cycle is only freed by the garbage collector.
        assert self.whole is not None
        return replace(self, headings=self.whole, whole=None)

    @property
    def fixed(self) -> int:
        """How many columns are frozen at the left."""
        return self.headings.fixed

    @property
    def titles(self) -> tuple[str, ...]:
        """The columns' titles."""
        return self.headings.titles

    @property
    def refs(self) -> tuple[ColumnRef, ...]:
        """The columns' identities, in order."""
        return self.headings.refs

    @cached_property
    def types(self) -> tuple[pa.DataType, ...]:
        """The columns' Arrow types; int64 for a range index."""
        if not self.headings.computes:
            return self.types_alone(self.headings)
        everything = self.headings if self.whole is None else self.whole
        kinds = self.types_alone(everything)  # with hidden columns, which formulas may use
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
        """Return the types of columns, from this frame alone."""
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
        """Whether rows are identified by a key, not by position."""
        return bool(self._held_by)

    @cached_property
    def keys(self) -> RowKeys:
        """The identities of the frame's rows."""
        return RowKeys(self.sources, self._held_by, self.frame_rows, self.numbers, self.line)

    def window(self, column: int, start: int, stop: int) -> pa.Array:
        """Return a column's values in the rows shown from `start` to before `stop`."""
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
        """Return a column's values in rows of the frame; null where `rows` is null."""
        heading = self.headings.columns[column]
        if heading.source is None or heading.formula is not None:
            return taken(self.values_at(column), rows)
        return self.sources.at(heading.source, rows)

    def _order_of(self, start: int, stop: int) -> pa.Array:
        """Return which of the frame's rows are shown; cached for all columns of a paint."""
        made = self.__dict__.get("_order_made")
        if made is None or made[:2] != (start, stop):
            assert self.order is not None
            # A copy: a slice would keep the whole order in memory.
            made = start, stop, rows_array(self.order[start:stop].copy())
            self.__dict__["_order_made"] = made
        found: pa.Array = made[2]
        return found

    def arranged(self, order: np.ndarray[Any, Any] | None) -> Table:
        """Return the same frame with the rows of `order` shown, in that order."""
        return replace(self, order=order, rows=self.frame_rows if order is None else len(order))

    @property
    def frame_rows(self) -> int:
        """Number of rows of the frame, shown or not."""
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
        """Return the identity of a row shown."""
        return self.keys.identity(self.row_in_frame(row))

    def name_of(self, row: int) -> str:
        """Return the name of a row shown: its key, or its value in the range index."""
        place = self.row_in_frame(row)
        if self._held_by:
            return self.keys.name_of(place)
        first, step = self.range
        return str(first + step * place)

    def identities(self, start: int, stop: int) -> list[RowId]:
        """Return the identities of the rows shown from `start` to before `stop`."""
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
        """Return the frame's rows with these identities, in the order shown. Costs O(rows)."""
        if not self._held_by:
            rows = self.frame_rows_of(0, self.rows)
            wanted = [one[0] for one in held if type(one[0]) is int]
            return rows[np.isin(self.keys.numbers_of(rows), wanted)]
        identities = self.identities(0, self.rows)
        rows_held = [row for row, identity in enumerate(identities) if identity in held]
        return self.frame_rows_of(0, self.rows)[rows_held]

    def find(self, other: Table, row: int, near: int) -> int | None:
        """Return where this table shows a row of `other`.

        Of duplicate keys, the row nearest to the old position; None if it is gone or not shown.
        Costs O(1) if it is still at `near` or at its old position in the frame, else a scan of the
        key columns.
        """
        # In an empty table the cursor is at row 0, which does not exist.
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
        """Return where a row of the frame is shown, None if it is not shown."""
        if self.order is None:
            return row if row < self.rows else None
        if row >= self.frame_rows:
            return None
        places = np.flatnonzero(self.order == row)
        return int(places[0]) if places.size else None

    def column_at(self, ref: ColumnRef) -> int | None:
        """Return a column's position, None if it is missing."""
        return self.headings.places.get(ref)

    def values_at(self, column: int) -> pa.Array:
        """Return all values of a column, shown or not, in the order of the frame."""
        values = self.column(column).values
        if values is None:
            first, step = self.range
            return rows_array(np.arange(self.frame_rows, dtype=np.int64) * step + first)
        return values

    def select(self, names: Sequence[str]) -> Table:
        """Return the table with only the columns of these titles, in this order.

        Key columns stay at the left. Unknown titles are ignored (see `missing`): such a column may
        still appear.
        """
        headings = selected(self.headings, tuple(names))
        return replace(self, headings=headings, whole=self.whole or self.headings)

    def only(self, column: int) -> Table:
        """Return the table with one column, which may be the range index."""
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
        """Return the table without its frozen columns."""
        return replace(self, headings=Headings(self.headings.columns[self.fixed :]))

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return which of these titles have no column."""
        return [name for name in names if name not in self.titles]


def build(
    followed: Followed,
    key: tuple[Any, ...],
    position: Position,
    columns: int | None = None,
    *,
    sent: float = 0.0,
) -> Table:
    """Return one state of a table as it is shown: key or index columns first, and frozen.

    Args:
        followed: The state.
        key: Labels of the key columns, as JSON labels; unknown ones are ignored.
        position: Its epoch and seq.
        columns: The producer's number of columns; None: the number that arrived.
        sent: When it was sent, by this machine's monotonic clock.
    """
    labels = followed.labels
    headings, by_key = headings_of(labels, json.dumps(key))
    levels = 0 if labels.range is not None else len(labels.index)
    held = [at + levels for at in by_key] or list(range(levels))
    # Lists and dicts can't identify rows: they can't be looked up.
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
