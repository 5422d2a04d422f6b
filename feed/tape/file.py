"""A tape: a table's frames with their times in a file, an Arrow IPC stream (docs/tape.md).

One record batch is one frame, written at once: a recording that is killed opens up to its last
whole frame. Every few megabytes a batch holds an index of the frames before it, so that any time of
a long tape is found without reading what lies between.
"""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import numbers, texts
from livetable.feed.arrow.envelope import body_length, check_stream, metadata_size
from livetable.feed.errors import BodyError, LivetableError, WireError
from livetable.feed.protocol.messages import MAX_BODY, Header

VERSION: Final = 1
METADATA: Final = b"livetable.tape"
INDEX_BYTES: Final = 16 << 20
"""An index is written after so many bytes of frames."""

SCHEMA: Final = pa.schema(
    [
        pa.field("time", pa.float64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("header", pa.string(), nullable=False),
        pa.field("body", pa.large_binary(), nullable=False),
    ]
)
_ENTRY: Final = np.dtype([("time", "<f8"), ("offset", "<u8"), ("whole", "<u8")])
_MARK: Final = b"livetable.index\n"
_END: Final = b"LTTAPE1\n"
_EOS: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_CRC: Final = b"livetable.crc32"
_NO_SUM: Final = b"crc32:--------"
_SUM: Final = re.compile(rb"crc32:[0-9a-f]{8}")
_TRAILER: Final = struct.Struct("<Q8s")
_OWN: Final = struct.Struct("<QQ")
_NOWHERE: Final = (1 << 64) - 1
LAST_TIME: Final = 253_370_764_800.0
"""The first moment of 9999, in seconds since 1970: later ones are no dates, and can't be shown."""


class BadTape(LivetableError):
    """A file that is no tape, or can't be read."""


@dataclass(frozen=True, slots=True)
class TapeFrame:
    """A frame of a tape.

    Attributes:
        time: When it was sent, in seconds since 1970.
        header: What the feed said of it.
        body: Its Arrow stream.
    """

    time: float
    header: Header
    body: memoryview


class TapeWriter:
    """Writes a new tape.

    Args:
        path: The file; it must not be there yet.
        table: The table's name.

    Raises:
        OSError: it can't be made.
    """

    def __init__(self, path: Path, table: str) -> None:
        about = json.dumps({"version": VERSION, "table": table, "crc": True}).encode()
        schema = SCHEMA.with_metadata({METADATA: about})
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.bytes = 0
        """How long the file is."""
        self.frames = 0
        """How many frames it has."""
        self._whole = 0
        self._entries: list[tuple[float, int, int]] = []
        self._indexed = 0
        self._last_index = _NOWHERE
        self._write(schema.serialize())

    def add(self, time: float, header: Header, body: bytes | memoryview) -> None:
        """Write a frame.

        Args:
            time: When it was sent, in seconds since 1970.
            header: What the feed said of it.
            body: Its Arrow stream, whole.

        Raises:
            OSError: it can't be written; the tape is as it was before.
        """
        said = replace(header, want=None, part=0, parts=1, size=len(body))
        whole = self.frames if header.kind == "snapshot" else self._whole
        offset = self.bytes
        batch = _batch(time, header.kind, said, said.encode().decode(), body)
        self._write(_message(batch, compression="zstd"))
        self._whole = whole
        self._entries.append((time, offset, whole))
        self.frames += 1
        if self.bytes - self._indexed > INDEX_BYTES:
            self._write_index()

    def close(self) -> None:
        """End the tape. What can't be written any more is found out by who opens it."""
        try:
            self._write_index()
            self._write(_EOS + _TRAILER.pack(self._last_index, _END))
        except OSError:
            pass  # a full disk: the frames are there
        finally:
            os.close(self._file)

    def _write_index(self) -> None:
        entries = np.array(self._entries, dtype=_ENTRY)
        first = self.frames - len(entries)
        offset = self.bytes
        body = _MARK + _OWN.pack(offset, self._last_index) + entries.tobytes()
        times = [self._entries[0][0], self._entries[-1][0]] if self._entries else [0.0, 0.0]
        about = json.dumps({"first": first, "frames": len(entries), "times": times})
        self._write(_message(_batch(times[1], "index", None, about, body), compression=None))
        self._last_index = offset
        self._entries = []
        self._indexed = self.bytes

    def _write(self, data: Any) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, self.bytes)
            os.lseek(self._file, self.bytes, os.SEEK_SET)
            raise
        self.bytes += len(memoryview(data))


