"""livetable.feed.rows.input: rows that fit a table become arrays, all others are refused."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.errors import BadFrame
from livetable.feed.rows.input import captured_rows
from tests.feed.rows.changing import Feed, Reader

WRONG: dict[str, tuple[Any, str]] = {
    "no key": ({"x": [1]}, "these rows lack column 'id', which is .part of. the table's key"),
    "twice": ({"id": [1, 1], "x": [1, 2]}, "these rows have the key 1 twice"),
    "twice by dicts": ([{"id": 1, "x": 1}, {"id": 1, "s": "a"}], "these rows have the key 1 twice"),
    "text for numbers": ({"id": [1], "x": ["a"]}, "column 'x' holds int64, these rows have"),
    "truth for numbers": ({"id": [1], "x": [True]}, "column 'x' holds int64, these rows have bool"),
    "too large for floats": ({"id": [1], "half": [2**60 + 1]}, "'half' holds double, these rows"),
    "key of another type": ({"id": ["a"]}, "column 'id' holds int64, these rows have"),
    "numbers for text": ({"id": [1], "s": [5]}, "column 's' holds"),
    "one name twice": (
        pd.DataFrame([[1, 2, 3]], columns=["id", "x", "x"]), "several columns called 'x'"
    ),
    "no table": (5, "can't publish int"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_rows_leave_the_table_as_it_was(name: str) -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(
        pd.DataFrame({"id": [1, 2], "x": [10, 20], "s": "y", "half": 0.5}).assign(
            small=pd.Series([1, 2], dtype="int8")
        )
    )
    feed.change("upsert", {"id": [2], "x": [30]})
    reader.look(feed)
    before, seq = reader.table, feed.state.seq
    data, sentence = WRONG[name]
    with pytest.raises(BadFrame, match=sentence):
        feed.change("upsert", data)
    assert feed.state.seq == seq
    late = Reader()
    late.look(feed)
    assert late.table == before == reader.table
    feed.change("upsert", {"id": [2], "x": [31]})
    reader.look(feed)
    assert reader.table["x"] == [10, 31]


def test_what_fits() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(pd.DataFrame({"id": [1, 2], "n": [1, 2], "f": [0.5, 1], "none": None, "c": [1j, 2j]}))
    feed.change("upsert", {"id": [1], "n": [5.0], "f": [2], "none": ["x"], "c": [3]})
    feed.change("upsert", pd.DataFrame({"id": [3, 4], "n": [7, None], "none": None}))
    reader.look(feed)
    assert reader.table == {
        "id": [1, 2, 3, 4], "n": [5, 2, 7, None], "f": [2.0, 1.0, None, None],
        "none": ["x", None, None, None], "c": ["3", "2j", None, None],
    }  # fmt: skip


def rows_of(data: Any, *key: str) -> list[dict[str, Any]]:
    feed, reader = Feed(*key), Reader()
    captured = captured_rows(data, key)
    parts = [one.frame for one in captured]
    assert parts
    for one in captured:
        feed.change("upsert" if key else "append", one.frame)
    reader.look(feed)
    table = reader.table
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def test_dicts_as_rows() -> None:
    large = 2**60 + 1
    assert rows_of([{"id": 1, "n": large}, {"id": 2, "n": None}], "id") == [
        {"id": 1, "n": large}, {"id": 2, "n": None}
    ]  # fmt: skip
    assert rows_of({"id": "k", "tags": ["a", "b"]}, "id") == [{"id": "k", "tags": ["a", "b"]}]
    assert rows_of({"id": [1, 2], "x": 5}, "id") == [{"id": 1, "x": 5}, {"id": 2, "x": 5}]
    assert rows_of([{"a": 1, "m": "x"}, {"a": 2}, {"a": 3, "m": "z"}]) == [
        {"a": 1, "m": "x"}, {"a": 2, "m": None}, {"a": 3, "m": "z"}
    ]  # fmt: skip
    assert captured_rows([]) == captured_rows(()) == []
    assert rows_of({1: 5, "b": [1, 2]}) == [{"1": 5, "b": 1}, {"1": 5, "b": 2}]


def test_what_is_missing_fits_anywhere_and_zones_do_not_mix() -> None:
    feed, reader = Feed("id"), Reader()
    when = pd.Timestamp("2026-01-01", tz="Europe/Berlin")
    feed.send(pd.DataFrame({"id": [1], "s": ["x"], "when": [when], "l": [["a"]]}))
    feed.change("upsert", pd.DataFrame({"id": [1], "s": [math.nan], "l": [[]]}))
    reader.look(feed)
    assert (reader.table["s"], reader.table["l"]) == ([None], [[]])
    feed.change("upsert", pa.table({"id": [1], "s": pa.array([None], pa.float64())}))
    with pytest.raises(BadFrame, match="convert them"):
        feed.change("upsert", {"id": [1], "when": [pd.Timestamp("2026-01-01")]})
