"""livetable.feed.frames.decoder: bodies are read as they are, or refused."""

from __future__ import annotations

import contextlib
import struct
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.arrow import envelope
from livetable.feed.errors import BodyError
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import METADATA_KEY
from tests.feed.frames.bodies import UGLY


@pytest.mark.parametrize(
    "table",
    [
        {"x": [1]}, {"row": ["a"]}, {"row": [1.5]}, {"row": [0, None]}, {"row": [-1]},
        {"row": [1, 1]}, {"row": [2, 1]}, {},
    ],
)  # fmt: skip
def test_bodies_that_are_no_deltas(table: dict[str, list[Any]]) -> None:
    data = pa.table(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data)
    with pytest.raises(BodyError):
        Decoder().delta(sink.getvalue().to_pybytes())


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
