"""The table as it stands, immutable, with rows told apart by key. No Textual."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import comparable, plain_type, rows_array, taken, texts, truth
from livetable.feed.arrow.quantities import DTYPE as QUANTITY
from livetable.feed.base.terminal_text import harmless
from livetable.feed.frames.decoder import Labels
from livetable.feed.protocol.labels import from_json, to_text
from livetable.feed.protocol.messages import Position
from livetable.feed.rows.values import Arrays, Values

if TYPE_CHECKING:
    from livetable.feed.rows.replica import Followed
    from livetable.feed.rows.row_map import Rows

RowId = tuple[Any, ...]
"""What a row is held by: its key, else its index's labels, else its position."""

ColumnRef = tuple[str, int]
"""What a column is held by: its title, and how many before it have the same one."""

Span = float | Literal["mark"]
"""How far back: seconds, 0 for the frame before, or to the mark."""


class Past(Protocol):
    """Where earlier states of a table are found."""

    def before(self, table: Table, span: Span) -> Table | None:
        """Return the state that was shown so long before, None if nobody knows it."""
        ...


class Formula(Protocol):
    """How the values of a column are worked out from others'."""

    @property
    def looks_back(self) -> bool:
        """Whether earlier states are asked."""
        ...

    def type_of(self, titles: tuple[str, ...], types: tuple[pa.DataType, ...]) -> pa.DataType:
        """Return the type of the values behind columns of these titles and types."""
        ...

    def type_beside_past(
        self, table: Table, headings: Headings, types: tuple[pa.DataType, ...]
    ) -> pa.DataType:
        """Return the type that also holds what the values of earlier states need."""
        ...

    def window(self, table: Table, at: int, start: int, stop: int) -> pa.Array:
        """Return the values of the rows shown from `start` to before `stop`."""
        ...

    def whole(self, table: Table, at: int) -> pa.Array:
        """Return all values, in the order of the frame."""
        ...


@dataclass(frozen=True, slots=True)
class Heading:
    """What a column is, whatever its values are.

    Attributes:
        title: What stands in the header, harmless.
        source: Which of `Table.sources` has its values; None for an index that only counts, and
            for what is worked out.
        fixed: Whether it stays at the left.
        mixed: Whether its texts stand for values of any types.
        quantity: Whether its texts are numbers with units, which sort and compare as such.
        rounded: Whether the source had more digits than its floats hold.
        formula: What its values are worked out by, None if they came with the frame.
        categories: What its texts are, in an order that is not the alphabet's; empty if in none.
        trouble: Why they could not be when they were last looked at; empty if they could.
    """

    title: str
    source: int | None
    fixed: bool = False
    mixed: bool = False
    quantity: bool = False
    rounded: bool = False
    formula: Formula | None = None
    categories: tuple[str, ...] = ()
    trouble: list[str] = field(default_factory=list, compare=False, repr=False)


