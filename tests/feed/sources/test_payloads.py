"""livetable.feed.sources.payloads: what a message is, told by its bytes."""

from __future__ import annotations

import datetime
import io
import json
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.sources.payloads import Unreadable, array_of, recognise, table_of
from tests.feed.sources.published import FRAME, TABLE


def written(write: Any) -> bytes:
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def arrow_stream() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(arrow_stream(), id="arrow"),
        pytest.param(written(lambda to: pa.feather.write_feather(TABLE, to)), id="feather"),
        pytest.param(written(lambda to: pa.parquet.write_table(TABLE, to)), id="parquet"),
        pytest.param(FRAME.to_json(orient="records").encode(), id="json records"),
        pytest.param(FRAME.to_json(orient="columns").encode(), id="json columns"),
        pytest.param(FRAME.to_json(orient="split").encode(), id="json split"),
        pytest.param(b'{"a":[1,2],"b":["x",null]}', id="json lists"),
        pytest.param(b"a,b\n1,x\n2,\n", id="csv"),
    ],
)
def test_known_without_a_flag(data: bytes) -> None:
    captured = capture(recognise(data, pickles=False))
    assert captured.shape == (2, 2)
    frame = captured.frame
    names = frame.column_names if isinstance(frame, pa.Table) else list(frame.columns)
    assert names == ["a", "b"]
    assert list(
        map(int, frame["a"].to_pylist() if isinstance(frame, pa.Table) else frame["a"])
    ) == [
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "neither Arrow"),
        (b"\x00\x01\x02", "neither Arrow"),
        (b"hello", "neither Arrow"),
        (b"[1, 2]", "must hold records"),
        (b"[", "can't read a message"),
        (b"\xff\xff\xff\xff????", "can't read a message"),
        (b"ARROW1????", "can't read a message"),
        (b"PAR1????", "can't read a message"),
        (b'{"a":[1,2],"b":[1]}', "columns of different lengths"),
        (b"\x80\x04}.", "add --pickle to accept DataFrames"),
    ],
)
def test_unreadable_messages(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        recognise(data, pickles=False)


def test_one_json_record_is_one_row() -> None:
    assert recognise(b'{"a":1,"b":"x"}', pickles=False).shape == (1, 2)


WIDE = 4000
"""Records of which each has a name of its own make a table of millions of cells."""


@pytest.mark.parametrize(
    "data",
    [
        json.dumps([{f"c{at}": 1} for at in range(WIDE)]).encode(),
        "\n".join(json.dumps({f"c{at}": 1}) for at in range(WIDE)).encode(),
        json.dumps({f"c{at}": {f"r{at}": 1} for at in range(WIDE)}).encode(),
        msgpack.packb([{f"c{at}": 1} for at in range(WIDE)]),
        msgpack.packb({f"c{at}": {f"r{at}": 1} for at in range(WIDE)}),
    ],
    ids=["records", "lines", "columns", "packed records", "packed columns"],
)
def test_tables_that_would_be_mostly_nothing(data: bytes) -> None:
    with pytest.raises(Unreadable, match="different names"):
        recognise(data, pickles=False)


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("float64", [0, 400_000]),
        ("float64", [10**12, 0]),
        ("float64", [0, 10**12]),
        ("V0", [10**12]),
        ("S0", [10**6, 10**6]),
        ("float64", [-1, -8]),
    ],
)
def test_arrays_of_nothing_without_end(dtype: str, shape: list[int]) -> None:
    with pytest.raises(Unreadable):
        array_of(json.dumps({"dtype": dtype, "shape": shape}).encode(), b"")


def test_bodies_by_what_is_said_and_by_what_they_are() -> None:
    lines = b'{"a": 1}\n{"a": 2}\n'
    assert table_of(lines, "")["a"].to_pylist() == [1, 2]
    assert table_of(lines, "application/x-ndjson; charset=utf-8").num_rows == 2
    assert table_of(b"a b\tc\n1\t2\n", "text/tab-separated-values").column_names == ["a b", "c"]
    assert table_of(b' [{"a": 1}]', "application/json")["a"].to_pylist() == [1]
    one = table_of(b'{"id": 1, "tags": ["x", "y"], "of": {"a": 1}}', "application/json")
    assert one.to_pylist() == [{"id": 1, "tags": ["x", "y"], "of": {"a": 1}}]
    whole = table_of(b'[{"id": 9007199254740993}, {"id": null, "b": 1}]', "application/json")
    assert whole["id"].to_pylist() == [2**53 + 1, None]
    with pytest.raises(Unreadable, match="empty object"):
        table_of(b"{}", "application/json")
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("a", pa.int8())])) as writer:
        writer.write_table(pa.table({"a": pa.array([1], pa.int8())}))
    assert table_of(sink.getvalue(), "application/octet-stream")["a"].to_pylist() == [1]
    with pytest.raises(Unreadable, match="list must hold records"):
        table_of(b"[1]", "application/json")
    with pytest.raises(Unreadable, match="no csv rows"):
        table_of(b"a,b\n", "text/csv")


NOON = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)
BIG = 2**53 + 1


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ([{"a": BIG}, {"a": 1.5}], [str(BIG), "1.5"]), ({"a": [BIG, 1.5]}, [str(BIG), "1.5"]),
        ([{"a": BIG}, {"a": 2**63}, {}], [BIG, 2**63, None]), ([{1: BIG}, {1: None}], [BIG, None]),
        ({"a": {"x": BIG}, "b": {"y": 1}}, [BIG, None]),
        ([{"a": NOON}, {"a": 5}], [str(NOON), "5"]), ([{"a": NOON}, {"a": None}], [NOON, None]),
    ],
    ids=str,
)  # fmt: skip
def test_no_value_in_message_pack_becomes_another(value: Any, seen: list[Any]) -> None:
    made = recognise(msgpack.packb(value, datetime=True), pickles=False)
    assert Decoder()(Encoder()(capture(made)).data).columns[0].to_pylist() == seen
