"""livetable.feed.rows.values: columns, stretches and rows of them, wherever they are stored."""

from __future__ import annotations

import pyarrow as pa

from livetable.feed.rows.row_map import Rows
from livetable.feed.rows.store import Store
from livetable.feed.rows.values import Arrays, StoredValues
from tests.feed.rows.stored import numbers
from tests.feed.rows.stored import small_pages as small_pages


def test_values_of_stored_rows() -> None:
    plain = [f"x{at}" for at in range(30)]
    store = Store.of([pa.array(plain[:20])], 20).with_more([pa.array(plain[20:])], 10)
    order = [*range(25, 30), *range(0, 30, 7)]
    stored = StoredValues(store, Rows.of(numbers(order)))
    arrays = Arrays([pa.array([plain[at] for at in order])])
    assert len(stored) == len(arrays) == 1
    for values in (stored, arrays):
        assert values.whole(0).to_pylist() == [plain[at] for at in order]
        assert values.stretch(0, 2, 7).to_pylist() == [plain[at] for at in order[2:7]]
        assert values.at(0, pa.array([7, None, 0])).to_pylist() == ["x14", None, "x25"]
        assert values.at(0, pa.array([3])).to_pylist() == ["x28"]
        assert values.at(0, pa.array([], pa.int64())).to_pylist() == []


def test_values_hold_on_to_a_screen_of_rows_at_most() -> None:
    store = Store.of([pa.array(range(10_000))], 10_000)
    values = StoredValues(store, Rows.of(numbers(range(10_000))))
    every = pa.array(range(10_000))
    assert values.at(0, every).to_pylist()[-1] == 9999
    assert values.stretch(0, 0, 10_000).to_pylist()[-1] == 9999
    assert values._last_rows is None
    assert values._last_stretch is None
