"""Write a tape, frame by frame."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import numbers, texts
from livetable.feed.protocol.messages import Header
from livetable.feed.tape import file
from livetable.feed.tape.file import (
    CRC,
    END,
    ENTRY,
    EOS,
    MARK,
    METADATA,
    NO_SUM,
    NOWHERE,
    OWN,
    SCHEMA,
    TRAILER,
    VERSION,
    sum_of,
)


class TapeWriter:
    """Writes a new tape.

    Args:
        path: The file; it must not exist.
        table: The table's name.

    Raises:
        OSError: it can't be created.
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
        self._last_index = NOWHERE
        self._write(schema.serialize())

    def add(self, time: float, header: Header, body: bytes | memoryview) -> None:
        """Write a frame.

        Args:
            time: When it was sent, in seconds since 1970.
            header: The feed's header.
            body: Its Arrow stream, whole.

        Raises:
            OSError: it can't be written; the tape is unchanged.
        """
        said = replace(header, want=None, part=0, parts=1, size=len(body))
        whole = self.frames if header.kind == "snapshot" else self._whole
        offset = self.bytes
        batch = _batch(time, header.kind, said, said.encode().decode(), body)
        self._write(_message(batch, compression="zstd"))
        self._whole = whole
        self._entries.append((time, offset, whole))
        self.frames += 1
        if self.bytes - self._indexed > file.INDEX_BYTES:
            self._write_index()

    def close(self) -> None:
        """Finish the tape. If the end can't be written, readers recover without it."""
        try:
            self._write_index()
            self._write(EOS + TRAILER.pack(self._last_index, END))
        except OSError:
            pass  # a full disk: all frames are written
        finally:
            os.close(self._file)

    def _write_index(self) -> None:
        entries = np.array(self._entries, dtype=ENTRY)
        first = self.frames - len(entries)
        offset = self.bytes
        body = MARK + OWN.pack(offset, self._last_index) + entries.tobytes()
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
    """Return the options for writing batches, and the length of a stream's schema message."""
    options = pa.ipc.IpcWriteOptions(compression=compression)
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, SCHEMA, options=options).close()
    return options, len(sink.getvalue()) - len(EOS)


def _message(batch: pa.RecordBatch, *, compression: str | None) -> bytearray:
    """Return a batch as a message with a checksum of all its bytes in its metadata."""
    options, schema = _writing(compression)  # `RecordBatch.serialize` takes no options
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=options) as writer:
        writer.write_batch(batch, custom_metadata={CRC: NO_SUM})
    message = bytearray(memoryview(sink.getvalue())[schema : -len(EOS)])
    place = message.index(NO_SUM)  # its first occurrence is in the metadata
    message[place : place + len(NO_SUM)] = sum_of(message)
    return message