def _batch(
    time: float, kind: str, header: Header | None, about: str, body: bytes | memoryview
) -> pa.RecordBatch:
    seq = header.position.seq if header is not None and header.position is not None else -1
    sizes = np.array([0, len(body)], dtype=np.int64)
    data = pa.Array.from_buffers(
        pa.large_binary(), 1, [None, pa.py_buffer(sizes), pa.py_buffer(body)]
    )
    values = [
        numbers([time], "float64"), texts([kind]), numbers([seq], "int64"), texts([about]), data
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(values, schema=SCHEMA)


@lru_cache(maxsize=2)
def _writing(compression: str | None) -> tuple[pa.ipc.IpcWriteOptions, int]:
    """Return how batches are written, and how long the schema is that a stream begins with."""
    options = pa.ipc.IpcWriteOptions(compression=compression)
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, SCHEMA, options=options).close()
    return options, len(sink.getvalue()) - len(_EOS)


def _message(batch: pa.RecordBatch, *, compression: str | None) -> bytearray:
    """Return a batch as a message whose metadata tells the checksum of all of it."""
    options, schema = _writing(compression)  # `RecordBatch.serialize` takes no options
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=options) as writer:
        writer.write_batch(batch, custom_metadata={_CRC: _NO_SUM})
    message = bytearray(memoryview(sink.getvalue())[schema : -len(_EOS)])
    place = message.index(_NO_SUM)  # in the metadata, which comes first
    message[place : place + len(_NO_SUM)] = _sum_of(message)
    return message


def _sum_of(message: bytes | bytearray) -> bytes:
    """Return the checksum of a message in which none stands yet, as it stands in one."""
    return b"crc32:%08x" % zlib.crc32(message)


def _is_whole(message: bytes | bytearray) -> bool:
    """Tell whether a message is what was written."""
    found = _SUM.search(message, 0, 8 + metadata_size(message[:8]))
    if found is None:
        return False
    bare = bytearray(message)
    bare[found.start() : found.end()] = _NO_SUM
    return _sum_of(bare) == found[0]


@dataclass(frozen=True)
class _Block:
    """A stretch of frames that an index tells of.

    Attributes:
        first: The number of its first frame.
        frames: How many there are.
        began: The time of the first one.
        offset: Where its index is; None if the entries were found by reading the frames.
    """

    first: int
    frames: int
    began: float
    offset: int | None


