"""tui.batch.row_changes: the states of one row of a tape."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.rows.replica import Follower
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.recorder import Recorder
from livetable.tui.batch.row_changes import NoSuchRow, changes_of
from tests.tui.tapes import BEGAN


def test_changes_of_a_row_whose_columns_change(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    recorder, follower, decoder = Recorder(path), Follower(), Decoder()
    frames: list[dict[str, Any]] = [
        {"id": ["a"], "x": [1]}, {"id": ["b", "a"], "x": [7, 1]}, {"id": ["a"], "x": [math.nan]},
        {"id": ["a"], "x": [math.nan]}, {"id": ["a"], "x": ["text"], "y": [True]}, {"id": ["b"]},
        {"id": ["a"], "y": [False]},
    ]  # fmt: skip
    for number, frame in enumerate(frames):
        data = Encoder()(capture(pd.DataFrame(frame))).data
        head = Header(
            "snapshot", "t", None, Position("e", number + 1), rows=1, columns=len(frame),
            time=BEGAN + number, size=len(data), key=("id",),
        )  # fmt: skip
        recorder.add(head, data, follower.snapshot(decoder(data), len(data)))
    recorder.close()
    playback = Playback(TapeReader(path))
    table = changes_of(playback, "a")
    titles = list(table.titles)
    found = [table.window(at, 0, table.rows).to_pylist() for at in range(len(titles))]
    shown = dict(zip(titles, found, strict=True))
    assert shown["x"] == ["1", "nan", "text", None]
    assert shown["y"] == [None, None, True, False]
    with pytest.raises(NoSuchRow, match="No row 'zz'"):
        changes_of(playback, "zz")
    playback.close()


def test_rows_without_a_key_are_called_by_what_their_index_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    recorder, follower, decoder = Recorder(path), Follower(), Decoder()
    for number in range(5):
        index = pd.RangeIndex(number, number + 3)
        data = Encoder()(capture(pd.DataFrame({"v": range(number, number + 3)}, index=index))).data
        head = Header(
            "snapshot", "t", None, Position("e", number + 1), rows=3, columns=1,
            time=BEGAN + number, size=len(data),
        )  # fmt: skip
        recorder.add(head, data, follower.snapshot(decoder(data), len(data)))
    recorder.close()
    playback = Playback(TapeReader(path))
    table = changes_of(playback, "6")
    assert table.window(1, 0, table.rows).to_pylist() == [6]
    playback.close()
