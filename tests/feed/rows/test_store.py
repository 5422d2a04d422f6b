"""livetable.feed.rows.store: stored values against a plain list."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.rows import store as store_module
from livetable.feed.rows.row_map import GONE
from livetable.feed.rows.store import Store
from tests.feed.rows.stored import numbers
from tests.feed.rows.stored import small_pages as small_pages


@given(st.lists(st.integers(0, 9), max_size=12), st.data())
def test_a_store_against_a_list(sizes: list[int], data: st.DataObject) -> None:
    store, plain = Store((pa.int64(), pa.string())), list[tuple[int, str | None]]()
    for size in sizes:
        more = [
            (len(plain) + at, None if at % 3 == 1 else f"x{len(plain) + at}") for at in range(size)
        ]
        columns = list(map(list, zip(*more, strict=True))) or [[], []]
        arrays = [pa.array(columns[0], pa.int64()), pa.array(columns[1], pa.string())]
        before, store = store, store.with_more(arrays, size)
        plain += more
        assert store.nbytes_beside(before) <= store.nbytes
        assert store.nbytes_beside(store) == 0
    assert len(store) == len(plain)
    # Each segment is several times the next one, up to the longest.
    assert len(store.segments) <= 2 + len(plain) // 8
    asked = data.draw(st.lists(st.integers(GONE, len(plain) - 1), max_size=9))
    asked = [at if at < len(plain) else GONE for at in asked]
    reader = store.reader(numbers(asked))
    nothing = (None, None)
    for column in (0, 1):
        wanted = [(plain[at] if at != GONE else nothing)[column] for at in asked]
        assert reader.column(column).to_pylist() == wanted
    first = data.draw(st.integers(0, len(plain)))
    pieces = store.since(first)
    assert sum(rows for _, rows in pieces) == len(plain) - first
    found = [value for arrays, _ in pieces for value in arrays[0].to_pylist()]
    assert found == [one for one, _ in plain[first:]]
    wider = store.with_column(pa.bool_()).with_type(2, pa.float64())
    assert wider.types == (pa.int64(), pa.string(), pa.float64())
    assert wider.reader(numbers(range(len(plain)))).column(2).to_pylist() == [None] * len(plain)


def test_text_that_fits_in_no_array_stays_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(first: pa.Array, second: pa.Array) -> pa.Array:
        raise pa.ArrowInvalid("offset overflow")

    monkeypatch.setattr(store_module, "_joined", full)
    store = Store.of([pa.array(["a"])], 1).with_more([pa.array(["b"])], 1)
    assert len(store.segments) == 2
    assert store.reader(numbers([1, 0])).column(0).to_pylist() == ["b", "a"]
