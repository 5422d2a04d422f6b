"""The table as it stands, immutable, with rows told apart by key. No Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrays import plain_type, without_dictionary
from livetable.feed.decode import Decoded, Labels
from livetable.feed.harmless import harmless
from livetable.feed.labels import from_json, to_text
from livetable.feed.wire import Position

RowId = tuple[Any, ...]
"""What a row is held by: its key, else its index's labels, else its position."""


@dataclass(frozen=True)
class Column:
    """A column as the viewer shows it.

    Attributes:
        title: What stands in the header, harmless.
        values: Its values; None for an index that only counts.
        fixed: Whether it stays at the left.
    """

    title: str
    values: pa.Array | None
    fixed: bool = False


@dataclass(frozen=True)
class Table:
    """One state of a table.

    Attributes:
        labels: What columns and index are called; the same object while they don't change.
        columns: The columns in the order shown, the fixed ones first.
        fixed: How many of them are fixed.
        rows: Number of rows.
        shape: Rows and columns as the producer counts them.
        range: Start and step of the index that `columns` shows without values.
        position: Epoch and seq of the frame.
    """

    labels: Labels
    columns: tuple[Column, ...]
    fixed: int
    rows: int
    shape: tuple[int, int]
    range: tuple[int, int]
    position: Position
    _identity: tuple[pa.Array, ...]

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """The columns' titles."""
        return tuple(column.title for column in self.columns)

    @cached_property
    def types(self) -> tuple[pa.DataType, ...]:
        """The columns' Arrow types; a 64-bit integer for an index that counts."""
        return tuple(
            pa.int64() if column.values is None else column.values.type for column in self.columns
        )

    @property
    def is_keyed(self) -> bool:
        """Whether rows are told apart by values, not by position."""
        return bool(self._identity)

    def window(self, column: int, start: int, stop: int) -> pa.Array:
        """Return a column's values of the rows from `start` to before `stop`."""
        values = self.columns[column].values
        if values is None:
            first, step = self.range
            counted = np.arange(start, stop, dtype=np.int64) * step + first
            # Not `pa.array`: that imports pandas, which takes longer than the whole start.
            return pa.Array.from_buffers(pa.int64(), len(counted), [None, pa.py_buffer(counted)])
        return values.slice(start, stop - start)

    def identity(self, row: int) -> RowId:
        """Return what row number `row` is held by."""
        if not self._identity:
            return (row,)
        return tuple(values[row].as_py() for values in self._identity)

    def identities(self, start: int, stop: int) -> list[RowId]:
        """Return what the rows from `start` to before `stop` are held by."""
        if not self._identity:
            return [(row,) for row in range(start, stop)]
        return list(
            zip(
                *(one.slice(start, stop - start).to_pylist() for one in self._identity), strict=True
            )
        )

    def find(self, other: Table, row: int, near: int) -> int | None:
        """Return this table's row that is held by the same as row number `row` of `other`.

        Of several the nearest to `near`; None if it is gone. Takes no time if it is still at
        `near`, else a pass over the key columns.
        """
        if not self._identity or not other._identity:
            same_kind = not self._identity and not other._identity
            return row if same_kind and row < self.rows else None
        if len(other._identity) != len(self._identity):
            return None
        if 0 <= near < self.rows and self.identity(near) == other.identity(row):
            return near
        import pyarrow.compute as pc  # late: it takes as long as the first paint

        mask: Any = None
        for values, others in zip(self._identity, other._identity, strict=True):
            wanted = others[row]  # an Arrow scalar: making one from Python imports pandas
            try:
                if not wanted.is_valid:
                    same = pc.is_null(values)
                else:
                    same = pc.fill_null(pc.equal(values, wanted.cast(values.type)), False)
            except (pa.ArrowException, NotImplementedError):
                return None  # the key changed its type
            mask = same if mask is None else pc.and_(mask, same)
        rows = np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        return int(rows[np.abs(rows - near).argmin()]) if rows.size else None

    def select(self, names: Sequence[str]) -> Table:
        """Return the table with only the columns of these titles, in this order.

        What tells rows apart stays at the left. Titles that there are none of are passed over
        (`missing` tells them): the column may yet come.
        """
        wanted = [column for name in names for column in self.columns if column.title == name]
        kept = [column for column in self.columns[: self.fixed] if column.title not in names]
        if any(column.fixed for column in wanted):
            wanted = [replace(column, fixed=False) for column in wanted]
        return replace(self, columns=(*kept, *wanted), fixed=len(kept))

    def missing(self, names: Sequence[str]) -> list[str]:
        """Return which of these titles no column has."""
        return [name for name in names if name not in self.titles]


_INDEX_TITLE: Final = ""


def build(
    decoded: Decoded, key: tuple[Any, ...], position: Position, columns: int | None = None
) -> Table:
    """Return a decoded snapshot as a table: key or index first and fixed.

    Args:
        decoded: The snapshot.
        key: Labels of the key columns, as JSON labels; those that are missing are ignored.
        position: The snapshot's epoch and seq.
        columns: How many columns the producer counts; all that came if None.
    """
    labels = decoded.labels
    wanted = {_hashable(label) for label in map(_label, key)}
    by_key = [at for at, label in enumerate(labels.columns) if _hashable(label) in wanted]
    titled = [harmless(to_text(label)[:200]) for label in labels.columns]
    fixed = []
    for level, values in enumerate(decoded.index):
        fixed.append(Column(harmless(to_text(labels.index[level])[:200]), values, fixed=True))
    if by_key:
        fixed += [Column(titled[at], decoded.columns[at], fixed=True) for at in by_key]
    elif not fixed:
        name = labels.index[0] if labels.index else None
        fixed.append(Column(harmless(to_text(name)[:200]) or _INDEX_TITLE, None, fixed=True))
    moved = set(by_key)
    rest = [
        Column(title, values)
        for at, (title, values) in enumerate(zip(titled, decoded.columns, strict=True))
        if at not in moved
    ]
    held = [decoded.columns[at] for at in by_key] or list(decoded.index)
    # Rows can't be told apart by lists and dicts: nothing finds them again.
    held = [values for values in held if not pa.types.is_nested(plain_type(values.type))]
    return Table(
        labels=labels,
        columns=(*fixed, *rest),
        fixed=len(fixed),
        rows=decoded.rows,
        shape=(decoded.rows, len(decoded.columns) if columns is None else columns),
        range=labels.range or (0, 1),
        position=position,
        _identity=tuple(map(_plain, held)),
    )


def _label(value: Any) -> Any:
    try:
        return from_json(value)
    except ValueError:
        return None


def _hashable(label: Any) -> Any:
    # 1, True and 1.0 are three labels.
    return (type(label), label) if not isinstance(label, list) else None


def _plain(values: pa.Array) -> pa.Array:
    """Return an array whose values Python can compare: times as whole numbers."""
    values = without_dictionary(values)
    kind = values.type
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return values.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    return values
