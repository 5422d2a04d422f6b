"""tui.model.row_keys: what identifies a row, and where it is in another state."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.model.row_keys import RowKeys
from tests.tui.model.states import states
from tests.tui.tables import Line, table_of


def keys_of(frame: Any, *key: Any) -> RowKeys:
    return table_of(frame, *key).keys


def test_the_key_of_one_column_is_its_value() -> None:
    keys = keys_of({"id": ["a", None], "n": [1, 2]}, "id")
    assert keys.values().to_pylist() == ["a", None]
    assert keys.values(np.array([1, 0])).to_pylist() == [None, "a"]
    assert [keys.identity(row) for row in (0, 1)] == [("a",), (None,)]
    assert [keys.name_of(row) for row in (0, 1)] == ["a", ""]


def test_keys_of_several_columns_are_distinct() -> None:
    keys = keys_of({"a": ["x", "x,y", None], "b": ["y,z", "z", "z"]}, "a", "b")
    assert len(set(keys.values().to_pylist())) == 3  # though two of them are printed the same
    assert [keys.name_of(row) for row in range(3)] == ["x,y,z", "x,y,z", ",z"]
    assert keys.identity(2) == (None, "z")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1.5, "1.5"),
        (b"\x01\xff", "01ff"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
        (True, "True"),
    ],
)
def test_names_of_keys(value: Any, name: str) -> None:
    assert keys_of({"id": [value]}, "id").name_of(0) == name


def test_frames_with_the_same_keys() -> None:
    one = keys_of({"id": ["a", "b"], "n": [1, 2]}, "id")
    assert one.same_as(keys_of({"id": ["a", "b"], "n": [3, 4]}, "id"), None)
    assert one.same_as(keys_of({"id": ["a", "c"]}, "id"), np.array([0]))
    assert not one.same_as(keys_of({"id": ["a", "c"]}, "id"), None)
    assert not one.same_as(keys_of({"id": [1, 2]}, "id"), None)
    assert not one.same_as(keys_of({"id": ["a", "b"], "n": [1, 2]}, "id", "n"), None)


@given(st.lists(st.sampled_from("abc"), max_size=6), st.sampled_from("abcd"), st.integers(-1, 7))
def test_the_nearest_row_with_the_key_is_found(ids: list[str], wanted: str, near: int) -> None:
    table = keys_of(pd.DataFrame({"id": pd.Series(ids, dtype="str")}), "id")
    other = keys_of({"id": [wanted]}, "id")
    found = table.find(other, 0, near)
    same = [row for row, key in enumerate(ids) if key == wanted]
    assert (found is None) == (not same)
    if found is not None:
        assert found in same
        assert abs(found - near) == min(abs(row - near) for row in same)


def test_a_missing_key_is_found_and_another_type_is_not() -> None:
    table = keys_of({"id": ["a", None, "b"]}, "id")
    assert table.find(keys_of({"id": pd.array([None], dtype="str")}, "id"), 0, 0) == 1
    assert table.find(keys_of({"id": [b"a"]}, "id"), 0, 2) in (None, 0)
    assert table.find(keys_of({"id": [datetime.date(2026, 1, 1)]}, "id"), 0, 0) is None


@pytest.mark.parametrize("keyed", [True, False])
def test_rows_of_one_line_are_found_by_number(keyed: bool) -> None:
    before, after = (table.keys for table in states(keyed=keyed))
    everywhere = np.arange(before.rows)
    found = before.rows_in(after, everywhere)
    assert found is not None
    assert found.tolist() == [-1, 0, 1, -1, 2, 3]
    back = after.rows_in(before, np.array([3, 0]))
    assert back is not None
    assert back.tolist() == [5, 1]
    if not keyed:
        assert [after.identity(row) for row in range(3)] == [(1,), (2,), (4,)]
        assert after.numbers_of(np.array([2, 0])).tolist() == [4, 1]


def test_rows_of_other_lines_have_no_common_numbers() -> None:
    one, other = (Line().table(pd.DataFrame({"x": [1, 2]}), [0, 1]).keys for _ in range(2))
    assert one.rows_in(other, np.array([0])) is None
    plain = keys_of({"x": [1, 2]})
    assert (plain.identity(1), plain.numbers_of(np.array([1])).tolist()) == ((1,), [1])