class TapeReader:
    """Reads a tape, also one that is being recorded or was cut off. For one thread at a time.

    Args:
        path: The file.

    Raises:
        BadTape: it is no tape, or has no frame.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise BadTape(f"{path}: {error.strerror}") from None
        try:
            self.bytes = os.fstat(self._file.fileno()).st_size
            self.table, self._begins = self._about()
            self._rest: np.ndarray[Any, Any] = np.empty(0, dtype=_ENTRY)
            self._blocks = self._find_blocks()
        except BadTape:
            self._file.close()
            raise
        except Exception as error:  # Arrow raises anything on what is no Arrow
            self._file.close()
            raise BadTape(f"{path} is no tape: {error!s:.200}") from None
        self._firsts = [block.first for block in self._blocks]
        self._times = [block.began for block in self._blocks]
        self._loaded: tuple[int, np.ndarray[Any, Any]] | None = None
        if not len(self):
            self._file.close()
            raise BadTape(f"{path} has no frame yet")

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._blocks[-1].first + self._blocks[-1].frames if self._blocks else 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def time(self, number: int) -> float:
        """Return when a frame was sent, in seconds since 1970."""
        return float(self._entry(number)["time"])

    def whole(self, number: int) -> int:
        """Return the number of the snapshot that a frame follows on, or is."""
        return int(self._entry(number)["whole"])

    def number_at(self, time: float) -> int:
        """Return the number of the frame that was the newest at a time; 0 before the first."""
        at = max(0, bisect_right(self._times, time) - 1)
        entries = self._entries(at)
        inside = int(np.searchsorted(entries["time"], time, side="right")) - 1
        return self._blocks[at].first + max(0, inside)

    def frame(self, number: int) -> TapeFrame:
        """Return a frame.

        Raises:
            BadTape: it can't be read.
        """
        row = self._row(int(self._entry(number)["offset"]))
        if row is None or row["kind"] == "index":
            raise BadTape(f"{self.path}: frame {number} can't be read")
        try:
            header = Header.decode(row["header"].encode())
        except WireError as error:
            raise BadTape(f"{self.path}: frame {number}: {error}") from None
        # The time of the index: that one was checked, and frames are found by it.
        return TapeFrame(self.time(number), header, row["body"])

    def frames(self, first: int = 0) -> Iterator[TapeFrame]:
        """Yield the frames from one on."""
        for number in range(first, len(self)):
            yield self.frame(number)

    # -- where what is -----------------------------------------------------------------------------

    def _entry(self, number: int) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        at = bisect_right(self._firsts, number) - 1
        entries = self._entries(at)
        if number - self._blocks[at].first >= len(entries):
            raise BadTape(f"{self.path}: the index does not tell of frame {number}")
        return entries[number - self._blocks[at].first]

    def _entries(self, at: int) -> np.ndarray[Any, Any]:
        """Return a block's entries; those of the last one that was asked for are kept."""
        if self._loaded is None or self._loaded[0] != at:
            offset = self._blocks[at].offset
            if offset is None:
                self._loaded = at, self._rest
            else:
                row = self._row(offset)
                if row is None:
                    raise BadTape(f"{self.path}: the index can't be read")
                self._loaded = at, _entries_in(row["body"])
        return self._loaded[1]

    def _about(self) -> tuple[str, int]:
        message = pa.ipc.read_message(self._file)
        schema = pa.ipc.read_schema(message)
        if schema.remove_metadata() != SCHEMA or METADATA not in (schema.metadata or {}):
            raise BadTape(f"{self.path} is no tape of livetable's")
        about = json.loads(schema.metadata[METADATA])
        self._checked = about.get("crc") is True  # earlier tapes have no checksums
        if about.get("version") != VERSION:
            raise BadTape(
                f"{self.path} is of version {about.get('version')!r:.20} of tapes, this livetable "
                f"reads {VERSION}: update it"
            )
        return str(about.get("table", ""))[:64], self._file.tell()

    def _find_blocks(self) -> list[_Block]:
        blocks: list[_Block] = []
        end, at = self._begins, self._last_index()
        while at is not None:
            row = self._row(at)
            if row is None or row["kind"] != "index":
                raise BadTape(f"{self.path}: the index can't be read")
            if not blocks:
                end = self._file.tell()
            about = json.loads(row["header"])
            own, before = _OWN.unpack_from(row["body"], len(_MARK))
            entries = _entries_in(row["body"])
            if len(entries) != about["frames"]:
                raise BadTape(f"{self.path}: the index is damaged")
            if len(entries):
                self._check_times(entries["time"], about["first"])
                began = float(entries["time"][0])
                blocks.append(_Block(about["first"], len(entries), began, own))
            at = None if before >= own else before
        blocks.reverse()
        count = 0
        for block in blocks:
            if block.first != count:
                raise BadTape(f"{self.path}: the index is damaged")
            count += block.frames
        # What came behind the last index: read frame by frame, up to the last whole one.
        first = blocks[-1].first + blocks[-1].frames if blocks else 0
        whole = first
        if blocks and blocks[-1].offset is not None:
            row = self._row(blocks[-1].offset)
            whole = int(_entries_in(row["body"])["whole"][-1]) if row is not None else first
        self._rest = np.array(self._scan(end, first, whole), dtype=_ENTRY)
        if len(self._rest):
            self._check_times(self._rest["time"], first)
            blocks.append(_Block(first, len(self._rest), float(self._rest["time"][0]), None))
        return blocks

    def _check_times(self, times: np.ndarray[Any, Any], first: int) -> None:
        """Refuse times that no clock tells: whoever waits for one of them would never play on."""
        wrong = np.flatnonzero(
            ~((times >= 0.0) & (times < LAST_TIME))
        )  # also where it is no number
        if len(wrong):
            number = first + int(wrong[0])
            raise BadTape(
                f"{self.path} can't be played: frame {number} has the time {times[wrong[0]]:g}, "
                "not one from 1970 to 9998"
            )

    def _scan(self, offset: int, number: int, whole: int) -> list[tuple[float, int, int]]:
        found: list[tuple[float, int, int]] = []
        while (row := self._row(offset)) is not None:
            if row["kind"] != "index":
                if row["kind"] == "snapshot":
                    whole = number
                found.append((row["time"], offset, whole))
                number += 1
            offset = self._file.tell()
        return found

    def _last_index(self) -> int | None:
        """Return where the last index is: the end says so, else it is looked for from the end."""
        if self.bytes >= _TRAILER.size:
            self._file.seek(self.bytes - _TRAILER.size)
            offset, end = _TRAILER.unpack(self._file.read(_TRAILER.size))
            if end == _END and offset < self.bytes:
                return int(offset)
        step = INDEX_BYTES * 2
        behind = b""
        at = self.bytes
        while at > self._begins:
            start = max(self._begins, at - step)
            self._file.seek(start)
            window = self._file.read(at - start) + behind
            place = len(window)
            while (place := window.rfind(_MARK, 0, place)) >= 0:
                own = window[place + len(_MARK) : place + len(_MARK) + _OWN.size]
                if len(own) == _OWN.size:
                    offset, _ = _OWN.unpack(own)
                    row = self._row(offset) if self._begins <= offset < self.bytes else None
                    if row is not None and row["kind"] == "index":
                        return int(offset)
            behind, at = window[: len(_MARK) + _OWN.size], start
        return None

    def _row(self, offset: int) -> dict[str, Any] | None:
        """Return the row of a batch, None if there is no whole one."""
        try:
            data = self._message_at(offset)
            if data is None or (self._checked and not _is_whole(data)):
                return None  # before Arrow sees it: what is damaged can end its process
            check_stream(memoryview(data), unpacked=MAX_BODY)
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(data), SCHEMA)
            batch.validate(full=True)
        except (
            BodyError,
            EOFError,
            MemoryError,
            OSError,
            OverflowError,
            ValueError,
            pa.ArrowException,
        ):
            return None  # damaged, or cut off
        if batch.num_rows != 1 or any(column.null_count for column in batch.columns):
            return None
        row = {name: batch.column(at)[0].as_py() for at, name in enumerate(SCHEMA.names[:-1])}
        return row | {"body": memoryview(batch.column(4)[0].as_buffer())}

    def _message_at(self, offset: int) -> bytes | None:
        """Return a message's bytes, None if there is no whole one."""
        self._file.seek(offset)
        first = self._file.read(8)
        if len(first) < 8 or not (size := metadata_size(first)) or size > self.bytes:
            return None
        metadata = self._file.read(size)
        length = body_length(metadata)
        if length > self.bytes - offset:
            return None
        data = first + metadata + self._file.read(length)
        return data if len(data) == 8 + size + length else None


def _entries_in(body: memoryview) -> np.ndarray[Any, Any]:
    entries = body[len(_MARK) + _OWN.size :]
    if len(entries) % _ENTRY.itemsize:
        raise BadTape("the tape's index is damaged")
    return np.frombuffer(entries, dtype=_ENTRY)
