"""livetable.feed.arrow.envelope: what a stream announces is checked before Arrow sees it."""

from __future__ import annotations

import contextlib
import struct

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.arrow import envelope
from livetable.feed.errors import BodyError

TABLE = pa.table({"a": [1, 2, 3], "s": ["x", None, "z"], "c": pa.array(["u", "v", "u"])})


def stream(table: pa.Table, compression: str | None = None, batches: int = 1) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        for _ in range(batches):
            writer.write_table(table)
    return bytes(sink.getvalue())


WHOLE = {
    "plain": stream(TABLE),
    "dictionary": stream(pa.table({"c": pa.array(["u", "v", None]).dictionary_encode()})),
    "several": stream(TABLE, batches=3),
    "empty": stream(TABLE.slice(0, 0)),
    "no columns": stream(pa.table({})),
    "packed": stream(TABLE, "zstd"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_what_arrow_writes_is_fine(name: str) -> None:
    envelope.check_stream(memoryview(WHOLE[name]), unpacked=1 << 20)
    if name == "packed":
        with pytest.raises(BodyError, match="can't read compressed streams here"):
            envelope.check_stream(memoryview(WHOLE[name]))
    else:
        envelope.check_stream(memoryview(WHOLE[name]))


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    st.integers(0, 2000),
)
def test_damaged_streams_are_refused_or_fine_and_nothing_else(
    name: str, changes: list[tuple[int, int]], cut: int
) -> None:
    body = bytearray(WHOLE[name])
    for at, byte in changes:
        body[at % len(body)] = byte
    del body[max(8, len(body) - cut % len(body)) :]
    for unpacked in (None, 1 << 20):
        with contextlib.suppress(BodyError):
            envelope.check_stream(memoryview(body), unpacked=unpacked)


def test_rows_without_bytes_are_refused_beyond_a_bound() -> None:
    nothing = stream(pa.table({"n": pa.nulls(envelope.FREE_ROWS)}))
    envelope.check_stream(memoryview(nothing))
    with pytest.raises(BodyError, match="bytes announce 10000001 rows"):
        envelope.check_stream(memoryview(stream(pa.table({"n": pa.nulls(10_000_001)}))))
    twice = stream(pa.table({"n": pa.nulls(6_000_000)}), batches=2)
    with pytest.raises(BodyError, match="bytes announce 12000000 rows"):
        envelope.check_stream(memoryview(twice))


def test_fewer_rows_than_none_are_refused() -> None:
    body = bytearray(WHOLE["plain"])
    batch = envelope.first_batch(memoryview(body))
    assert batch is not None
    struct.pack_into("<q", body, batch.rows_at, -5)
    with pytest.raises(BodyError, match="-5 rows"):
        envelope.check_stream(memoryview(body))


def test_what_unpacks_to_more_than_it_may_is_refused() -> None:
    large = stream(pa.table({"a": [0] * 100_000}), "zstd")
    assert len(large) < 10_000
    envelope.check_stream(memoryview(large), unpacked=800_000)
    with pytest.raises(BodyError, match="would unpack to more than 799999 bytes"):
        envelope.check_stream(memoryview(large), unpacked=799_999)


def test_messages_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MAX_MESSAGES", 4)
    envelope.check_stream(memoryview(stream(TABLE, batches=2)))
    with pytest.raises(BodyError, match="more than 4 messages"):
        envelope.check_stream(memoryview(stream(TABLE, batches=4)))


@pytest.mark.parametrize("rows", [1, 3, 1000])
def test_the_first_batch_is_where_arrow_has_it(rows: int) -> None:
    body = stream(pa.table({"a": range(rows), "s": ["x"] * rows}))
    batch = envelope.first_batch(memoryview(body))
    assert batch is not None
    assert struct.unpack_from("<q", body, batch.rows_at) == (rows,)
    assert (batch.nodes, struct.unpack_from("<2q", body, batch.nodes_at)) == (2, (rows, 0))
    assert batch.buffers == 5  # validity and values; validity, offsets and text
    where, length = struct.unpack_from("<2q", body, batch.buffers_at + 16)
    values = body[batch.start + where : batch.start + where + length]
    assert struct.unpack(f"<{rows}q", values[: 8 * rows]) == tuple(range(rows))
    (total,) = struct.unpack_from("<q", body, batch.length_at)
    assert body[batch.start + total :] == b"\xff\xff\xff\xff\0\0\0\0"


def test_streams_without_a_batch_first_have_none() -> None:
    assert envelope.first_batch(memoryview(WHOLE["dictionary"])) is None
    assert envelope.first_batch(memoryview(stream(pa.table({}), batches=0))) is None


def test_metadata_alone() -> None:
    body = WHOLE["plain"]
    size = envelope.metadata_size(body[:8])
    assert envelope.body_length(body[8 : 8 + size]) == 0  # a schema has none
    assert envelope.is_in_this_order(body[: 8 + size])
    assert envelope.metadata_size(b"\xff\xff\xff\xff\0\0\0\0") == 0
    for wrong in (b"PAR1PAR1", b"\xff\xff\xff\xff\xff\xff\xff\xff"):
        with pytest.raises(BodyError, match="a message does not start where it should"):
            envelope.metadata_size(wrong)
    for damaged in (b"", b"\x01", b"\xff" * 40):
        with pytest.raises(BodyError, match="damaged"):
            envelope.body_length(damaged)
