"""Check the sizes that an Arrow stream announces before Arrow allocates memory for them.

A few bytes can announce two billion rows, or unpack to gigabytes. This module reads the flatbuffers
of the stream's messages by hand (https://arrow.apache.org/docs/format/Columnar.html, "Encapsulated
message format"): their lengths, their rows, whether they are compressed. Arrow's own checks come
after that.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from livetable.feed.errors import BodyError

MAX_MESSAGES: Final = 10_000
"""Most messages of one stream."""

FREE_ROWS: Final = 10_000_000
"""Any stream may announce this many rows, however short it is: columns of nulls need no bytes."""

_CONTINUES: Final = 0xFFFFFFFF
_DICTIONARY, _BATCH = 2, 3
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_LENGTH, _NODES, _BUFFERS, _COMPRESSION = 0, 1, 2, 3
_DATA: Final = 1
_ORDER, _BIG = 0, 1
_UNPACKED: Final = -1


def check_stream(body: memoryview, *, unpacked: int | None = None) -> None:
    """Raise if a stream announces more than it may.

    Args:
        body: The stream.
        unpacked: Bytes that its compressed buffers may unpack to; None: it must not be compressed.

    Raises:
        BodyError: it does, or it is not an Arrow stream.
    """
    try:
        rows = total = 0
        for meta, start in _messages(body):
            rows += _rows(body, meta)
            if rows > max(FREE_ROWS, 8 * (len(body) if unpacked is None else unpacked)):
                raise BodyError(f"{len(body)} bytes announce {rows} rows")
            total += _unpacked(body, meta, start, unpacked)
            if unpacked is not None and total > unpacked:
                raise BodyError(f"the stream would unpack to more than {unpacked} bytes")
    except (IndexError, struct.error, ValueError) as error:
        raise BodyError(f"not a readable Arrow stream: {error}"[:300]) from None


class Batch(NamedTuple):
    """Offsets of the fields of a record batch's message, counted from the start of the stream.

    Attributes:
        start: Offset of its body.
        rows_at: Offset of its number of rows.
        length_at: Offset of the length of its body.
        nodes: Number of its nodes, each a pair: rows and nulls of a column.
        nodes_at: Offset of the first node.
        buffers: Number of its buffers, each a pair: offset in the body and length.
        buffers_at: Offset of the first buffer.
    """

    start: int
    rows_at: int
    length_at: int
    nodes: int
    nodes_at: int
    buffers: int
    buffers_at: int


def is_in_this_order(schema: bytes) -> bool:
    """Tell whether a stream's numbers are in this machine's byte order.

    Args:
        schema: Its first message.
    """
    body = memoryview(schema)
    header = _table(body, 8 + struct.unpack_from("<I", body, 8)[0], _HEADER)
    place = _field(body, header, _ORDER)
    is_big = bool(place) and struct.unpack_from("<H", body, place)[0] == _BIG
    return is_big == (sys.byteorder == "big")


def first_batch(body: memoryview) -> Batch | None:
    """Return the offsets in the first record batch of a stream, or of a single message.

    None if there is none, if anything but a schema comes before it, or if it is empty.
    """
    place = 0
    for _ in range(2):
        size = metadata_size(body[place : place + 8])
        if not size:
            return None
        start = place + 8 + size
        message = place + 8 + struct.unpack_from("<I", body, place + 8)[0]
        if body[_field(body, message, _HEADER_TYPE)] == _BATCH:
            batch = _table(body, message, _HEADER)
            rows_at, length_at = _field(body, batch, _LENGTH), _field(body, message, _BODY_LENGTH)
            if not rows_at or not length_at:
                return None
            nodes, nodes_at = _vector(body, batch, _NODES)
            buffers, buffers_at = _vector(body, batch, _BUFFERS)
            return Batch(start, rows_at, length_at, nodes, nodes_at, buffers, buffers_at)
        place = start + _number(body, message, _BODY_LENGTH)
    return None


def metadata_size(first: bytes | bytearray | memoryview) -> int:
    """Return how long a message's metadata is, from its first 8 bytes; 0 at a stream's end.

    Raises:
        BodyError: no message starts there.
    """
    continues, size = struct.unpack_from("<Ii", first)
    if continues != _CONTINUES or size < 0:
        raise BodyError("not a readable Arrow stream: a message does not start where it should")
    return int(size)


def body_length(metadata: bytes) -> int:
    """Return how many bytes follow a message's metadata.

    Raises:
        BodyError: it is damaged.
    """
    data = memoryview(metadata)
    try:
        length = _number(data, struct.unpack_from("<I", data)[0], _BODY_LENGTH)
    except struct.error:
        length = -1
    if length < 0:
        raise BodyError("not a readable Arrow stream: its flatbuffers are damaged")
    return length


def _messages(body: memoryview) -> Iterator[tuple[int, int]]:
    """Yield for each message the offsets of its record batch's table and of its body."""
    offset = 0
    for _ in range(MAX_MESSAGES):
        if offset + 8 > len(body):
            return  # the end marker is optional
        size = metadata_size(body[offset : offset + 8])
        start = offset + 8 + size
        if size == 0:
            return
        if start > len(body):
            raise BodyError("not a readable Arrow stream: a message does not start where it should")
        message = offset + 8 + struct.unpack_from("<I", body, offset + 8)[0]
        length = _number(body, message, _BODY_LENGTH)
        if length < 0 or start + length > len(body):
            raise BodyError("not a readable Arrow stream: a message is longer than the stream")
        field = _field(body, message, _HEADER_TYPE)
        kind = body[field] if field else 0
        if kind in (_DICTIONARY, _BATCH):
            batch = _table(body, message, _HEADER)
            if kind == _DICTIONARY:
                batch = _table(body, batch, _DATA)
            yield batch, start
        offset = start + length
    raise BodyError(f"the stream has more than {MAX_MESSAGES} messages")


