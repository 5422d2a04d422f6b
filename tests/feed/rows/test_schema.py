"""livetable.feed.rows.schema: labels, types and the index of a table that changes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.errors import BadFrame
from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.rows.schema import Shape
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
    with pytest.raises(BadFrame, match="has 1 levels, these rows' index has 2"):
        feed.change("upsert", pd.DataFrame({"x": [1]}, index=two), by_index=True)
    with pytest.raises(BadFrame, match="these rows lack the index 'who'"):
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
    with pytest.raises(BadFrame, match="can't use lists or dicts as keys"):
        feed.change("upsert", {"id": [[1]]})


LABELS = (
    st.none()
    | st.integers(-9, 9)
    | st.text(max_size=3)
    | st.tuples(st.text(max_size=2), st.integers(0, 3))
)
KINDS = st.sampled_from([pa.int64(), pa.string(), pa.float64(), pa.list_(pa.int64())])
CHANGES = st.lists(
    st.tuples(st.just("column"), LABELS, KINDS, st.booleans())
    | st.tuples(st.just("type"), st.integers(0, 9), KINDS, st.none())
    | st.tuples(st.just("index"), st.none(), st.none(), st.none()),
    max_size=6,
)


@given(CHANGES, st.integers(0, 99))
def test_a_shape_is_what_its_schema_says(changes: list[tuple[Any, ...]], start: int) -> None:
    """Readers make theirs of the schema alone: whatever became of it, it comes back the same."""
    frame = pd.DataFrame({"a": [1], "b": [object()]})
    shape = Shape.of(pa.ipc.open_stream(Encoder()(capture(frame)).data).schema)
    assert [shape.is_text(field) for field in range(2)] == [False, True]
    labels: list[Any] = ["a", "b"]
    for what, one, kind, text in changes:
        levels = shape.levels
        if what == "column":
            shape = shape.with_column(one, str(kind), kind, text)
            labels.append(one)
            assert shape.is_text(len(shape.types) - 1) is text
        elif what == "type":
            field = one % len(shape.types)
            shape = shape.with_type(field, kind)
            assert shape.types[field] == kind
        elif not levels:
            shape = shape.with_index()
            assert (shape.levels, shape.title(0)) == (1, "the index")
        assert [shape.label(at) for at in range(shape.levels, len(shape.types))] == labels
        assert shape.is_text(shape.levels + 1)  # also behind a new index
    again = Shape.of(shape.schema(start))
    counts = shape.described["range"] is not None
    described = shape.described | ({"range": [start, 1]} if counts else {})
    assert (again.names, again.types, again.described) == (shape.names, shape.types, described)
    for label in labels:
        there = [at for at, other in enumerate(labels, shape.levels) if same(other, label)]
        if len(there) > 1:
            with pytest.raises(BadFrame, match=f"{len(there)} columns called"):
                again.place_of(label)
        else:
            assert again.place_of(label) == there[0]
    assert again.place_of("no such column") is None


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other
