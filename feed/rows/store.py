"""The values of rows, by column, in order of arrival. Immutable: a larger store shares segments.

Rows are only appended. They are kept in a few segments, each at least eight times as long as the
next: so each row is copied only a few times, and there are few segments to search.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import bytes_of, one_chunk, rows_array, taken
from livetable.feed.rows.row_map import GONE, Numbers

SPARE: Final = 1 << 16
"""So many unused rows may always stay."""

_RATIO: Final = 8
_LONGEST: Final = 1 << 18
"""Longest segment, in rows: copying more at once would take noticeable time."""


class Store:
    """Columns of values.

    Args:
        types: The columns' types.
        segments: Their values, by segment and column.
        starts: Each segment's first row, and the number of all rows.
        sizes: Bytes of each segment.
    """

    def __init__(
        self,
        types: tuple[pa.DataType, ...],
        segments: tuple[tuple[pa.Array, ...], ...] = (),
        starts: tuple[int, ...] = (0,),
        sizes: tuple[int, ...] = (),
    ) -> None:
        self.types = types
        self.segments = segments
        self.starts = starts
        self._sizes = sizes

    @classmethod
    def of(cls, arrays: Sequence[pa.Array], rows: int) -> Store:
        """Return a store of these columns, each of so many rows."""
        return cls(tuple(one.type for one in arrays)).with_more(arrays, rows)

    def __len__(self) -> int:
        return self.starts[-1]

    @property
    def nbytes(self) -> int:
        """Bytes that its values take."""
        return sum(self._sizes)

    def nbytes_beside(self, other: Store) -> int:
        """Return the bytes of segments that another store does not share."""
        shared = set(map(id, other.segments))
        return sum(
            size
            for segment, size in zip(self.segments, self._sizes, strict=True)
            if id(segment) not in shared
        )

    def with_more(self, arrays: Sequence[pa.Array], rows: int) -> Store:
        """Append rows; `arrays` have the types of the store."""
        if not rows:
            return self
        segments = [*self.segments, tuple(arrays)]
        starts = [*self.starts, self.starts[-1] + rows]
        sizes = [*self._sizes, sum(map(bytes_of, arrays))]
        while len(segments) > 1:
            last = starts[-1] - starts[-2]
            before = starts[-2] - starts[-3]
            if before >= _RATIO * last or before + last > _LONGEST:
                break
            try:
                joined = tuple(map(_joined, segments[-2], segments[-1]))
            except pa.ArrowException:  # over 2 GiB of text in one
                break
            segments[-2:] = [joined]
            del starts[-2]
            sizes[-2:] = [sum(sizes[-2:])]
        return Store(self.types, tuple(segments), tuple(starts), tuple(sizes))

    def with_column(self, kind: pa.DataType) -> Store:
        """Return the store with one more column, of nulls."""
        segments = tuple(
            (*segment, pa.nulls(stop - start, kind))
            for segment, start, stop in zip(
                self.segments, self.starts, self.starts[1:], strict=False
            )
        )
        return Store((*self.types, kind), segments, self.starts, self._sizes)

    def with_type(self, column: int, kind: pa.DataType) -> Store:
        """Cast a column to another type. Costs O(rows).

        Raises:
            pa.ArrowException: some of its values don't fit.
        """
        segments = tuple(
            (*segment[:column], segment[column].cast(kind), *segment[column + 1 :])
            for segment in self.segments
        )
        types = (*self.types[:column], kind, *self.types[column + 1 :])
        return Store(types, segments, self.starts, self._sizes)

    def since(self, row: int) -> list[tuple[list[pa.Array], int]]:
        """Return the rows from `row` on, segment by segment, each with its number of rows."""
        pieces = []
        for segment, start, stop in zip(self.segments, self.starts, self.starts[1:], strict=False):
            if stop > row:
                skip = max(0, row - start)
                pieces.append(([array.slice(skip) for array in segment], stop - start - skip))
        return pieces

    def is_bloated(self, rows: int) -> bool:
        """Tell whether it holds many more rows than the `rows` in use."""
        return len(self) > 2 * rows + SPARE

    def only(self, rows: Numbers) -> Store:
        """Return a store with only some rows, in the given order. Costs O(rows)."""
        return Store.of(self.reader(rows).columns(), len(rows))

    def reader(self, rows: Numbers) -> Reader:
        """Return a reader of these rows, in any order; `GONE` gives null."""
        return Reader(self, rows)


class Reader:
    """Reads columns of some rows; locates the rows once.

    Args:
        store: Where the rows are.
        rows: Which ones.
    """

    def __init__(self, store: Store, rows: Numbers) -> None:
        self._types = store.types
        starts = np.asarray(store.starts)
        self._pieces: list[tuple[tuple[pa.Array, ...] | None, pa.Array | slice, int]] = []
        self._order: pa.Array | None = None
        if _is_stretch(rows):  # consecutive rows can be sliced
            self._stretch(store, int(rows[0]), int(rows[-1]) + 1)
            return
        segments = np.searchsorted(starts, rows, side="right") - 1  # GONE is in none: -1
        order = None
        if len(rows) and int(segments.min()) != int(segments.max()):
            order = np.argsort(segments, kind="stable")
            rows, segments = rows[order], segments[order]
        edges = [0, *(np.flatnonzero(np.diff(segments)) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            if start == stop:
                continue
            segment = int(segments[start])
            inside = rows_array(rows[start:stop] - starts[segment])
            piece = store.segments[segment] if segment != GONE else None
            self._pieces.append((piece, inside, stop - start))
        if order is not None:
            back = np.empty(len(order), dtype=np.int64)
            back[order] = np.arange(len(order), dtype=np.int64)
            self._order = rows_array(back)

    def _stretch(self, store: Store, first: int, behind: int) -> None:
        for segment, start, stop in zip(
            store.segments, store.starts, store.starts[1:], strict=False
        ):
            if start < behind and stop > first:
                inside = slice(max(first, start) - start, min(behind, stop) - start)
                self._pieces.append((segment, inside, inside.stop - inside.start))

    def columns(self) -> list[pa.Array]:
        """Return all columns of the rows."""
        return list(map(self.column, range(len(self._types))))

    def column(self, column: int) -> pa.Array:
        """Return a column's values of the rows."""
        parts = [
            pa.nulls(count, self._types[column])
            if piece is None
            else piece[column][inside]
            if isinstance(inside, slice)
            else taken(piece[column], inside)
            for piece, inside, count in self._pieces
        ]
        if not parts:
            return pa.nulls(0, self._types[column])
        values = parts[0] if len(parts) == 1 else one_chunk(pa.chunked_array(parts))
        return values if self._order is None else taken(values, self._order)


def _is_stretch(rows: Numbers) -> bool:
    """Tell whether these rows are consecutive, and none is `GONE`."""
    if not len(rows) or int(rows[0]) < 0 or int(rows[-1]) - int(rows[0]) != len(rows) - 1:
        return False
    return bool((rows[1:] - rows[:-1] == 1).all())


def _joined(first: pa.Array, second: pa.Array) -> pa.Array:
    return pa.concat_arrays([first, second])
