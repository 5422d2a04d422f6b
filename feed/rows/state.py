"""A table as it stands, what a change did to it, and what comes in. All immutable."""

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
    """A table as it stands.

    Attributes:
        shape: Its columns.
        rows: Its rows.
        store: Their values.
        first: What the first row counts, if the index only counts.
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
        """Return the state with an index that has values, where it only counted."""
        rows = len(self.rows)
        columns = self.store.reader(self.rows.stored(0, rows)).columns()
        step = self.shape.described["range"][1]
        index = pa.array(self.first + step * np.arange(rows, dtype=np.int64))
        return State(
            self.shape.with_index(), Rows.of(np.arange(rows, dtype=np.int64)),
            Store.of([index, *columns], rows), 0,
        )  # fmt: skip

    def on(self, before: State, compact: Store) -> State:
        """Return the state with what was stored up to an earlier one in a compact store.

        Args:
            before: The earlier one, of the same shape.
            compact: Its rows' values, in order, and nothing else.
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
    """What one change did, by numbers of rows.

    Attributes:
        seq: The table's after it.
        end: The number that the next row would have got before it.
        touched: Rows that were there and hold something else now.
        gone: Rows that were there and are not any more.
    """

    seq: int
    end: int
    touched: Numbers
    gone: Numbers


@dataclass(frozen=True)
class Difference:
    """What a viewer that shows an earlier state needs.

    Attributes:
        gone: Where, in the earlier state, the rows are that are not there any more; ascending.
        changed: Where, in the state now, the rows are that hold something else or are new;
            ascending.
        stored: Where the values of those are stored.
    """

    gone: Numbers
    changed: Numbers
    stored: Numbers
