"""livetable.feed.rows.row_map and store: against plain lists, with pages of four rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.rows import row_map as rows_module
from livetable.feed.rows import store as store_module
from livetable.feed.rows.row_map import GONE, Numbers, Rows
from livetable.feed.rows.store import Store
from livetable.feed.rows.values import Arrays, StoredValues


@pytest.fixture(autouse=True)
def small_pages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "PAGE", 4)
        patch.setattr(store_module, "_LONGEST", 16)
        yield


def numbers(values: object) -> Numbers:
    return np.array(values, dtype=np.int64)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["changed", "without", "front", "with_more", "anew"]), st.integers(0, 9)
    ),
    max_size=25,
)


@given(STEPS, st.integers(0, 14), st.randoms(use_true_random=False), st.sampled_from([0, 1000]))
def test_against_a_list(steps: list[tuple[str, int]], count: int, random: object, few: int) -> None:
    choose = random.sample  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "_FEW", few)  # both ways of doing the same
        rows = Rows.of(numbers(range(count)))
        oracle = {number: number for number in range(count)}
        stored, end = count, count
        for step, size in steps:
            before, old = rows, dict(oracle)
            some = sorted(choose(sorted(oracle), min(size, len(oracle))))
            if step == "changed":
                rows = rows.changed(numbers(some), numbers(range(stored, stored + len(some))))
                oracle |= dict(zip(some, range(stored, stored + len(some)), strict=True))
                stored += len(some)
            elif step in ("without", "front"):
                some = sorted(oracle)[: len(some)] if step == "front" else some
                rows = rows.without(numbers(some))
                oracle = {at: row for at, row in oracle.items() if at not in some}
            elif step == "with_more":
                rows = rows.with_more(numbers(range(stored, stored + size)))
                oracle |= {end + at: stored + at for at in range(size)}
                stored, end = stored + size, end + size
            else:
                rows = rows.stored_anew(lambda page: page + 1000)
                oracle = {at: row + 1000 for at, row in oracle.items()}
                stored += 1000
            check(rows, oracle, end)
            check(before, old, before.end)  # what was there has not changed
            changed, came, went = map(np.ndarray.tolist, rows.differing(before))
            assert changed == sorted(at for at in oracle if old.get(at, oracle[at]) != oracle[at])
            assert came == sorted(oracle.keys() - old.keys())
            assert went == sorted(old.keys() - oracle.keys())
            assert rows.written >= before.written


def check(rows: Rows, oracle: dict[int, int], end: int) -> None:
    there = sorted(oracle)
    assert len(rows) == len(there)
    assert rows.end == end
    for start in range(0, len(there) + 1, 3):
        for stop in (start, start + 1, start + 5, len(there)):
            assert rows.numbers(start, stop).tolist() == there[start : max(start, stop)]
            assert rows.stored(start, stop).tolist() == [oracle[at] for at in there[start:stop]]
    assert rows.numbers_at(numbers(range(len(there)))).tolist() == there
    assert rows.numbers_at(numbers(range(0, len(there), 2))).tolist() == there[::2]
    asked = numbers(range(end + 3))
    places = {number: at for at, number in enumerate(there)}
    assert rows.positions_of(asked).tolist() == [places.get(at, GONE) for at in asked.tolist()]
    assert rows.stored_of(asked).tolist() == [oracle.get(at, GONE) for at in asked.tolist()]
    assert rows.rank(asked).tolist() == [sum(one < at for one in there) for at in asked.tolist()]


def test_a_change_shares_what_it_leaves_alone() -> None:
    rows = Rows.of(numbers(range(40)))
    after = rows.changed(numbers([5]), numbers([99]))
    shared = [one is other for one, other in zip(rows._pages, after._pages, strict=True)]
    assert shared == [True, False, *[True] * 8]


def test_rows_whose_numbers_are_mostly_nobodys_are_sparse() -> None:
    rows = Rows.of(numbers([0]))
    assert not rows.is_sparse
    for at in range(100):
        rows = rows.with_more(numbers([at, at, at, at]))
        rows = rows.without(rows.numbers(1, 5))
    assert len(rows) == 1
    assert rows.is_sparse  # the first row lives on, so its page does


# -- values ----------------------------------------------------------------------------------------


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
