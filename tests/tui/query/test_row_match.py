"""tui.query.row_match: which row is which of another state, and which of them differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.row_match import came_and_went, changed_rows, places_in
from tests.tui.model.states import states
from tests.tui.tables import table_of


@pytest.mark.parametrize("keyed", [True, False])
def test_what_came_went_and_changed_is_told_exactly(keyed: bool) -> None:
    before, after = states(keyed=keyed)
    assert places_in(after, before).to_pylist() == [1, 2, 4, 5, None]
    assert places_in(before, after).to_pylist() == [None, 0, 1, None, 2, 3]
    some = np.array([4, 0], dtype=np.int64)
    assert places_in(after, before, some).to_pylist() == [None, 1]
    came, gone, names = came_and_went(after, before, 5)
    assert (came, gone) == (1, 2)
    assert names == ["0", "3"]
    # Where the index only counts, it too is another one for rows that moved.
    assert len(changed_rows(after, before)) == (1 if keyed else 4)


@given(
    st.lists(st.integers(0, 30), max_size=3),
    st.lists(st.integers(0, 30), min_size=20, max_size=60),
)
def test_few_rows_are_found_as_many_are(few: list[int], many: list[int]) -> None:
    frames = (pd.DataFrame({"id": pd.Series(ids, dtype="int64")}) for ids in (few, many))
    now, then = (table_of(frame, "id") for frame in frames)
    expected = [many.index(one) if one in many else None for one in few]
    assert places_in(now, then).to_pylist() == expected
    assert places_in(then, now).to_pylist() == [few.index(x) if x in few else None for x in many]


def test_keys_that_cant_be_compared_are_nowhere() -> None:
    keys = {"a": [b"\xff"], "b": ["x"], "v": [1]}
    now, then = table_of(keys, "a", "b"), table_of({**keys, "v": [2]}, "a", "b")
    assert places_in(now, then).to_pylist() in ([0], [None])
    half = pd.DataFrame({"k": np.array([1.5], dtype="float16"), "v": [1]})
    other = pd.DataFrame({"k": np.array([2.5], dtype="float16"), "v": [1]})
    assert places_in(table_of(half, "k"), table_of(other, "k")).to_pylist() == [None]
