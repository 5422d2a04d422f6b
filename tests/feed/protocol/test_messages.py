"""livetable.feed.protocol.messages: literal bytes both ways."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.errors import WireError
from livetable.feed.protocol.messages import (
    MAX_HEADER,
    Header,
    Position,
    Want,
    looks_like_livetable,
    new_epoch,
    new_topic,
    split,
)
from livetable.feed.protocol.place import Place
from livetable.feed.protocol.table_info import TableInfo

TOPIC = b"@00112233445566778899aabbccddeeff"
WANT = (
    b'{"livetable":1,"want":7,"topic":"@00112233445566778899aabbccddeeff","table":"orders",'
    b'"epoch":"e","seq":41}'
)
SNAPSHOT = (
    b'{"livetable":1,"kind":"snapshot","table":"orders","want":7,"epoch":"e","seq":42,"age":0.5,'
    b'"time":1700000000.25,"rate":30.0,"rows":2,"columns":1,"size":448,"part":[0,1]}'
)


def test_want_bytes() -> None:
    want = Want(7, TOPIC, "orders", Position("e", 41))
    assert want.encode() == WANT
    assert Want.decode(WANT) == want


def test_want_for_parts() -> None:
    want = Want(8, TOPIC, "orders", None, Position("e", 42), 4)
    assert b'"part":["e",42,4]' in want.encode()
    assert Want.decode(want.encode()) == want


def test_snapshot_bytes() -> None:
    header = Header("snapshot", "orders", 7, Position("e", 42), 0.5, 1700000000.25, 30.0, 2, 1, 448)
    assert header.encode() == SNAPSHOT
    assert Header.decode(SNAPSHOT) == header


DELTA = (
    b'{"livetable":1,"kind":"delta","table":"orders","want":7,"epoch":"e","seq":44,"rows":3,'
    b'"columns":1,"size":448,"part":[0,1],"since":42,"gone":[[0,1],[5,2]],"ended":true}'
)


def test_delta_bytes() -> None:
    header = Header(
        "delta", "orders", 7, Position("e", 44), rows=3, columns=1, size=448,
        since=42, gone=((0, 1), (5, 2)), ended=True,
    )  # fmt: skip
    assert header.encode() == DELTA
    assert Header.decode(DELTA) == header
    want = Want(8, TOPIC, "orders", Position("e", 42), deltas=True)
    assert want.encode().endswith(b'"seq":42,"deltas":true}')
    assert Want.decode(want.encode()) == want


@pytest.mark.parametrize(
    "changes",
    [
        {"since": ...}, {"since": -1}, {"gone": 5}, {"gone": [[1]]}, {"gone": [[0, 0]]},
        {"gone": [[3, 1], [2, 1]]}, {"gone": [[0, 2], [1, 1]]}, {"gone": [["0", 1]]},
        {"gone": [[1, 1]] * 10_001}, {"gone": [{}]}, {"part": ...},
    ],
)  # fmt: skip
def test_wrong_deltas(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError, match=next(iter(changes))):
        Header.decode(changed(DELTA, **changes))


PLACE = Place(4242, 17, "livetable-00112233445566778899aabbccddeeff", 4096, 5)


def test_a_want_that_reads_memory() -> None:
    want = Want(8, TOPIC, "orders", memory=True)
    assert want.encode().endswith(b'"memory":true}')
    assert Want.decode(want.encode()) == want


INFO = TableInfo("orders", "e", 3, 2, 1, 1.5, 0.25, 99, "job.py", ("id",))


@pytest.mark.parametrize(
    "header",
    [
        Header("idle", "orders", 1, Position("e", 3), age=2.0, note="trouble"),
        Header("idle", "orders", 1, Position("e", 0), note="no table", failure="no table"),
        Header("end", "orders", None, Position("e", 3)),
        Header("absent", "orders", 2),
        Header("catalogue", want=1, position=Position("c", 1), tables=(INFO,)),
        Header("snapshot", "t", 1, Position("e", 1), part=1, parts=3, key=("id", ["int", "3"])),
        Header("snapshot", "t", 1, Position("e", 1), size=400_000, memory=PLACE),
    ],
)
def test_headers_come_back(header: Header) -> None:
    assert Header.decode(header.encode()) == header


def changed(message: bytes, **changes: Any) -> bytes:
    fields = json.loads(message)
    for name, value in changes.items():
        if value is ...:
            del fields[name]
        else:
            fields[name] = value
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff", "must be JSON"),
        (b"[" * 100_000, "must be JSON"),
        (b"[]", "must be a JSON object"),
        (b"{}", "must be a JSON object"),
        (changed(SNAPSHOT, livetable=2), "speaks version 2"),
        (changed(SNAPSHOT, kind="upsert"), "kind: 'upsert'"),
        (changed(SNAPSHOT, kind=1), "kind: must be a string"),
        (changed(SNAPSHOT, epoch=...), "epoch: must"),
        (changed(SNAPSHOT, seq=-1), "seq: must"),
        (changed(SNAPSHOT, seq=True), "seq: must"),
        (changed(SNAPSHOT, age="x"), "age: must"),
        (changed(SNAPSHOT, age=-1), "age: must"),
        (changed(SNAPSHOT, rows=1.5), "rows: must"),
        (changed(SNAPSHOT, size=1 << 40), "are more than"),
        (changed(SNAPSHOT, part=...), "part: must"),
        (changed(SNAPSHOT, part=[1, 1]), "part: 1 of 1"),
        (changed(SNAPSHOT, table="\ud800"), "table: must be Unicode"),
        (changed(SNAPSHOT, table="x" * 65), "at most 64"),
        (changed(SNAPSHOT, key="id"), "key: must be a list"),
        (changed(SNAPSHOT, note=1), "note: must"),
        (changed(SNAPSHOT, failure=[]), "failure: must"),
        (changed(SNAPSHOT, tables=1), "tables: must be a list"),
        (changed(SNAPSHOT, tables=[1]), "tables: must be a list of objects"),
        (b" " * (MAX_HEADER + 1), "longer than"),
    ],
)
def test_refused_headers(data: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        Header.decode(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (changed(WANT, topic="orders"), "topic must start with @"),
        (changed(WANT, topic="@1"), "topic must start with @"),
        (changed(WANT, part=[1]), "part: must be"),
        (changed(WANT, part=["e", 1, -1]), "part: must be a whole number"),
        (changed(WANT, want=...), "want: must"),
        (changed(WANT, seq=...), "seq: must"),
        (b"x" * 5000, "longer than"),
    ],
)
def test_refused_wants(data: bytes, says: str) -> None:
    with pytest.raises(WireError, match=says):
        Want.decode(data)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for decode in (Header.decode, Want.decode):
        with pytest.raises(WireError):
            decode(data)


@given(st.data())
def test_mutated_fields_raise_nothing_else(data: st.DataObject) -> None:
    message = data.draw(st.sampled_from([SNAPSHOT, WANT]))
    fields = json.loads(message)
    name = data.draw(st.sampled_from(sorted(fields)))
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    fields[name] = data.draw(st.recursive(leaf, lambda inner: st.lists(inner), max_leaves=4))
    for decode in (Header.decode, Want.decode):
        with contextlib.suppress(WireError):
            decode(json.dumps(fields).encode())


def test_split_keeps_every_byte() -> None:
    body = memoryview(bytes(range(10)))
    assert [bytes(part) for part in split(body, 4)] == [b"\0\1\2\3", b"\4\5\6\7", b"\x08\x09"]
    assert len(split(memoryview(b""))) == 1


def test_topics_and_epochs_are_new() -> None:
    assert (
        len({new_topic() for _ in range(100)} | {new_epoch().encode() for _ in range(100)}) == 200
    )


def test_looks_like_livetable() -> None:
    assert looks_like_livetable([b"orders", SNAPSHOT, b""])
    assert not looks_like_livetable([b"orders"])
    assert not looks_like_livetable([b"orders", b"{}"])
