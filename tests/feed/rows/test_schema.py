"""livetable.feed.rows.schema: labels, types and the index of a table that changes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.errors import BadFrame
from tests.feed.rows.changing import Feed, Reader


def test_the_index_is_the_key() -> None:
    feed, reader = Feed(), Reader()
    feed.send(pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="who")))
    reader.look(feed)
    feed.change("upsert", pd.DataFrame({"x": [3, 4]}, index=["b", "c"]), by_index=True)
    reader.look(feed)
    assert reader.table == {"index 0": ["a", "b", "c"], "x": [1, 3, 4]}
    assert reader.kinds == ["snapshot", "delta"]
    assert feed.delete("a", by_index=True) == 1
    reader.look(feed)
    assert reader.table == {"index 0": ["b", "c"], "x": [3, 4]}
    two = pd.MultiIndex.from_tuples([("a", 1)])
    with pytest.raises(BadFrame, match="has 1 levels, that of these rows 2"):
        feed.change("upsert", pd.DataFrame({"x": [1]}, index=two), by_index=True)
    with pytest.raises(BadFrame, match="the index 'who' is"):
        feed.change("append", pa.table({"x": [1]}))


def test_an_index_that_counted_becomes_labels() -> None:
    feed, reader = Feed(), Reader()
    feed.send(pd.DataFrame({"x": [1, 2]}, index=pd.RangeIndex(10, 14, 2)))
    feed.change("append", pd.DataFrame({"x": [5]}))
    reader.look(feed)
    assert reader.table == {"x": [1, 2, 5]}
    feed.change("upsert", pd.DataFrame({"x": [3, 4]}, index=[12, 99]), by_index=True)
    reader.look(feed)
    assert reader.table == {"index 0": [10, 12, 14, 99], "x": [1, 3, 5, 4]}
    feed.change("upsert", pd.DataFrame({"x": [0]}, index=[10]), by_index=True)
    reader.look(feed)
    assert reader.table["x"] == [0, 3, 5, 4]


def test_tables_that_are_no_dict_of_columns() -> None:
    feed = Feed("id")
    wrong: list[Any] = [{}, pd.DataFrame({"x": [1]})]
    for data in wrong:
        with pytest.raises(BadFrame):
            feed.change("upsert", data)
    assert feed.state.seq == 0
    assert feed.state.since(None) is None
    feed.send(pd.DataFrame([[1, 2, 3]], columns=["id", "id", "x"]))
    with pytest.raises(BadFrame, match="2 columns called 'id'"):
        feed.change("upsert", {"id": [1]})
    feed.send({"id": [1, 1], "x": [1, 2]})
    with pytest.raises(BadFrame, match="the table has the key 1 twice"):
        feed.change("upsert", {"id": [1]})
    feed.send({"id": [[1], [2]], "x": [1, 2]})
    with pytest.raises(BadFrame, match="lists and dicts can't be a key"):
        feed.change("upsert", {"id": [[1]]})
