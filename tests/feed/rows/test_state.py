"""livetable.feed.rows.state: a state with an index of its own, and on a compact store."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from livetable.feed.frames.capture import capture
from livetable.feed.rows.deltas import begun
from livetable.feed.rows.keyed_table import compacted
from livetable.feed.rows.state import State


def state_of(frame: pd.DataFrame) -> State:
    return begun(capture(frame), None, ())[0]


def values(state: State) -> list[list[object]]:
    reader = state.store.reader(state.rows.stored(0, len(state.rows)))
    return [column.to_pylist() for column in reader.columns()]


def test_a_range_becomes_an_index_with_values() -> None:
    state = state_of(pd.DataFrame({"a": [1.5, 2.5]}, index=pd.RangeIndex(10, 14, 2)))
    assert (state.first, state.shape.levels) == (10, 0)
    indexed = state.with_index()
    assert indexed.shape.levels == 1
    assert values(indexed) == [[10, 12], [1.5, 2.5]]


def test_a_compact_store_keeps_what_came_later() -> None:
    before = state_of(pd.DataFrame({"a": [1, 2, 3]}))
    kept = before.rows.without(np.array([0], dtype=np.int64))
    before = State(before.shape, kept, before.store, before.first)
    store = before.store.with_more([pa.array([4])], 1)
    after = State(before.shape, kept.with_more(np.array([3], dtype=np.int64)), store, 0)
    compact = compacted(before)
    assert len(compact) == 2
    assert values(after.on(before, compact)) == values(after) == [[2, 3, 4]]
