"""livetable.feed.rows.deltas: a change as bytes, and the keys that callers name."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.errors import BadFrame
from tests.feed.rows.changing import Feed, Reader


def test_what_a_reader_gets() -> None:
    feed, reader, late = Feed("id"), Reader(), Reader()
    feed.send(pd.DataFrame({"id": range(1000), "price": 0.5}))
    reader.look(feed)
    feed.change("upsert", {"id": [5, 999, 2000], "price": [1.0, 2.0, 3.0]})
    feed.change("upsert", {"id": 5, "price": 1.5})
    assert feed.delete([7, 8, 9, 1234]) == 3
    answer = feed.state.since(reader.have, deltas=True)
    assert answer is not None
    assert (answer.since, answer.gone, answer.body.rows) == (1, ((7, 3),), 998)
    with pa.ipc.open_stream(answer.body.data) as stream:
        assert stream.read_all().to_pydict() == {
            "row": [5, 996, 997], "id": [5, 999, 2000], "price": [1.5, 2.0, 3.0]
        }  # fmt: skip
    assert feed.state.since(reader.have, deltas=True) is answer  # made once for all
    whole = feed.state.since(reader.have)
    assert whole is not None
    assert whole.since is None  # for who can't read deltas
    for one in (reader, late):
        one.look(feed)
        one.look(feed)
    assert reader.table == late.table
    assert (reader.kinds, late.kinds) == (["snapshot", "delta"], ["snapshot"])
    feed.change("upsert", {"id": range(700), "price": 9.0})
    reader.look(feed)
    assert reader.kinds[-1] == "snapshot"  # of most of the table a delta would be no less


def test_a_compound_key() -> None:
    feed, reader = Feed("day", ("x", 1)), Reader()
    days = pd.to_datetime(["2026-01-01", "2026-01-02"])
    rows_ = pd.DataFrame({"day": days, ("x", 1): [1.5, math.nan], "n": [1, 2]})
    feed.change("upsert", rows_)
    feed.change("upsert", rows_.assign(n=[3, 4]).iloc[[1]])
    reader.look(feed)
    assert reader.table["n"] == [1, 4]
    assert feed.delete(rows_.iloc[[1]]) == 1
    assert feed.delete((days[0], 1.5)) == 1
    feed.change("upsert", rows_)
    assert feed.delete([(days[0], 1.5), (days[0], 2.5)]) == 1
    with pytest.raises(BadFrame, match="a tuple of 2 values"):
        feed.delete([days[0]])
    with pytest.raises(BadFrame, match="tuples of 2 values"):
        feed.delete(rows_[["n"]])


@pytest.mark.parametrize(
    "keys",
    [["b"], "b", pd.Series(["b"]), pd.Index(["b", "zz"]), pd.array(["b"], dtype="str"), ("b",),
     {"b"}],
)  # fmt: skip
def test_keys_of_all_sorts(keys: Any) -> None:
    feed = Feed("id")
    feed.send({"id": ["a", "b", None], "x": [1, 2, 3]})
    assert feed.delete(keys) == 1
    assert feed.delete([None]) == 1


def test_categories_begin_a_line_of_deltas() -> None:
    feed, reader = Feed("id"), Reader()
    feed.send(pd.DataFrame({"id": pd.Categorical(["a", "b"]), "x": [1, 2]}))
    reader.look(feed)
    feed.change("upsert", pd.DataFrame({"id": pd.Categorical(["b", "c"]), "x": [3, 4]}))
    reader.look(feed)
    assert reader.table == {"id": ["a", "b", "c"], "x": [1, 3, 4]}
    assert reader.kinds == ["snapshot", "delta"]


def test_more_gaps_than_a_header_takes_are_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.feed.rows.deltas.MAX_RANGES", 3)
    feed, reader = Feed("id"), Reader()
    feed.send({"id": range(300)})
    reader.look(feed)
    feed.delete([1, 3, 5])
    reader.look(feed)
    feed.delete([11, 13, 15, 17])
    reader.look(feed)
    assert reader.kinds == ["snapshot", "delta", "snapshot"]
