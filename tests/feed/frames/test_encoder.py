"""livetable.feed.frames.encoder: any frame there and back."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from tests.feed.frames.bodies import UGLY, there_and_back


@pytest.mark.parametrize("name", UGLY)
def test_every_ugly_frame_arrives(name: str) -> None:
    frame = UGLY[name]
    captured = capture(frame)
    body = Encoder()(captured)
    decoded = Decoder()(body.data)
    assert (decoded.rows, len(decoded.columns)) == captured.shape == (body.rows, body.columns)
    assert len(decoded.labels.columns) == len(decoded.columns)
    if isinstance(frame, pd.DataFrame):
        for at, column in enumerate(decoded.columns):
            missing = frame.iloc[:, at].isna().to_numpy()
            for row, value in enumerate(column):
                nan = pa.types.is_floating(column.type) and value.as_py() != value.as_py()
                assert (not value.is_valid or nan) == missing[row]


def test_labels_and_index_arrive() -> None:
    decoded = there_and_back(UGLY["multi"])
    assert decoded.labels.columns == (("x", 1), ("x", 2))
    assert decoded.labels.column_names == ("n", None)
    assert decoded.labels.index == ("letter", None)
    assert [level.to_pylist() for level in decoded.index] == [["a", "a", "b", "b"], [1, 2, 1, 2]]
    odd = there_and_back(UGLY["column labels"]).labels.columns
    assert odd == (1, None, ("t", 2), "", "x", 1.5)
    assert there_and_back(UGLY["range index"]).labels.range == (10, -2)
    assert there_and_back(UGLY["duplicate index"]).index[0].to_pylist() == ["p", "p", "q"]


def test_values_arrive_exactly() -> None:
    decoded = there_and_back(UGLY["ints"])
    assert decoded.columns[0].to_pylist() == [2**53 + 1, -(2**63)]
    assert decoded.columns[1].to_pylist() == [2**64 - 1, 0]
    floats = there_and_back(UGLY["floats"]).columns[0].to_pylist()
    assert math.isnan(floats[0])
    assert floats[1:] == [math.inf, -math.inf, 0.0, 1e-300, 1e300, 0.1]
    assert math.copysign(1, floats[3]) == -1
    huge = there_and_back(UGLY["huge ints"]).columns[0].to_pylist()
    assert [int(value) for value in huge[:2]] == [2**70, -(2**200)]


def test_what_arrow_lacks_is_text_and_said_so() -> None:
    body = Encoder()(capture(UGLY["objects"]))
    assert body.note is not None
    assert "text" in body.note
    texts = Decoder()(body.data).columns[0].to_pylist()
    assert texts[0] == "<NoText: str() raised RuntimeError>"
    assert texts[4] is None


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(),
            st.text(st.characters(codec="utf-8")) | st.none(),
            st.booleans() | st.none(),
        ),
        max_size=20,
    )
)
@settings(deadline=None)
def test_any_values_arrive(rows: list[tuple[int, float, str | None, bool | None]]) -> None:
    frame = pd.DataFrame(rows, columns=["i", "f", "t", "b"]).astype({"i": "int64", "f": "float64"})
    decoded = there_and_back(frame)
    for at, column in enumerate(decoded.columns):
        for value, row in zip(column.to_pylist(), rows, strict=True):
            same = value == row[at] or (value != value and row[at] != row[at])
            assert same


def test_schema_is_made_once_and_anew_when_needed() -> None:
    encode, decode = Encoder(), Decoder()
    one = decode(encode(capture(pd.DataFrame({"a": [1], "b": [2.0]}))).data)
    two = decode(encode(capture(pd.DataFrame({"a": [3], "b": [4.0]}))).data)
    assert one.labels is two.labels
    for frame in (
        pd.DataFrame({"a": [1], "c": [2.0]}),
        pd.DataFrame({"a": [1], "c": ["x"]}),
        pd.DataFrame({"c": ["x"], "a": [1]}),
        pd.DataFrame([[1, 2]], columns=pd.Index([1, "x"], dtype=object)),
        pd.DataFrame([[1, 2]], columns=pd.Index([True, "x"], dtype=object)),
        pd.DataFrame({"c": ["x"], "a": [1]}, index=[7]),
    ):
        decoded = decode(encode(capture(frame)).data)
        assert list(decoded.labels.columns) == list(frame.columns)
        assert list(map(type, decoded.labels.columns)) == list(map(type, frame.columns.tolist()))


def test_other_libraries() -> None:
    import duckdb

    for table in (
        pl.DataFrame({"a": [1, None], "s": ["x", "y"]}),
        pa.table({"a": [1, None], "s": ["x", "y"]}),
        pa.record_batch({"a": [1, None], "s": ["x", "y"]}),
        duckdb.sql("select * from (values (1, 'x'), (null, 'y')) t(a, s)"),
    ):
        decoded = there_and_back(table)
        assert decoded.labels.columns == ("a", "s")
        assert [column.to_pylist() for column in decoded.columns] == [[1, None], ["x", "y"]]


@pytest.mark.parametrize(
    "pair",
    [
        (pd.MultiIndex.from_tuples([("x", 1)]), pd.MultiIndex.from_tuples([("x", True)])),
        (pd.MultiIndex.from_tuples([("x", 1)]), pd.MultiIndex.from_tuples([("x", 1.0)])),
        (pd.Index([1]), pd.Index([1.0])),
        (pd.Index([0.0]), pd.Index([-0.0])),
        (pd.Index([1], dtype=object), pd.Index([True], dtype=object)),
        (pd.Index(["a"], name=1), pd.Index(["a"], name="1")),
    ],
)
def test_labels_that_are_equal_and_not_the_same(pair: tuple[pd.Index[Any], pd.Index[Any]]) -> None:
    encoder = Encoder()
    for _ in range(2):
        for columns in pair:
            frame = pd.DataFrame([[1.5]], columns=columns)
            assert bytes(encoder(capture(frame)).data) == bytes(Encoder()(capture(frame)).data)


NANO = np.datetime64("2020-01-01T00:00:00.000000001")


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ([(2**53 + 1,), (None,)], [2**53 + 1, None]),
        ([[2**53 + 1], [1.5]], ["9007199254740993", "1.5"]),
        ([2**60 + 1, None], [2**60 + 1, None]),
        ({"a": [np.int64(2**60 + 1), None]}, [2**60 + 1, None]),
        ([{"a": np.int64(2**60 + 1)}, {"a": None}], [2**60 + 1, None]),
        ([{"a": NANO}, {"a": None}], [pd.Timestamp(NANO), None]),
        ({"a": [NANO, 1]}, [str(NANO), "1"]),
        ([{"a": 1}, {"a": np.timedelta64(1, "ns")}], ["1", "1 nanoseconds"]),
        ([{"a": np.timedelta64(1, "ns")}], [pd.Timedelta(1)]),
    ],
    ids=str,
)
def test_rows_of_any_kind_arrive_exactly(data: Any, seen: list[Any]) -> None:
    assert there_and_back(data).columns[0].to_pylist() == seen


@pytest.mark.parametrize(
    ("cells", "seen"),
    [
        ([dt.date(2020, 1, 1), 1], ["2020-01-01", "1"]), (["a", b"b"], ["a", "b'b'"]),
        ([0, UUID(int=1)], ["0", str(UUID(int=1))]),
        ([dt.time(9, tzinfo=dt.UTC)], ["09:00:00+00:00"]),
        ([dt.date(2020, 1, 1), dt.datetime(2020, 1, 2, 3)],
         [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2, 3)]),
        ([(1, 2), 1], ["(1, 2)", "1"]), ([Decimal("1.5"), 1, None], [Decimal("1.5"), 1, None]),
        ([True, "a", None], ["True", "a", None]),
        ([np.datetime64("2020"), np.int8(1)], ["2020", "1"]),
    ],
    ids=str,
)  # fmt: skip
def test_categories_of_several_types_are_no_others(cells: list[Any], seen: list[Any]) -> None:
    frame = pd.DataFrame({"a": pd.Categorical(cells)})
    assert there_and_back(frame).columns[0].to_pylist() == seen
