"""livetable.feed.tape.recorder: what is recorded, when tapes take turns, and what ends one."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.frames.decoder import Decoder
from livetable.feed.rows.replica import Follower
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.recorder import BadRecording, Recorder, Rotation, read_rotation
from tests.feed.tape.tapes import body, check, header, record, table_in


def test_tapes_take_turns_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "day.tape"
    states = record(path, 60, Rotation(bytes=20_000, keep=2))
    ended = sorted(one for one in tmp_path.iterdir() if one != path)
    assert len(ended) == 2
    found = []
    for one in (*ended, path):
        playback = Playback(TapeReader(one))
        assert playback.tape.frame(0).header.kind == "snapshot"  # each can be read alone
        found += [table_in(playback.at(at).state) for at in range(len(playback))]
        playback.close()
    assert found == states[-len(found) :]


def test_tapes_take_turns_by_time(tmp_path: Path) -> None:
    path = tmp_path / "day.tape"
    (tmp_path / "day.other.tape").touch()
    record(path, 60, Rotation(seconds=20))
    names = sorted(one.name for one in tmp_path.iterdir())
    assert len(names) == 2 + 2
    began = time.strftime("%Y%m%d-%H%M%S", time.localtime(100.0))
    assert f"day.{began}.tape" in names
    record(path, 3, Rotation(seconds=20, keep=1))  # what is there is put aside
    names = sorted(one.name for one in tmp_path.iterdir())
    assert len(names) == 3
    assert "day.other.tape" in names  # somebody else's


def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "day.tape"
    path.write_text("precious")
    with pytest.raises(BadRecording, match="already exists"):
        Recorder(path)
    with pytest.raises(BadRecording, match="no folder"):
        Recorder(tmp_path / "none" / "day.tape")
    assert path.read_text() == "precious"


def test_what_is_there_is_put_aside_by_the_first_frame_not_before(tmp_path: Path) -> None:
    path, ended = tmp_path / "day.tape", tmp_path / "day.20260101-000000.tape"
    path.write_text("newest")
    ended.write_text("older")
    recorder = Recorder(path, Rotation(seconds=3600, keep=1))
    recorder.close()  # the table never came
    assert (path.read_text(), ended.read_text()) == ("newest", "older")
    recorder = Recorder(path, Rotation(seconds=3600, keep=2))
    recorder.add(header(1, 1), body(1), Follower().snapshot(Decoder()(body(0)), 1))
    recorder.close()
    texts = [one.read_bytes() for one in sorted(tmp_path.iterdir()) if one != path]
    assert sorted(texts) == [b"newest", b"older"]
    reader = TapeReader(path)
    assert len(reader) == 1
    reader.close()


def test_a_clock_that_is_far_off_does_not_spoil_a_recording(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "x.tape")
    state = Follower().snapshot(Decoder()(body(0)), 1)
    recorder.add(replace(header(1, 1), time=1e14), body(1), state)
    recorder.close()
    reader = TapeReader(tmp_path / "x.tape")
    assert abs(reader.time(0) - time.time()) < 1000
    reader.close()


def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "day.tape"
    really_write, room = os.write, 6000

    def full(file: int, data: Any) -> int:
        nonlocal room
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = really_write(file, data[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", full)
    recorder = Recorder(path)
    state = Follower().snapshot(Decoder()(body(0)), 1)
    for number in range(50):
        data = body(number)
        recorder.add(header(number, len(data)), data, state)
    assert recorder.problem == "recording stopped: No space left on device"
    recorder.close()
    monkeypatch.undo()
    reader = TapeReader(path)
    assert 1 < len(reader) == recorder.frames < 50
    check(reader, recorder.frames)
    reader.close()


def test_times_never_go_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "day.tape"
    recorder, state = Recorder(path), Follower().snapshot(Decoder()(body(0)), 1)
    now = 0.0
    monkeypatch.setattr("livetable.feed.tape.recorder.time.monotonic", lambda: now)
    for seq in (5, 3, 4, 9):  # the clock is set back by 3 seconds, and forth again
        recorder.add(header(seq, 1), body(seq), state)
        now += 1
    recorder.close()
    reader = TapeReader(path)
    assert [reader.time(at) for at in range(4)] == [1005.0, 1006.0, 1007.0, 1009.0]
    reader.close()


@pytest.mark.parametrize(
    ("text", "rotation"),
    [
        ("1GB", Rotation(bytes=1 << 30)),
        ("500 mb", Rotation(bytes=500 << 20)),
        ("10kib", Rotation(bytes=10 << 10)),
        ("1.5h", Rotation(seconds=5400)),
        ("1GB|2d", Rotation(1 << 30, 172_800)),
        ("100b", Rotation(bytes=100)),
    ],
)
def test_rotations_are_read(text: str, rotation: Rotation) -> None:
    assert read_rotation(text, None) == rotation


@pytest.mark.parametrize("text", ["", "1", "0s", "0GB", "1 week", "1h,2GB", "-1h"])
def test_rotations_that_are_none(text: str) -> None:
    with pytest.raises(BadRecording, match="--rotate"):
        read_rotation(text, None)
