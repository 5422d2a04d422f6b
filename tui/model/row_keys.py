"""What identifies a row, and which row of one state is which row of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import comparable, rows_array, texts, truth
from livetable.feed.rows.values import Values

if TYPE_CHECKING:
    from livetable.feed.rows.row_map import Rows

RowId = tuple[Any, ...]
"""Identifies a row: its key, else its index labels, else its number."""

_KEY_SEPARATOR: Final = "\x1f"
_NO_KEY: Final = "\x00"


class RowKeys:
    """The identities of one state's rows. Rows are those of the frame, shown or not.

    Args:
        sources: The columns.
        held_by: The key columns; none if positions identify rows.
        rows: The number of rows.
        numbers: The rows' numbers; None if these are the positions.
        line: An object shared by all states in which rows keep their numbers.
    """

    def __init__(
        self,
        sources: Values,
        held_by: tuple[int, ...],
        rows: int,
        numbers: Rows | None,
        line: object,
    ) -> None:
        self.sources = sources
        self.held_by = held_by
        self.rows = rows
        self.numbers = numbers
        self.line = line

    def values(self, rows: np.ndarray[Any, Any] | None = None) -> pa.Array:
        """Return rows' keys, one value per row. Only for keyed tables.

        Args:
            rows: Which rows of the frame; None for all.
        """
        at = None if rows is None else rows_array(rows)
        held = [self.column(source, at) for source in self.held_by]
        if len(held) == 1:
            return held[0]
        import pyarrow.compute as pc

        # As Arrow scalars: for Python strings, Arrow would import pandas (40 MB).
        no_key, separator = texts([_NO_KEY, _KEY_SEPARATOR])
        parts = [pc.coalesce(one.cast(pa.string()), no_key) for one in held]
        return pc.binary_join_element_wise(*parts, separator)

    def column(self, source: int, rows: pa.Array | None) -> pa.Array:
        """Return one key column of rows of the frame, in a type that can be compared."""
        sources = self.sources
        return comparable(sources.whole(source) if rows is None else sources.at(source, rows))

    def same_as(self, other: RowKeys, rows: np.ndarray[Any, Any] | None) -> bool:
        """Tell whether the rows of two frames have the same keys. Only for keyed tables.

        Args:
            other: The other table.
            rows: Which rows of the frames; None for all.
        """
        if len(self.held_by) != len(other.held_by):
            return False
        at = None if rows is None else rows_array(rows)
        for mine_at, others_at in zip(self.held_by, other.held_by, strict=True):
            mine, others = self.column(mine_at, at), other.column(others_at, at)
            if mine.type != others.type or not mine.equals(others):
                return False
        return True

    def identity(self, row: int) -> RowId:
        if not self.held_by:
            return (self._number(row),)
        held = (comparable(self.sources.stretch(at, row, row + 1)) for at in self.held_by)
        return tuple(values[0].as_py() for values in held)

    def _number(self, row: int) -> int:
        return row if self.numbers is None else int(self.numbers.numbers(row, row + 1)[0])

    def name_of(self, row: int) -> str:
        """Return a row's key as text. Only for keyed tables."""
        held = [self.sources.stretch(at, row, row + 1)[0] for at in self.held_by]
        return ",".join(_plain(one) if one.is_valid else "" for one in held)

    def numbers_of(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the numbers of rows of the frame, in any order."""
        if self.numbers is None:
            return rows
        from livetable.feed.rows.row_map import in_any_order

        return in_any_order(self.numbers.numbers_at, rows)

    def rows_in(self, other: RowKeys, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Return the positions of this frame's rows in another frame, -1 for missing ones.

        None if the two states don't share row numbers: rows can then only be found by their keys.
        """
        if self.line is None or self.line is not other.line:
            return None
        numbers = self.numbers_of(rows)
        if other.numbers is None:
            return np.where(numbers < other.rows, numbers, -1)
        from livetable.feed.rows.row_map import in_any_order

        return in_any_order(other.numbers.positions_of, numbers)

    def find(self, other: RowKeys, row: int, near: int) -> int | None:
        if 0 <= near < self.rows and self.identity(near) == other.identity(row):
            return near
        import pyarrow.compute as pc  # late: the import takes as long as the first paint

        mask: Any = None
        single = rows_array(np.array([row], dtype=np.int64))
        for mine, others in zip(self.held_by, other.held_by, strict=True):
            values = self.column(mine, None)
            wanted = other.column(others, single)[0]  # an Arrow scalar: Python's imports pandas
            try:
                if not wanted.is_valid:
                    same = truth(pc.is_null(values))
                else:
                    same = truth(pc.equal(values, wanted.cast(values.type)))
            except (pa.ArrowException, NotImplementedError):
                return None  # the key's type has changed
            mask = same if mask is None else mask & same
        rows = np.flatnonzero(mask)
        return int(rows[np.abs(rows - near).argmin()]) if rows.size else None


def _plain(value: pa.Scalar) -> str:
    """Return a key's value as text."""
    if pa.types.is_temporal(value.type):  # `as_py` may return a pandas object
        value = value.cast(pa.string())
    found = value.as_py()
    return found.hex() if isinstance(found, bytes) else str(found)
