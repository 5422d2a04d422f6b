"""A table's state, incoming rows, and changes between states. All immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from livetable.feed.rows.row_map import GONE, Numbers, Rows
from livetable.feed.rows.schema import Shape
from livetable.feed.rows.store import Store


@dataclass(frozen=True)
class Incoming:
    """Rows with some or all of a table's columns.

    Attributes:
        arrays: Their values, by field.
        rows: How many there are.
    """

    arrays: Mapping[int, pa.Array]
    rows: int


@dataclass(frozen=True)
class State:
    """The state of a table.

    Attributes:
        shape: Its columns.
        rows: Its rows.
        store: Their values.
        first: The first label, if the index is a RangeIndex.
    """

    shape: Shape
    rows: Rows
    store: Store
    first: int

    @classmethod
    def of(cls, schema: pa.Schema, arrays: Sequence[pa.Array], rows: int) -> State:
        """Return the state that a body's columns describe."""
        shape = Shape.of(schema)
        store = Store.of(arrays, rows)
        counts = shape.described["range"]
        numbers = np.arange(rows, dtype=np.int64)
        return cls(shape, Rows.of(numbers), store, counts[0] if counts else 0)

    def with_index(self) -> State:
        """Return the state with its RangeIndex as a field with values."""
        rows = len(self.rows)
        columns = self.store.reader(self.rows.stored(0, rows)).columns()
        step = self.shape.described["range"][1]
        index = pa.array(self.first + step * np.arange(rows, dtype=np.int64))
        return State(
            self.shape.with_index(), Rows.of(np.arange(rows, dtype=np.int64)),
            Store.of([index, *columns], rows), 0,
        )  # fmt: skip

    def on(self, before: State, compact: Store) -> State:
        """Return the state on a compact store of an earlier state, plus the rows stored since.

        Args:
            before: The earlier state, of the same shape.
            compact: A store with only its rows, in order.
        """
        known = len(before.store)
        moved = np.full(known, GONE, dtype=np.int64)
        moved[before.rows.stored(0, len(before.rows))] = np.arange(len(compact), dtype=np.int64)
        behind = len(compact) - known
        rows = self.rows.stored_anew(
            lambda page: np.where(page < known, moved[np.minimum(page, known - 1)], page + behind)
        )
        store = compact
        for arrays, count in self.store.since(known):
            store = store.with_more(arrays, count)
        return replace(self, rows=rows, store=store)


@dataclass(frozen=True)
class Change:
    """The effect of one change, by row numbers.

    Attributes:
        seq: The seq after the change.
        end: The next free row number before the change.
        touched: Existing rows with new values.
        gone: Removed rows.
    """

    seq: int
    end: int
    touched: Numbers
    gone: Numbers


@dataclass(frozen=True)
class Difference:
    """The difference that a viewer with an earlier state needs.

    Attributes:
        gone: Positions of removed rows in the earlier state, ascending.
        changed: Positions of changed and new rows in the later state, ascending.
        stored: The stored rows of those.
    """

    gone: Numbers
    changed: Numbers
    stored: Numbers
