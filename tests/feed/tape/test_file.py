"""feed.tape.file, playback and recording: what was recorded comes back, whatever happened."""

from __future__ import annotations

import errno
import math
import os
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.rows.replica import Follower, body_of
from livetable.feed.tape import file as file_module
from livetable.feed.tape import recorder as recorder_module
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.recorder import BadRecording, Recorder, Rotation, read_rotation
from livetable.feed.tape.writer import TapeWriter
from tests.feed.rows.test_keyed_table import Feed


def header(seq: int, size: int, *, kind: str = "snapshot", **more: Any) -> Header:
    return Header(
        kind, "orders", 9, Position("e", seq), time=1000.0 + seq, rows=1, columns=1, size=size,
        key=("id",), **more,
    )  # fmt: skip


def body(number: int) -> bytes:
    return bytes(Encoder()(capture({"id": [number], "x": [f"row {number}"]})).data)


def write(path: Path, count: int, *, close: bool = True) -> TapeWriter:
    writer = TapeWriter(path, "orders")
    for number in range(count):
        data = body(number)
        writer.add(1000.0 + number, header(number, len(data)), data)
    if close:
        writer.close()
    return writer


@pytest.fixture(params=[1 << 20, 2000])
def path(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path for a tape: one with a single index, and one with many."""
    monkeypatch.setattr(file_module, "INDEX_BYTES", request.param)
    return tmp_path / "day.tape"


def check(reader: TapeReader, count: int) -> None:
    assert len(reader) == count
    assert reader.table == "orders"
    for number in {0, count // 2, count - 1}:
        frame = reader.frame(number)
        assert frame.time == reader.time(number) == 1000.0 + number
        assert bytes(frame.body) == body(number)
        assert frame.header == Header(
            "snapshot", "orders", None, Position("e", number), time=1000.0 + number,
            rows=1, columns=1, size=len(frame.body), key=("id",),
        )  # fmt: skip
        assert reader.number_at(frame.time) == number
        assert reader.number_at(frame.time + 0.5) == number
        assert reader.whole(number) == number
    assert reader.number_at(0) == 0
    assert reader.number_at(1e9) == count - 1
    for wrong in (-1, count):
        with pytest.raises(IndexError):
            reader.frame(wrong)


def test_what_was_recorded_comes_back(path: Path) -> None:
    write(path, 40)
    reader = TapeReader(path)
    check(reader, 40)
    assert [bytes(frame.body) for frame in reader.frames(38)] == [body(38), body(39)]
    reader.close()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        TapeWriter(path, "orders")


def test_anybody_with_arrow_reads_it(path: Path) -> None:
    write(path, 12)
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        rows = stream.read_all().to_pylist()
    frames = [row for row in rows if row["kind"] != "index"]
    assert [row["seq"] for row in frames] == list(range(12))
    inside = pa.ipc.open_stream(frames[7]["body"]).read_all()
    assert inside.to_pydict() == {"id": [7], "x": ["row 7"]}


def test_a_recording_that_was_cut_off_opens_up_to_its_last_whole_frame(path: Path) -> None:
    write(path, 30, close=False)
    data = path.read_bytes()
    ends = []
    with pa.OSFile(str(path)) as file:
        pa.ipc.read_message(file)
        offset = file.tell()
        for _ in range(1000):
            try:
                message = pa.ipc.read_message(file)
            except EOFError:
                break
            kind = pa.ipc.read_record_batch(message, file_module.SCHEMA).column(1)[0].as_py()
            offset = file.tell()
            ends.append((offset, kind))
    assert offset == len(data)
    choose = random.Random(1)
    for cut in sorted({len(data), *(choose.randrange(len(data)) for _ in range(60))}):
        path.write_bytes(data[:cut])
        whole = sum(1 for end, kind in ends if end <= cut and kind != "index")
        if whole:
            reader = TapeReader(path)
            check(reader, whole)
            reader.close()
        else:
            with pytest.raises(BadTape):
                TapeReader(path)


def test_rubbish_behind_the_last_frame_is_passed_over(path: Path) -> None:
    write(path, 30, close=False)
    with path.open("ab") as file:
        file.write(file_module.MARK + b"\xff" * 40 + b"rubbish" + file_module.MARK)
    reader = TapeReader(path)
    check(reader, 30)
    reader.close()


def test_a_tape_that_is_being_written_can_be_read(path: Path) -> None:
    writer = write(path, 10, close=False)
    reader = TapeReader(path)
    check(reader, 10)
    writer.close()
    check(reader, 10)
    reader.close()


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x00" * 5000, file_module.MARK * 100, b"PAR1" + bytes(100)]
)
def test_files_that_are_no_tape(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tape"
    path.write_bytes(content)
    with pytest.raises(BadTape, match=r"x\.tape"):
        TapeReader(path)


def test_other_arrow_files_and_other_versions(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    with pytest.raises(BadTape, match="No such file"):
        TapeReader(path)
    path.write_bytes(body(1))
    with pytest.raises(BadTape, match="no tape of livetable's"):
        TapeReader(path)
    schema = file_module.SCHEMA.with_metadata({file_module.METADATA: b'{"version": 99}'})
    path.write_bytes(schema.serialize().to_pybytes())
    with pytest.raises(BadTape, match="version 99 of tapes"):
        TapeReader(path)
    write(tmp_path / "empty.tape", 0)
    with pytest.raises(BadTape, match="no frame yet"):
        TapeReader(tmp_path / "empty.tape")


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_damaged_tapes_never_do_harm(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "INDEX_BYTES", 1500)
    path, choose = tmp_path / "x.tape", random.Random(seed)
    write(path, 12)
    good = path.read_bytes()
    for _ in range(200):
        content = bytearray(good)
        for _ in range(choose.randrange(1, 7)):
            content[choose.randrange(len(content))] = choose.randrange(256)
        path.write_bytes(content)
        try:
            playback = Playback(TapeReader(path))
        except BadTape:
            continue
        for number in range(len(playback)):
            try:
                playback.at(number)
            except (BadTape, IndexError):
                continue
        playback.close()


# -- playback --------------------------------------------------------------------------------------


def record(path: Path, steps: int, rotation: Rotation | None = None) -> list[dict[str, list[Any]]]:
    """Record a table that changes row by row; return its states."""
    feed, recorder = Feed("id"), Recorder(path, rotation)
    decoder, follower = Decoder(), Follower()
    choose, have, states = random.Random(5), None, []
    for number in range(steps):
        keys = choose.sample(range(200), 5)
        feed.change("upsert", {"id": keys, "x": [number] * 5})
        if number % 3 == 2:
            feed.delete(keys[:2])
        if number == steps // 2:
            feed.send({"id": range(50), "x": number})
        answer = feed.state.since(have, deltas=True)
        assert answer is not None
        have, data = answer.position, answer.body.data
        if answer.since is None:
            state = follower.snapshot(decoder(data), len(data))
        else:
            state = follower.delta(decoder.delta(data), answer.gone, answer.body.rows)
        kind = "snapshot" if answer.since is None else "delta"
        recorder.add(
            Header(
                kind, "t", 1, answer.position, time=100.0 + number, rows=answer.body.rows,
                columns=2, size=len(data), key=("id",), since=answer.since, gone=answer.gone,
            ),
            data, state,
        )  # fmt: skip
        states.append(table_in(state))
    assert recorder.problem is None
    assert recorder.frames == steps
    recorder.close()
    recorder.close()
    return states


def table_in(state: Any) -> dict[str, list[Any]]:
    return {
        str(label): state.values.whole(at).to_pylist()
        for at, label in enumerate(state.labels.columns)
    }


def test_every_state_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_LEAST_BYTES", 2000)
    monkeypatch.setattr("livetable.feed.tape.player._KEPT_BYTES", 5000)
    path = tmp_path / "day.tape"
    states = record(path, 120)
    playback = Playback(TapeReader(path))
    kinds = [frame.header.kind for frame in playback.tape.frames()]
    assert 3 < kinds.count("snapshot") < 40  # whole tables come again in between
    choose = random.Random(7)
    for number in [*range(120), *(choose.randrange(120) for _ in range(200))]:
        played = playback.at(number)
        assert table_in(played.state) == states[number]
        assert played.time == playback.time(number) == 100.0 + number
        assert len(playback._kept) < 40
    assert playback.number_at(150.5) == 50
    playback.close()


def test_a_delta_without_what_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    writer = TapeWriter(path, "t")
    data = body(1)
    writer.add(1.0, header(1, len(data), kind="delta", since=0), data)
    writer.add(2.0, Header("idle", "t", None, Position("e", 1)), b"")
    writer.close()
    playback = Playback(TapeReader(path))
    for number in (0, 1):
        with pytest.raises(BadTape, match=r"x\.tape: frame"):
            playback.at(number)
    playback.close()


def test_a_state_as_a_body_is_the_table() -> None:
    for frame in (
        pd.DataFrame({"a": [1, 2], "c": pd.Categorical(["x", None])}, index=["p", "q"]),
        pd.DataFrame(index=range(3)),
    ):
        decoded = Decoder()(Encoder()(capture(frame)).data)
        again = Decoder()(body_of(Follower().snapshot(decoded, 1)))
        assert again.labels == decoded.labels
        assert again.rows == decoded.rows
        assert [one.to_pylist() for one in again.arrays] == [
            one.to_pylist() for one in decoded.arrays
        ]


# -- recording -------------------------------------------------------------------------------------


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
    with pytest.raises(BadRecording, match="is there already"):
        Recorder(path)
    with pytest.raises(BadRecording, match="there is no folder"):
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


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan, -1.0, 1e12, 1e300])
@pytest.mark.parametrize("close", [True, False])
def test_times_that_no_clock_tells_are_refused(path: Path, wrong: float, close: bool) -> None:
    writer = TapeWriter(path, "orders")
    for number in range(9):
        data = body(number)
        writer.add(wrong if number == 5 else 1000.0 + number, header(number, len(data)), data)
    if close:
        writer.close()
    with pytest.raises(BadTape, match="can't be played: frame 5 has the time"):
        TapeReader(path)


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


def test_long_tapes_are_opened_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "long.tape"
    frame = Encoder()(capture(pd.DataFrame(np.random.default_rng(1).random((2000, 50))))).data
    writer = TapeWriter(path, "orders")
    for number in range(100):
        writer.add(float(number), header(number, len(frame)), frame)
    writer.close()
    assert writer.bytes > 50 << 20
    read = 0

    class Counting:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def read(self, count: int = -1) -> bytes:
            nonlocal read
            data: bytes = self._file.read(count)
            read += len(data)
            return data

    class Opened(type(path)):  # type: ignore[misc]
        def open(self, *arguments: Any, **more: Any) -> Any:
            return Counting(super().open(*arguments, **more))

    reader = TapeReader(Opened(path))
    assert len(reader) == 100
    assert reader.number_at(50.5) == 50
    assert read < 1 << 20
    reader.frame(50)
    assert read < 3 << 20
    reader.close()
