"""Record a table to a tape, with rotation; a full disk becomes a sentence."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from livetable.feed.errors import LivetableError
from livetable.feed.protocol.messages import Header
from livetable.feed.rows.replica import Followed, body_of
from livetable.feed.tape.file import LAST_TIME
from livetable.feed.tape.writer import TapeWriter

_RATIO: Final = 4
_LEAST_BYTES: Final = 1 << 20
"""A snapshot is written after deltas of `_RATIO` times its size, and at least this many bytes."""


class BadRecording(LivetableError):
    """A tape can't be started."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """When to start a new tape.

    Attributes:
        bytes: After so many bytes; None: never for that.
        seconds: After so many seconds; None: never for that.
        keep: How many finished tapes to keep, the newest; None: all.
    """

    bytes: int | None = None
    seconds: float | None = None
    keep: int | None = None


def check_recording(path: Path, rotation: Rotation | None) -> None:
    """Check that a tape can be started; touch nothing.

    Raises:
        BadRecording: the file exists, or can't be created.
    """
    if not path.parent.is_dir():
        raise BadRecording(f"{path}: no folder {path.parent}; create it first")
    if path.is_dir():
        raise BadRecording(f"{path} is a folder: choose another name")
    if path.exists() and rotation is None:
        raise BadRecording(
            f"{path} already exists: choose another name, or move it aside with --rotate 1h"
        )
    if not os.access(path.parent, os.W_OK):
        raise BadRecording(f"{path}: you can't write to the folder {path.parent}")


class Recorder:
    """Records one table.

    It writes to `path`; finished tapes are renamed to include their start time. Nothing is touched
    before the first frame, as the command may still be refused or fail.

    Args:
        path: The file.
        rotation: When to start a new tape; None: never, and `path` must not exist.

    Raises:
        BadRecording: `path` exists, or can't be created.
    """

    def __init__(self, path: Path, rotation: Rotation | None = None) -> None:
        self.path = path
        self.problem: str | None = None
        """Why recording stopped, None while it goes on."""
        self.frames = 0
        """Number of recorded frames."""
        self.bytes = 0
        """Bytes of finished tapes."""
        self._rotation = rotation
        self._tape: TapeWriter | None = None
        self._began = self._last = self._came = 0.0
        self._since_whole = self._whole = 0
        check_recording(path, rotation)

    @property
    def size(self) -> int:
        """Bytes of all that was recorded."""
        return self.bytes + (self._tape.bytes if self._tape is not None else 0)

    def add(self, header: Header, body: bytes | memoryview | bytearray, state: Followed) -> None:
        """Record a frame. Never raises: an error is in `problem`.

        Args:
            header: The feed's header.
            body: Its Arrow stream.
            state: The table after it.
        """
        if self.problem is not None:
            return
        try:
            self._add(header, memoryview(body), state)
        except OSError as error:
            self.problem = f"recording stopped: {error.strerror or error}"
            self._end()

    def close(self) -> None:
        """End the tape."""
        self._end()

    def _add(self, header: Header, body: memoryview, state: Followed) -> None:
        # Times must not decrease, or searches by time fail. After the clock was set back, advance
        # with the frames: equal times would play an hour of frames at once.
        arrived, sent = time.monotonic(), header.time
        if sent is None or sent >= LAST_TIME:  # a clock far off: the reader would refuse the tape
            sent = time.time()
        self._last = sent if sent >= self._last else self._last + arrived - self._came
        self._came = arrived
        if self._tape is not None and self._is_full(self._tape):
            self._end()
            self._put_aside(self._began)
        if self._tape is None:
            if self._rotation is not None and self.path.exists():  # of an earlier recording
                self._put_aside(self.path.stat().st_mtime)
            self._tape = TapeWriter(self.path, header.table)
            self._began = self._last
            self._whole = 0
        before = self._tape.bytes
        if header.kind == "delta" and (
            not self._whole or self._since_whole > _RATIO * self._whole + _LEAST_BYTES
        ):
            header, body = replace(header, kind="snapshot", since=None, gone=()), body_of(state)
        self._tape.add(self._last, header, body)
        self.frames += 1
        written = self._tape.bytes - before
        if header.kind == "snapshot":
            self._whole, self._since_whole = written, 0
        else:
            self._since_whole += written

    def _is_full(self, tape: TapeWriter) -> bool:
        rotation = self._rotation
        if rotation is None:
            return False
        return (rotation.bytes is not None and tape.bytes >= rotation.bytes) or (
            rotation.seconds is not None and self._last - self._began >= rotation.seconds
        )

    def _end(self) -> None:
        if self._tape is not None:
            self._tape.close()
            self.bytes += self._tape.bytes
            self._tape = None

    def _put_aside(self, moment: float) -> None:
        stem = time.strftime("%Y%m%d-%H%M%S", time.localtime(moment))
        aside, number = self._named(stem), 1
        while aside.exists():
            aside, number = self._named(f"{stem}-{number}"), number + 1
        self.path.rename(aside)
        if self._rotation is not None and self._rotation.keep is not None:
            ended = sorted(
                (one for one in self.path.parent.iterdir() if self._is_ended(one)),
                key=lambda one: one.stat().st_mtime,
            )
            for old in ended[: max(0, len(ended) - self._rotation.keep)]:
                old.unlink(missing_ok=True)

    def _named(self, stem: str) -> Path:
        return self.path.with_name(f"{self.path.stem}.{stem}{self.path.suffix}")

    def _is_ended(self, path: Path) -> bool:
        stem, suffix = re.escape(self.path.stem), re.escape(self.path.suffix)
        return re.fullmatch(rf"{stem}\.\d{{8}}-\d{{6}}(-\d+)?{suffix}", path.name) is not None


_SIZES: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SPANS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_rotation(text: str, keep: int | None) -> Rotation:
    """Parse `--rotate`: when to start a new tape.

    Args:
        text: ``1GB``, ``500 MB``, ``1h``, ``30m``, or both with ``|`` between.
        keep: How many finished tapes to keep.

    Raises:
        BadRecording: it is neither a size nor a time.
    """
    size, span = None, None
    for part in text.split("|"):
        if found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b\s*", part, re.IGNORECASE):
            size = int(min(float(found[1]), 1e15) * _SIZES[found[2].lower()])
        elif found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*", part):
            span = float(found[1]) * _SPANS[found[2]]
        else:
            raise BadRecording(
                f"--rotate {text!r}: write a size (1GB), a time (1h), or both (1GB|1h)"
            )
    if not (size is None or size > 0) or not (span is None or span > 0):
        raise BadRecording(f"--rotate {text!r}: write a size or time above 0")
    return Rotation(size, span, keep)