class Headings:
    """A table's columns in the order shown, the fixed ones first. The same object while they stay.

    Args:
        columns: The columns.
        refs: What they are held by; by their titles if None.
    """

    def __init__(
        self, columns: Sequence[Heading], refs: tuple[ColumnRef, ...] | None = None
    ) -> None:
        self.columns = tuple(columns)
        self._refs = refs
        self.fixed = sum(column.fixed for column in columns)
        self.titles = tuple(column.title for column in columns)
        self.computes = any(column.formula is not None for column in columns)
        self.looks_back = any(one.formula is not None and one.formula.looks_back for one in columns)
        self._types: tuple[pa.DataType, ...] = ()
        self._types_of: object = None

    @cached_property
    def refs(self) -> tuple[ColumnRef, ...]:
        """What the columns are held by, in order."""
        if self._refs is not None:
            return self._refs
        counts: dict[str, int] = {}
        found = []
        for title in self.titles:
            found.append((title, counts.get(title, 0)))
            counts[title] = found[-1][1] + 1
        return tuple(found)

    @cached_property
    def places(self) -> dict[ColumnRef, int]:
        """Where the columns are."""
        return {ref: at for at, ref in enumerate(self.refs)}

    def types(self, source_types: tuple[pa.DataType, ...]) -> tuple[pa.DataType, ...]:
        """Return the columns' types; the same object while the sources' are."""
        if source_types is not self._types_of:
            self._types = self._find_types(source_types)
            self._types_of = source_types
        return self._types

    def _find_types(self, source_types: tuple[pa.DataType, ...]) -> tuple[pa.DataType, ...]:
        found: list[pa.DataType] = []
        for column in self.columns:
            if column.formula is not None:
                found.append(column.formula.type_of(self.titles[: len(found)], tuple(found)))
            else:
                found.append(pa.int64() if column.source is None else source_types[column.source])
        return tuple(found)


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
        found: list[pa.DataType] = []
        for kind, heading in zip(usual, headings.columns, strict=True):
            if heading.formula is not None:
                kind = heading.formula.type_beside_past(self, headings, tuple(found))
            found.append(kind)
        return usual if tuple(found) == usual else tuple(found)

    def types_alone(self, headings: Headings) -> tuple[pa.DataType, ...]:
        """Return the types of columns of this frame, whatever was before it."""
        return headings.types(self._source_types)

    def column(self, at: int) -> Column:
        """Return a column with its values."""
        heading = self.headings.columns[at]
        source = heading.source
        if heading.formula is not None:
            return Column(heading.title, heading.formula.whole(self, at))
        return Column(heading.title, None if source is None else self.sources.whole(source))

    @property
    def is_keyed(self) -> bool:
        """Whether rows are told apart by values, not by position."""
        return bool(self._held_by)

    def is_mixed(self, column: int) -> bool:
        """Whether a column's texts stand for values of any types."""
        return self.headings.columns[column].mixed

    def is_quantity(self, column: int) -> bool:
        """Whether a column's texts are numbers with units."""
        return self.headings.columns[column].quantity

    def key_values(self, rows: np.ndarray[Any, Any] | None = None) -> pa.Array:
        """Return what rows of the frame are held by, one value a row. Only of a keyed table.

        Args:
            rows: Which rows of the frame; None for all.
        """
        at = None if rows is None else rows_array(rows)
        held = [self._key(source, at) for source in self._held_by]
        if len(held) == 1:
            return held[0]
        import pyarrow.compute as pc

        # As scalars: with Python's texts Arrow would load pandas, which takes 40 MB.
        no_key, separator = texts([_NO_KEY, _KEY_SEPARATOR])
        parts = [pc.coalesce(one.cast(pa.string()), no_key) for one in held]
        return pc.binary_join_element_wise(*parts, separator)

    def _key(self, source: int, rows: pa.Array | None) -> pa.Array:
        """Return what rows of the frame are held by, of one column, so that it can be compared."""
        sources = self.sources
        return comparable(sources.whole(source) if rows is None else sources.at(source, rows))

    def has_same_keys(self, other: Table, rows: np.ndarray[Any, Any] | None) -> bool:
        """Tell whether rows of both frames are held by the same. Only of keyed tables.

        Args:
            other: The other table.
            rows: Which rows of the frames; None for all.
        """
        if len(self._held_by) != len(other._held_by):
            return False
        at = None if rows is None else rows_array(rows)
        for mine_at, others_at in zip(self._held_by, other._held_by, strict=True):
            mine, others = self._key(mine_at, at), other._key(others_at, at)
            if mine.type != others.type or not mine.equals(others):
                return False
        return True

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
        return self._identity_in_frame(self.row_in_frame(row))

    def _identity_in_frame(self, row: int) -> RowId:
        if not self._held_by:
            return (self._number(row),)
        held = (comparable(self.sources.stretch(at, row, row + 1)) for at in self._held_by)
        return tuple(values[0].as_py() for values in held)

    def _number(self, row: int) -> int:
        return row if self.numbers is None else int(self.numbers.numbers(row, row + 1)[0])

    def name_of(self, row: int) -> str:
        """Return what to call row number `row`: what it is held by, or what its index counts."""
        place = self.row_in_frame(row)
        if self._held_by:
            held = [self.sources.stretch(at, place, place + 1)[0] for at in self._held_by]
            return ",".join(_plain(one) if one.is_valid else "" for one in held)
        first, step = self.range
        return str(first + step * place)

    def identities(self, start: int, stop: int) -> list[RowId]:
        """Return what the rows from `start` to before `stop` are held by."""
        if not self._held_by:
            rows = self.frame_rows_of(start, stop)
            if self.numbers is not None:
                rows = self._numbers_of(rows)
            return [(row,) for row in rows.tolist()]
        sources = self.sources
        if self.order is None:
            held = [sources.stretch(at, start, stop) for at in self._held_by]
        else:
            rows = self._order_of(start, stop)
            held = [sources.at(at, rows) for at in self._held_by]
        return list(zip(*(comparable(one).to_pylist() for one in held), strict=True))

    def _numbers_of(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the numbers of rows of the frame, in any order."""
        if self.numbers is None:
            return rows
        from livetable.feed.rows.row_map import (
            in_any_order,  # late: only a table with numbers needs it
        )

        return in_any_order(self.numbers.numbers_at, rows)

    def same_rows_in(self, other: Table, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Return where rows of the frame are in another state, -1 for nowhere.

        None if the two are not of one line: then rows can only be told by what they are held by.
        """
        if self.line is None or self.line is not other.line:
            return None
        numbers = self._numbers_of(rows)
        if other.numbers is None:
            return np.where(numbers < other.frame_rows, numbers, -1)
        from livetable.feed.rows.row_map import in_any_order

        return in_any_order(other.numbers.positions_of, numbers)

    def rows_of(self, held: Collection[RowId]) -> np.ndarray[Any, Any]:
        """Return which of the frame's rows are held by one of these, in the order shown.

        Takes time in proportion to the table's rows.
        """
        if not self._held_by:
            rows = self.frame_rows_of(0, self.rows)
            wanted = [one[0] for one in held if type(one[0]) is int]
            return rows[np.isin(self._numbers_of(rows), wanted)]
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
        same = other.same_rows_in(self, np.array([wanted], dtype=np.int64))
        if same is not None and (same[0] >= 0 or not self._held_by):
            return self._place_of(int(same[0])) if same[0] >= 0 else None
        if self._held_by:
            identity = other._identity_in_frame(wanted)
            if 0 <= near < self.rows and self.identity(near) == identity:
                return near
            guess = near if self.order is None else wanted
            found = self._find_in_frame(other, wanted, guess)
            if found is None:
                return None
            wanted = found
        return self._place_of(wanted)

    def _place_of(self, row: int) -> int | None:
        """Return where a row of the frame is shown, None if it is not."""
        if self.order is None:
            return row if row < self.rows else None
        if row >= self.frame_rows:
            return None
        places = np.flatnonzero(self.order == row)
        return int(places[0]) if places.size else None

    def _find_in_frame(self, other: Table, row: int, near: int) -> int | None:
        if 0 <= near < self.frame_rows and self._identity_in_frame(
            near
        ) == other._identity_in_frame(row):
            return near
        import pyarrow.compute as pc  # late: it takes as long as the first paint

        mask: Any = None
        one = rows_array(np.array([row], dtype=np.int64))
        for mine, others in zip(self._held_by, other._held_by, strict=True):
            values = self._key(mine, None)
            wanted = other._key(others, one)[0]  # an Arrow scalar: Python's would import pandas
            try:
                if not wanted.is_valid:
                    same = truth(pc.is_null(values))
                else:
                    same = truth(pc.equal(values, wanted.cast(values.type)))
            except (pa.ArrowException, NotImplementedError):
                return None  # the key changed its type
            mask = same if mask is None else mask & same
        rows = np.flatnonzero(mask)
        return int(rows[np.abs(rows - near).argmin()]) if rows.size else None

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
        selected = _selected(self.headings, tuple(names))
        return replace(self, headings=selected, whole=self.whole or self.headings)

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


def _plain(value: pa.Scalar) -> str:
    """Return a key as it is printed."""
    if pa.types.is_temporal(value.type):  # Python's would be pandas' of some of them
        value = value.cast(pa.string())
    found = value.as_py()
    return found.hex() if isinstance(found, bytes) else str(found)


_INDEX_TITLE: Final = ""
_KEY_SEPARATOR: Final = "\x1f"
_NO_KEY: Final = "\x00"


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
    headings, by_key = _headings(labels, json.dumps(key))
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


_LONGEST_TITLE: Final = 10_000  # of a stranger's; the screen cuts it at the column's width


@lru_cache(maxsize=16)
def _selected(headings: Headings, names: tuple[str, ...]) -> Headings:
    wanted = [one for name in names for one in headings.columns if one.title == name]
    kept = [one for one in headings.columns[: headings.fixed] if one.title not in names]
    return Headings([*kept, *(replace(one, fixed=False) for one in wanted)])


@lru_cache(maxsize=16)
def _headings(labels: Labels, key: str) -> tuple[Headings, tuple[int, ...]]:
    """Return the columns of frames with these labels, and which of theirs are the key."""
    wanted = {_hashable(label) for label in map(_label, json.loads(key))}
    by_key = [at for at, label in enumerate(labels.columns) if _hashable(label) in wanted]
    levels = 0 if labels.range is not None else len(labels.index)
    orders = dict(labels.orders)
    fixed = [
        Heading(
            harmless(to_text(name)[:_LONGEST_TITLE]),
            level,
            fixed=True,
            mixed=level in labels.text,
            categories=orders.get(level, ()),
        )
        for level, name in enumerate(labels.index[:levels])
    ]
    dtypes = labels.dtypes
    data = [
        Heading(
            _title(label), at, mixed=at in labels.text,
            quantity=dtypes[at] == QUANTITY, rounded=dtypes[at] == "rounded",
            categories=orders.get(at, ()),
        )
        for at, label in enumerate(labels.columns, levels)
    ]  # fmt: skip
    if by_key:
        fixed += [replace(data[at], fixed=True) for at in by_key]
    elif not fixed:
        name = labels.index[0] if labels.index else None
        fixed.append(
            Heading(harmless(to_text(name)[:_LONGEST_TITLE]) or _INDEX_TITLE, None, fixed=True)
        )
    moved = set(by_key)
    rest = [heading for at, heading in enumerate(data) if at not in moved]
    return Headings([*fixed, *rest]), tuple(by_key)


def _title(label: Any) -> str:
    return harmless(to_text(label)[:_LONGEST_TITLE])


def _label(value: Any) -> Any:
    try:
        return from_json(value)
    except ValueError:
        return None


def _hashable(label: Any) -> Any:
    # 1, True and 1.0 are three labels.
    return (type(label), label) if not isinstance(label, list) else None
