"""Read a table's values: a whole column, a range of its rows, or some rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

import pyarrow as pa

from livetable.feed.arrow.arrays import taken

if TYPE_CHECKING:
    from livetable.feed.rows.row_map import Numbers, Rows
    from livetable.feed.rows.store import Reader, Store


class Values(Protocol):
    """The columns of one state of a table; immutable."""

    def __len__(self) -> int:
        """Return the number of columns."""
        ...

    def whole(self, column: int) -> pa.Array:
        """Return all of a column."""
        ...

    def stretch(self, column: int, start: int, stop: int) -> pa.Array:
        """Return a column's rows from `start` to before `stop`."""
        ...

    def at(self, column: int, rows: pa.Array) -> pa.Array:
        """Return a column's values of some rows; nulls where `rows` has nulls."""
        ...


class Arrays:
    """Columns as arrays.

    Args:
        arrays: The columns; each may be created when it is accessed.
    """

    def __init__(self, arrays: Sequence[pa.Array]) -> None:
        self._arrays = arrays

    def __len__(self) -> int:
        return len(self._arrays)

    def whole(self, column: int) -> pa.Array:
        """Return all of a column."""
        return self._arrays[column]

    def stretch(self, column: int, start: int, stop: int) -> pa.Array:
        """Return a column's rows from `start` to before `stop`."""
        return self._arrays[column].slice(start, stop - start)

    def at(self, column: int, rows: pa.Array) -> pa.Array:
        """Return a column's values of some rows; nulls where `rows` has nulls."""
        return taken(self._arrays[column], rows)


_FEW: Final = 4096
"""Readers of more rows are not cached: each state of a history would keep its own."""


class StoredValues:
    """Columns of scattered rows in a store; only the rows that are read are gathered.

    Args:
        store: The values.
        rows: The rows in order, as stored rows.
    """

    def __init__(self, store: Store, rows: Rows) -> None:
        self.store = store
        self.rows = rows
        # All columns of a paint read the same rows. A tuple in one attribute is set atomically.
        self._last_stretch: tuple[int, int, Reader] | None = None
        self._last_rows: tuple[pa.Array, Reader] | None = None

    def __len__(self) -> int:
        return len(self.store.types)

    def whole(self, column: int) -> pa.Array:
        """Return a whole column. Costs O(rows)."""
        return _gathered(self, column)

    def stretch(self, column: int, start: int, stop: int) -> pa.Array:
        """Return a column's rows from `start` to before `stop`."""
        last = self._last_stretch
        if last is None or last[:2] != (start, stop):
            last = start, stop, self.store.reader(self.rows.stored(start, stop))
            if stop - start <= _FEW:
                self._last_stretch = last
        return last[2].column(column)

    def at(self, column: int, rows: pa.Array) -> pa.Array:
        """Return a column's values of some rows; nulls where `rows` has nulls."""
        last = self._last_rows
        if last is None or last[0] is not rows:
            last = rows, self.store.reader(self._stored(rows))
            if len(rows) <= _FEW:
                self._last_rows = last
        return last[1].column(column)

    def _stored(self, rows: pa.Array) -> Numbers:
        import numpy as np

        from livetable.feed.arrow.arrays import as_numpy, missing
        from livetable.feed.rows.row_map import GONE, in_any_order

        positions = as_numpy(rows)
        present = ~missing(rows) if rows.null_count else np.ones(len(rows), dtype=bool)
        wanted = positions[present]
        stored = np.full(len(rows), GONE, dtype=np.int64)
        if len(wanted) > len(self.rows) // 8:
            stored[present] = self.rows.stored(0, len(self.rows))[wanted]
        else:
            here = self.rows
            stored[present] = in_any_order(
                lambda ascending: here.stored_of(here.numbers_at(ascending)), wanted
            )
        return stored


@lru_cache(maxsize=8)
def _gathered(values: StoredValues, column: int) -> pa.Array:
    # Cached for the newest states only: else each state of a history would keep its own copy.
    rows = values.rows
    return values.store.reader(rows.stored(0, len(rows))).column(column)
