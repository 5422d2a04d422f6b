"""The format of tapes: frames with their times in an Arrow IPC stream (docs/tape.md).

Each frame is one record batch, written at once: a tape whose recording was killed can be read up to
its last complete frame. Every few megabytes a batch holds an index of the frames before it, so that
any time of a long tape is found without reading the frames in between.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.envelope import metadata_size
from livetable.feed.errors import LivetableError
from livetable.feed.protocol.messages import Header

VERSION: Final = 1
METADATA: Final = b"livetable.tape"
INDEX_BYTES: Final = 16 << 20
"""Bytes of frames after which an index is written."""

SCHEMA: Final = pa.schema(
    [
        pa.field("time", pa.float64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("header", pa.string(), nullable=False),
        pa.field("body", pa.large_binary(), nullable=False),
    ]
)
ENTRY: Final = np.dtype([("time", "<f8"), ("offset", "<u8"), ("whole", "<u8")])
MARK: Final = b"livetable.index\n"
END: Final = b"LTTAPE1\n"
EOS: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
CRC: Final = b"livetable.crc32"
NO_SUM: Final = b"crc32:--------"
_SUM: Final = re.compile(rb"crc32:[0-9a-f]{8}")
TRAILER: Final = struct.Struct("<Q8s")
OWN: Final = struct.Struct("<QQ")
NOWHERE: Final = (1 << 64) - 1
LAST_TIME: Final = 253_370_764_800.0
"""The start of the year 9999, in seconds since 1970: later times can't be shown as dates."""


class BadTape(LivetableError):
    """A file that is not a tape, or can't be read."""


@dataclass(frozen=True, slots=True)
class TapeFrame:
    """A frame of a tape.

    Attributes:
        time: When it was sent, in seconds since 1970.
        header: The feed's header.
        body: Its Arrow stream.
    """

    time: float
    header: Header
    body: memoryview


def sum_of(message: bytes | bytearray) -> bytes:
    """Return the checksum of a message in which the field holds `NO_SUM`, as bytes."""
    return b"crc32:%08x" % zlib.crc32(message)


def is_whole(message: bytes | bytearray) -> bool:
    """Tell whether a message matches its checksum."""
    checksum = _SUM.search(message, 0, 8 + metadata_size(message[:8]))
    if checksum is None:
        return False
    bare = bytearray(message)
    bare[checksum.start() : checksum.end()] = NO_SUM
    return sum_of(bare) == checksum[0]


def entries_in(body: memoryview) -> np.ndarray[Any, Any]:
    """Return the entries of an index: times and offsets of the frames before it."""
    entries = body[len(MARK) + OWN.size :]
    if len(entries) % ENTRY.itemsize:
        raise BadTape("the tape's index is damaged")
    return np.frombuffer(entries, dtype=ENTRY)