def _rows(body: memoryview, batch: int) -> int:
    rows = _number(body, batch, _LENGTH)
    if rows < 0:
        raise BodyError(f"the stream announces {rows} rows")
    return rows


def _unpacked(body: memoryview, batch: int, start: int, allowed: int | None) -> int:
    """Return the bytes that a batch unpacks to, 0 if it is not compressed."""
    if not _field(body, batch, _COMPRESSION):
        return 0
    if allowed is None:
        raise BodyError("can't read compressed streams here")
    count, place = _vector(body, batch, _BUFFERS)
    pairs = np.frombuffer(body, "<i8", 2 * count, place).reshape(count, 2)
    total = 0
    for offset, length in pairs[pairs[:, 1] > 0].tolist():
        announced = struct.unpack_from("<q", body, start + offset)[0]
        if announced < _UNPACKED or offset < 0:
            raise BodyError("a compressed buffer announces a negative size")
        total += length if announced == _UNPACKED else announced
    return total


# -- flatbuffers: a table begins with the distance back to the list of its fields' offsets --------


def _field(body: memoryview, table: int, number: int) -> int:
    """Return the offset of a table's field, 0 if it is left out."""
    fields = table - struct.unpack_from("<i", body, table)[0]
    if fields < 0:
        raise BodyError("not a readable Arrow stream: its flatbuffers are damaged")
    size = struct.unpack_from("<H", body, fields)[0]
    if 4 + 2 * number >= size:
        return 0
    offset = struct.unpack_from("<H", body, fields + 4 + 2 * number)[0]
    return table + offset if offset else 0


def _number(body: memoryview, table: int, field: int) -> int:
    place = _field(body, table, field)
    return int(struct.unpack_from("<q", body, place)[0]) if place else 0


def _table(body: memoryview, table: int, field: int) -> int:
    place = _field(body, table, field)
    if not place:
        raise BodyError("not a readable Arrow stream: a message is empty")
    return place + int(struct.unpack_from("<I", body, place)[0])


def _vector(body: memoryview, table: int, field: int) -> tuple[int, int]:
    """Return the number of a vector's items, and the offset of the first."""
    place = _field(body, table, field)
    if not place:
        return 0, 0
    place += struct.unpack_from("<I", body, place)[0]
    return struct.unpack_from("<I", body, place)[0], place + 4
