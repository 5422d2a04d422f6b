"""Read the frames of a tape by number or by time."""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.envelope import body_length, check_stream, metadata_size
from livetable.feed.errors import BodyError, WireError
from livetable.feed.protocol.messages import MAX_BODY, Header
from livetable.feed.tape import file
from livetable.feed.tape.file import (
    END,
    ENTRY,
    LAST_TIME,
    MARK,
    METADATA,
    OWN,
    SCHEMA,
    TRAILER,
    VERSION,
    BadTape,
    TapeFrame,
    entries_in,
    is_whole,
)


@dataclass(frozen=True)
class _Block:
    """The frames of one index.

    Attributes:
        first: The number of its first frame.
        frames: How many there are.
        began: The time of the first one.
        offset: Offset of the index; None if the entries were found by reading the frames.
    """

    first: int
    frames: int
    began: float
    offset: int | None


class TapeReader:
    """Reads a tape, even while it is recorded or if it was cut off. For one thread at a time.

    Args:
        path: The file.

    Raises:
        BadTape: it is not a tape, or has no frame.
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
            self._rest: np.ndarray[Any, Any] = np.empty(0, dtype=ENTRY)
            self._blocks = self._find_blocks()
        except BadTape:
            self._file.close()
            raise
        except Exception as error:  # on damaged data Arrow raises any kind of exception
            self._file.close()
            raise BadTape(f"{path} is not a tape: {error!s:.200}") from None
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
        """Return the number of the snapshot that a frame builds on, or is."""
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
            raise BadTape(f"{self.path}: can't read frame {number}")
        try:
            header = Header.decode(row["header"].encode())
        except WireError as error:
            raise BadTape(f"{self.path}: frame {number}: {error}") from None
        # The index's time, which was checked, and by which frames are found.
        return TapeFrame(self.time(number), header, row["body"])

    def frames(self, first: int = 0) -> Iterator[TapeFrame]:
        """Yield the frames from `first` on."""
        for number in range(first, len(self)):
            yield self.frame(number)

    # -- indexes -----------------------------------------------------------------------------------

    def _entry(self, number: int) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        block = bisect_right(self._firsts, number) - 1
        entries = self._entries(block)
        if number - self._blocks[block].first >= len(entries):
            raise BadTape(f"{self.path}: the index has no frame {number}")
        return entries[number - self._blocks[block].first]

    def _entries(self, block: int) -> np.ndarray[Any, Any]:
        """Return a block's entries; those of the last block are cached."""
        if self._loaded is None or self._loaded[0] != block:
            offset = self._blocks[block].offset
            if offset is None:
                self._loaded = block, self._rest
            else:
                row = self._row(offset)
                if row is None:
                    raise BadTape(f"{self.path}: can't read the index")
                self._loaded = block, entries_in(row["body"])
        return self._loaded[1]

    def _about(self) -> tuple[str, int]:
        message = pa.ipc.read_message(self._file)
        schema = pa.ipc.read_schema(message)
        if schema.remove_metadata() != SCHEMA or METADATA not in (schema.metadata or {}):
            raise BadTape(f"{self.path} is not a livetable tape")
        about = json.loads(schema.metadata[METADATA])
        self._checked = about.get("crc") is True  # earlier tapes have no checksums
        if about.get("version") != VERSION:
            raise BadTape(
                f"{self.path} is a tape of version {about.get('version')!r:.20}, this livetable "
                f"reads {VERSION}: update livetable"
            )
        return str(about.get("table", ""))[:64], self._file.tell()

    def _find_blocks(self) -> list[_Block]:
        blocks: list[_Block] = []
        end, offset = self._begins, self._last_index()
        while offset is not None:
            row = self._row(offset)
            if row is None or row["kind"] != "index":
                raise BadTape(f"{self.path}: can't read the index")
            if not blocks:
                end = self._file.tell()
            about = json.loads(row["header"])
            own, before = OWN.unpack_from(row["body"], len(MARK))
            entries = entries_in(row["body"])
            if len(entries) != about["frames"]:
                raise BadTape(f"{self.path}: the index is damaged")
            if len(entries):
                self._check_times(entries["time"], about["first"])
                began = float(entries["time"][0])
                blocks.append(_Block(about["first"], len(entries), began, own))
            offset = None if before >= own else before
        blocks.reverse()
        count = 0
        for block in blocks:
            if block.first != count:
                raise BadTape(f"{self.path}: the index is damaged")
            count += block.frames
        # Frames after the last index: read them one by one, up to the last complete one.
        first = blocks[-1].first + blocks[-1].frames if blocks else 0
        whole = first
        if blocks and blocks[-1].offset is not None:
            row = self._row(blocks[-1].offset)
            whole = int(entries_in(row["body"])["whole"][-1]) if row is not None else first
        self._rest = np.array(self._scan(end, first, whole), dtype=ENTRY)
        if len(self._rest):
            self._check_times(self._rest["time"], first)
            blocks.append(_Block(first, len(self._rest), float(self._rest["time"][0]), None))
        return blocks

    def _check_times(self, times: np.ndarray[Any, Any], first: int) -> None:
        """Refuse impossible times: a player that waits for one would never go on."""
        wrong = np.flatnonzero(
            ~((times >= 0.0) & (times < LAST_TIME))
        )  # also where it is no number
        if len(wrong):
            number = first + int(wrong[0])
            raise BadTape(
                f"can't play {self.path}: frame {number} has the time {times[wrong[0]]:g}, "
                "not one from 1970 to 9998"
            )

    def _scan(self, offset: int, number: int, whole: int) -> list[tuple[float, int, int]]:
        entries: list[tuple[float, int, int]] = []
        while (row := self._row(offset)) is not None:
            if row["kind"] != "index":
                if row["kind"] == "snapshot":
                    whole = number
                entries.append((row["time"], offset, whole))
                number += 1
            offset = self._file.tell()
        return entries

    def _last_index(self) -> int | None:
        """Return where the last index is: the end says so, else it is looked for from the end."""
        if self.bytes >= TRAILER.size:
            self._file.seek(self.bytes - TRAILER.size)
            offset, end = TRAILER.unpack(self._file.read(TRAILER.size))
            if end == END and offset < self.bytes:
                return int(offset)
        step = file.INDEX_BYTES * 2
        behind = b""
        at = self.bytes
        while at > self._begins:
            start = max(self._begins, at - step)
            self._file.seek(start)
            window = self._file.read(at - start) + behind
            place = len(window)
            while (place := window.rfind(MARK, 0, place)) >= 0:
                own = window[place + len(MARK) : place + len(MARK) + OWN.size]
                if len(own) == OWN.size:
                    offset, _ = OWN.unpack(own)
                    row = self._row(offset) if self._begins <= offset < self.bytes else None
                    if row is not None and row["kind"] == "index":
                        return int(offset)
            behind, at = window[: len(MARK) + OWN.size], start
        return None

    def _row(self, offset: int) -> dict[str, Any] | None:
        """Return the row of a batch, None if there is no whole one."""
        try:
            data = self._message_at(offset)
            if data is None or (self._checked and not is_whole(data)):
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
        """Return a message's bytes, None if it is not complete."""
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
