"""livetable.feed.rows.keys: keys as Python values that can be found again."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.errors import BadFrame
from livetable.feed.rows.keys import keys_of, told, twice_in


def test_one_column_and_several() -> None:
    ids, names = pa.array([1, None]), pa.array(["a", "b"])
    assert keys_of([ids]) == [1, None]
    assert keys_of([ids, names]) == [(1, "a"), (None, "b")]


def test_nan_is_found_again_and_times_are_exact() -> None:
    (nan,) = keys_of([pa.array([float("nan")])])
    assert nan == keys_of([pa.array([float("nan")])])[0]
    assert told(nan) == "NaN"
    day = datetime.date(2026, 1, 1)
    assert keys_of([pa.array([day])]) == keys_of([pa.array([day])])
    assert isinstance(keys_of([pa.array([day])])[0], int)


def test_lists_are_no_keys() -> None:
    with pytest.raises(BadFrame, match="choose another column"):
        keys_of([pa.array([[1]])])


def test_a_key_in_a_sentence_is_short() -> None:
    assert told("x") == "'x'"
    assert len(told("x" * 100)) == 60


@given(st.lists(st.integers(0, 9) | st.none()))
def test_a_key_that_occurs_twice(keys: list[int | None]) -> None:
    twice = twice_in(keys)
    if len(set(keys)) == len(keys):
        assert twice is None
    else:
        assert keys.count(None if twice == "None" else twice) > 1  # type: ignore[arg-type]
