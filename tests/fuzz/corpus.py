"""Good messages of all kinds, from which bad ones are made."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import pickle
import random
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position, Want
from livetable.feed.protocol.place import Place
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.tape.writer import TapeWriter

ROWS = 40


def arrays() -> dict[str, pa.Array]:
    """Return an array of each type that Arrow has."""
    numbers = [*range(ROWS - 2), None, 7]
    texts = [f"text {number}" * (number % 4) for number in range(ROWS - 2)] + [None, "ü€漢"]
    day = datetime.date(2026, 1, 1)
    found: dict[str, pa.Array] = {"null": pa.nulls(ROWS)}
    for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
        pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.time32("s"), pa.time32("ms"),
        pa.time64("us"), pa.time64("ns"), pa.timestamp("s"), pa.timestamp("ms"),
        pa.timestamp("us", "UTC"), pa.timestamp("ns", "Europe/Berlin"), pa.duration("s"),
        pa.duration("ns"), pa.date32(), pa.date64(),
    ):  # fmt: skip
        values: list[Any] = numbers
        if pa.types.is_float16(kind):
            values = [None if number is None else np.float16(number) for number in numbers]
        if pa.types.is_date(kind):
            values = [None if one is None else day + datetime.timedelta(one) for one in numbers]
        found[str(kind)] = pa.array(values, kind)
    found["bool"] = pa.array([None if one is None else one % 2 == 0 for one in numbers])
    for kind in (
        pa.decimal32(9, 3), pa.decimal64(18, 3), pa.decimal128(20, 3), pa.decimal256(60, 3)
    ):  # fmt: skip
        found[str(kind)] = pa.array(
            [None if n is None else decimal.Decimal(n) for n in numbers], kind
        )
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        found[str(kind)] = pa.array(texts).cast(kind)
    data = [None if text is None else text.encode() for text in texts]
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        found[str(kind)] = pa.array(data, pa.binary()).cast(kind)
    found["fixed"] = pa.array([b"12345678"] * ROWS, pa.binary(8))
    lists = [None if number is None else list(range(number % 5)) for number in numbers]
    for kind in (
        pa.list_(pa.int64()), pa.large_list(pa.int64()), pa.list_view(pa.int64()),
        pa.large_list_view(pa.int64()),
    ):  # fmt: skip
        found[str(kind)] = pa.array(lists, kind)
    found["fixed list"] = pa.array([[1, 2]] * ROWS, pa.list_(pa.int32(), 2))
    found["struct"] = pa.array([{"a": number, "b": "x"} for number in numbers])
    found["map"] = pa.array(
        [[("k", number)] for number in numbers], pa.map_(pa.string(), pa.int64())
    )
    kinds = pa.array([number % 2 for number in range(ROWS)], pa.int8())
    places = pa.array([number // 2 for number in range(ROWS)], pa.int32())
    found["dense union"] = pa.UnionArray.from_dense(
        kinds, places, [pa.array(range(ROWS)), pa.array(texts)]
    )
    found["sparse union"] = pa.UnionArray.from_sparse(
        kinds, [pa.array(range(ROWS)), pa.array(texts)]
    )
    found["intervals"] = pa.array([pa.MonthDayNano([1, 2, 3])] * ROWS)
    for index in (pa.int8(), pa.uint16(), pa.int32(), pa.int64()):
        found[f"dictionary {index}"] = (
            pa.array(texts).dictionary_encode().cast(pa.dictionary(index, pa.string()))
        )
    found["dictionary of numbers"] = pa.array(numbers).dictionary_encode()
    ends = pa.array([ROWS // 2, ROWS], pa.int32())
    found["runs"] = pa.RunEndEncodedArray.from_arrays(ends, pa.array(["a", "b"]))
    found["lists of texts"] = pa.array([[text] for text in texts])
    found["deep"] = pa.array([[{"a": [{"b": number}]}] for number in numbers])
    return found


def _stream(table: pa.Table, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def bodies() -> list[bytes]:
    """Return Arrow streams of each type, also compressed, and those of livetable's feeds."""
    found = []
    for array in arrays().values():
        table = pa.table({"id": pa.array(range(ROWS)), "x": array})
        for compression in (None, "lz4", "zstd"):
            found.append(_stream(table, compression))
        rows = pa.array(range(0, 2 * ROWS, 2))
        found.append(_stream(pa.table({"row": rows, "id": pa.array(range(ROWS)), "x": array})))
    frame = pd.DataFrame(
        {"id": range(ROWS), "s": ["x"] * ROWS, "f": 0.5}, index=[f"r{i}" for i in range(ROWS)]
    )
    for one in (
        frame,
        frame.set_index(["id", "s"]),
        frame.iloc[:0],
        frame[[]],
        frame.reset_index(),
    ):
        found.append(bytes(Encoder()(capture(one)).data))
    return found


def deltas() -> list[bytes]:
    """Return rows that change a table of the columns ``id`` and ``x``."""
    found = []
    for rows in ([0, 1, 5], [37], [38, 39], [2, 38], []):
        texts = pa.array([f"new {row}" for row in rows], pa.large_string())
        table = {"row": pa.array(rows, pa.int64()), "id": pa.array(rows, pa.int64()), "x": texts}
        found.append(_stream(pa.table(table)))
    return found


