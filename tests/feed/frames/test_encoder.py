"""livetable.feed.frames.capture, arrays, encode and decode: any frame there and back."""

from __future__ import annotations

import contextlib
import math
import struct
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.arrow import envelope
from livetable.feed.errors import BadFrame, BodyError
from livetable.feed.frames import outside_references
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoded, Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import METADATA_KEY
from tests.ugly import ugly_frames

UGLY = ugly_frames()


def there_and_back(frame: Any) -> Decoded:
    return Decoder()(Encoder()(capture(frame)).data)


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
    assert texts[0] == "<NoText: no text, RuntimeError>"
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
    ("data", "says"),
    [
        (None, "NoneType is no table"),
        ("text", "str is no table"),
        (1, "int is no table"),
        ({"a": [1], "b": [1, 2]}, "dict can't be read as a table"),
        ([1, object()], ""),
        (pl.LazyFrame({"a": [1]}), "lazy: send its .collect()"),
    ],
)
def test_no_tables(data: Any, says: str) -> None:
    if not says:
        there_and_back(data)  # a list of values is one column
        return
    with pytest.raises(BadFrame, match=says.replace("(", r"\(").replace(")", r"\)")):
        capture(data)


# -- the caller goes on writing -----------------------------------------------------------------


def test_the_caller_may_write_into_the_frame() -> None:
    frame = pd.DataFrame({"a": [1, 2], "s": ["x", "y"]})
    captured = capture(frame)
    frame.loc[0, "a"] = 99
    frame["s"] = "z"
    del frame["s"]
    decoded = Decoder()(Encoder()(captured).data)
    assert [column.to_pylist() for column in decoded.columns] == [[1, 2], ["x", "y"]]


@pytest.mark.parametrize("kind", ["block", "column", "bytearray"])
def test_the_caller_may_write_into_its_array(kind: str) -> None:
    if kind == "bytearray":
        memory = bytearray(16)
        array = np.frombuffer(memory, "int64").reshape(2, 1)
    else:
        array = np.zeros((2, 1), dtype="int64")
    frame = (
        pd.DataFrame({"a": array[:, 0]}, copy=False)
        if kind == "column"
        else pd.DataFrame(array, copy=False)
    )
    captured = capture(frame)
    array[:] = 7
    assert Decoder()(Encoder()(captured).data).columns[0].to_pylist() == [0, 0]


def test_a_frame_of_pandas_own_is_not_copied() -> None:
    frame = pd.DataFrame(np.zeros((1000, 3)))
    sibling = frame[[0, 1]]
    held = capture(frame)
    assert np.shares_memory(held.frame[0].to_numpy(), frame[0].to_numpy())
    assert np.shares_memory(capture(frame).frame[0].to_numpy(), frame[0].to_numpy())
    del sibling


def test_another_pandas_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(np.zeros((1000, 3)))

    def gone(frame: Any) -> int:
        raise AttributeError("_mgr")

    monkeypatch.setattr(outside_references, "_outside_references", gone)
    monkeypatch.setattr(outside_references, "_offset", None)
    assert not np.shares_memory(capture(frame).frame[0].to_numpy(), frame[0].to_numpy())


# -- bodies that are none -----------------------------------------------------------------------


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def test_any_arrow_stream_will_do() -> None:
    decoded = Decoder()(stream(pa.table({"a": [1, 2]})))
    assert decoded.labels.columns == ("a",)


@pytest.mark.parametrize(
    "metadata",
    [
        b"{",
        b"[]",
        b'{"index":[null],"range":[0,1],"columns":[null],"labels":[],"dtypes":[],"text":[]}',
        b'{"index":[null],"range":[0,0],"columns":[null],"labels":["a"],"dtypes":["x"],"text":[]}',
        b'{"index":[null],"range":null,"columns":[null],"labels":["a"],"dtypes":["x"],"text":[]}',
    ],
)
def test_labels_that_do_not_fit(metadata: bytes) -> None:
    table = pa.table({"a": [1]}).replace_schema_metadata({METADATA_KEY: metadata})
    if b'"labels":[]' in metadata:
        table = table.append_column("b", pa.array([1]))
        metadata = metadata.replace(b'"dtypes":[]', b'"dtypes":["x"]')
        table = table.replace_schema_metadata({METADATA_KEY: metadata})
    with pytest.raises(BodyError):
        Decoder()(stream(table))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_cut_bodies_are_refused(data: st.DataObject) -> None:
    body = bytes(Encoder()(capture(UGLY["missing"])).data)
    cut = data.draw(st.integers(0, len(body) - 9))
    with contextlib.suppress(BodyError):  # and nothing else
        Decoder()(body[:cut])


def test_the_schema_is_read_once_and_what_follows_is_read_right() -> None:
    """A decoder knows the last schema by its bytes: other labels, rows and forms come through."""
    decoder = Decoder()
    frames_sent = [
        pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}),
        pd.DataFrame({"a": [3], "b": [2.5]}),
        pd.DataFrame({"a": [4, 5], "c": [0.5, 1.5]}),
        pd.DataFrame({"a": [], "b": []}).astype({"a": "int64", "b": "float64"}),
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}),
        pd.DataFrame({"a": pd.Categorical(["y", "z"])}),
    ]
    for frame in [*frames_sent, *reversed(frames_sent)]:
        decoded = decoder(Encoder()(capture(frame)).data)
        expected = Decoder()(Encoder()(capture(frame)).data)
        assert decoded.labels == expected.labels
        assert decoded.types == expected.types
        assert [one.to_pylist() for one in decoded.columns] == [
            one.to_pylist() for one in expected.columns
        ]


def test_two_batches_behind_a_known_schema_are_both_read() -> None:
    table = pa.table({"a": [1, 2, 3]})
    decoder = Decoder()
    for sizes in ([3], [2, 1], [3], [1, 1, 1], []):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            at = 0
            for size in sizes:
                writer.write_batch(table.slice(at, size).combine_chunks().to_batches()[0])
                at += size
        decoded = decoder(memoryview(sink.getvalue()))
        assert decoded.columns[0].to_pylist() == [1, 2, 3][: sum(sizes)]


def test_labels_that_are_refused_stay_refused() -> None:
    """Their stream's schema is known by then, but not the labels before them taken for theirs."""
    good = pa.table({"a": [1]})
    bad = good.replace_schema_metadata({METADATA_KEY: b"no json"})
    decoder = Decoder()
    decoder(memoryview(_ipc(good)))
    for _ in range(3):
        with pytest.raises(BodyError, match="labels"):
            decoder(memoryview(_ipc(bad)))
    assert decoder(memoryview(_ipc(good))).labels.columns == ("a",)


def _ipc(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_the_other_byte_order() -> None:
    """Only Arrow's reader of streams knows of it: the second body is read as the first one was."""
    body = bytearray(_ipc(pa.table({"a": pa.array([1, 2, 3], pa.int64())})))
    message = 8 + struct.unpack_from("<I", body, 8)[0]
    schema = envelope._table(memoryview(body), message, envelope._HEADER)
    fields = schema - struct.unpack_from("<i", body, schema)[0]
    end = 8 + envelope.metadata_size(bytes(body[:8]))
    # Little is said by leaving the field out: let it be where there is a 1 already, which is big.
    place = next(
        at for at in range(schema + 4, end, 2) if struct.unpack_from("<h", body, at)[0] == 1
    )
    struct.pack_into("<H", body, fields + 4, place - schema)
    decoder = Decoder()
    for _ in range(3):
        assert decoder(bytes(body)).columns[0].to_pylist() == [1 << 56, 2 << 56, 3 << 56]


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
