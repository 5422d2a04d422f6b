"""livetable.feed.tape.reader: any frame of a tape by its number or time, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape import file
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.writer import TapeWriter


def written(path: Path, frames: int, *, close: bool = True) -> None:
    writer = TapeWriter(path, "orders")
    for number in range(frames):
        body = Encoder()(capture(pd.DataFrame({"n": [number]})))
        header = Header("snapshot", "orders", position=Position("e", number + 1), rows=1)
        writer.add(100.0 + number, header, body.data)
    if close:
        writer.close()


@pytest.mark.parametrize("index_bytes", [1, 1 << 30], ids=["an index a frame", "one index"])
@pytest.mark.parametrize("close", [True, False], ids=["ended", "cut off"])
def test_frames_by_number_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index_bytes: int, close: bool
) -> None:
    monkeypatch.setattr(file, "INDEX_BYTES", index_bytes)
    written(tmp_path / "t.tape", 5, close=close)
    tape = TapeReader(tmp_path / "t.tape")
    assert (tape.table, len(tape)) == ("orders", 5)
    for number in (4, 0, 2):
        frame = tape.frame(number)
        assert (frame.time, frame.header.position) == (100.0 + number, Position("e", number + 1))
        assert tape.whole(number) == number
        assert tape.number_at(100.5 + number) == number
    assert tape.number_at(0.0) == 0
    assert [frame.time for frame in tape.frames(3)] == [103.0, 104.0]
    for wrong in (-1, 5):
        with pytest.raises(IndexError):
            tape.frame(wrong)
    tape.close()


def test_what_is_no_tape(tmp_path: Path) -> None:
    with pytest.raises(BadTape, match="No such file"):
        TapeReader(tmp_path / "none.tape")
    (tmp_path / "x.tape").write_bytes(b"rubbish" * 10)
    with pytest.raises(BadTape, match="is not a tape"):
        TapeReader(tmp_path / "x.tape")
    written(tmp_path / "empty.tape", 0)
    with pytest.raises(BadTape, match="has no frame yet"):
        TapeReader(tmp_path / "empty.tape")
