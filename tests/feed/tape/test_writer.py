"""livetable.feed.tape.writer: frames are written at once, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.writer import TapeWriter

HEADER = Header("snapshot", "t", position=Position("e", 1), rows=1)


def body() -> memoryview:
    return Encoder()(capture(pd.DataFrame({"n": [1]}))).data


def test_a_tape_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "t.tape"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        TapeWriter(path, "t")
    assert path.read_text() == "mine"


def test_it_knows_its_length_and_is_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.tape"
    writer = TapeWriter(path, "t")
    writer.add(1.0, HEADER, body())
    assert (writer.frames, writer.bytes) == (1, path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o600
    writer.close()


def test_a_frame_that_does_not_fit_the_disk_leaves_the_tape_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.tape"
    writer = TapeWriter(path, "t")
    writer.add(1.0, HEADER, body())
    size, write = writer.bytes, os.write

    def full(descriptor: int, data: Any) -> int:
        if len(data) <= 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:100])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            writer.add(2.0, HEADER, body())
    assert writer.bytes == path.stat().st_size == size
    writer.add(3.0, HEADER, body())
    writer.close()
    tape = TapeReader(path)
    assert [frame.time for frame in tape.frames()] == [1.0, 3.0]
    tape.close()
