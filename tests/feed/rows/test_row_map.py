"""livetable.feed.rows.row_map: against plain lists, with pages of four rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.rows import row_map as rows_module
from livetable.feed.rows.row_map import GONE, Rows
from tests.feed.rows.stored import numbers
from tests.feed.rows.stored import small_pages as small_pages

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