def headers() -> list[bytes]:
    """Return headers of each kind."""
    at = Position("0123456789abcdef", 7)
    info = TableInfo("orders", "e", 1, 2, 3, 4.0, 5.0, 6, "x", ("id",))
    return [
        Header("snapshot", "orders", 1, at, 0.1, 1e9, 2.0, ROWS, 2, 4000, 0, 1, ("id",)).encode(),
        Header(
            "snapshot", "orders", 1, at, rows=ROWS, columns=2, size=4000, part=1, parts=3
        ).encode(),
        Header(
            "delta", "orders", 2, at, rows=ROWS, size=900, since=6, gone=((1, 2), (7, 1))
        ).encode(),
        Header(
            "snapshot",
            "orders",
            1,
            at,
            rows=ROWS,
            columns=2,
            size=300_000,
            memory=Place(1, 2, "livetable-" + "0" * 32, 4096, 3),
        ).encode(),
        Header("idle", "orders", 3, at, age=2.0, note="a sentence", ended=True).encode(),
        Header("idle", "orders", 3, at, note="a sentence", failure="a sentence").encode(),
        Header("end", "orders", 3, at).encode(),
        Header("absent", "orders", 3).encode(),
        Header("catalogue", "", 4, at, tables=(info, info)).encode(),
    ]


def wants() -> list[bytes]:
    """Return what viewers send upstream: wants, subscriptions and their ends."""
    topic = b"@" + b"0123456789abcdef" * 2
    at = Position("0123456789abcdef", 7)
    return [
        b"\x01" + topic, b"\x00" + topic, b"\x01orders", b"\x01", b"\x00orders",
        Want(1, topic, None).encode(), Want(2, topic, "orders").encode(),
        Want(3, topic, "orders", at, at, 3, deltas=True).encode(),
        Want(3, topic, "orders", memory=True).encode(),
        Want(4, topic, "nobody", Position("e", 2**40)).encode(),
    ]  # fmt: skip


def foreign() -> list[bytes]:
    """Return messages of publishers that are not livetable's."""
    import msgpack  # type: ignore[import-untyped]

    frame = pd.DataFrame({"id": range(ROWS), "s": ["x"] * ROWS, "f": 0.5})
    table = pa.Table.from_pandas(frame)
    found = [*bodies()]
    for compression in ("uncompressed", "lz4", "zstd"):
        file = pa.BufferOutputStream()
        feather.write_feather(table, file, compression=compression)
        found.append(bytes(file.getvalue()))
    for packed in ("none", "snappy", "zstd", "gzip"):
        sink = io.BytesIO()
        pq.write_table(table, sink, compression=packed)
        found.append(sink.getvalue())
    records = frame.to_dict("records")
    found += [frame.to_json(orient=how).encode() for how in ("records", "split", "columns")]
    found += [frame.to_csv().encode(), msgpack.packb(records), msgpack.packb(records[0])]
    found.append(json.dumps({"dtype": "float64", "shape": [2, 3]}).encode())
    return found


def pickles() -> list[bytes]:
    """Return pickled frames, of several versions of pandas."""
    folder = Path(__file__).parent.parent / "feed" / "sources" / "pickles"
    found = [path.read_bytes() for path in sorted(folder.glob("*.pickle"))]
    frame = pd.DataFrame({"id": range(ROWS), "s": ["x"] * ROWS, "f": 0.5})
    return found + [pickle.dumps(frame, protocol) for protocol in range(3, 6)]


def tape() -> bytes:
    """Return a tape of a few frames, with an index."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.tape"
        writer = TapeWriter(path, "orders")
        for number, body in enumerate(bodies()[:12]):
            header = Header(
                "snapshot", "orders", 1, Position("e", number + 1), rows=ROWS, columns=2
            )
            writer.add(1e9 + number, header, body)
        writer.close()
        return path.read_bytes()


_NASTY = (
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    2**15,
    2**16,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**62,
    -(2**31),
)


def damaged(good: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a message that is like a good one, and is not."""
    data = bytearray(good)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        size = len(data) or 1
        at = chance.randrange(size)
        how = chance.randrange(9)
        if how == 0 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif how == 1 and data:
            data[at] = chance.randrange(256)
        elif how in (2, 3) and size > 8:
            form, step = chance.choice((("<i", 4), ("<q", 8), ("<h", 2)))
            place = min(at // step * step, size - 8)
            number = chance.choice(_NASTY)
            struct.pack_into(form, data, place, _fitting(number, step))
        elif how == 4:
            del data[at : at + chance.choice((1, 4, 8, 64, size))]
        elif how == 5:
            part = data[at : at + chance.choice((1, 8, 64))]
            data[at:at] = part
        elif how == 6 and other:
            start = chance.randrange(len(other))
            data[at : at + 32] = other[start : start + 32]
        elif how == 7:
            del data[at:]
        else:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 4, 16))))
    return bytes(data)


def _fitting(number: int, size: int) -> int:
    half = 1 << (8 * size - 1)
    return (number + half) % (2 * half) - half
