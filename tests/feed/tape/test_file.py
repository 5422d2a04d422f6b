"""livetable.feed.tape.file: what was recorded comes back, whatever happened to the file."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.tape import file as file_module
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.writer import TapeWriter
from tests.feed.tape.tapes import body, check, header, write


@pytest.fixture(params=[1 << 20, 2000])
def path(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path for a tape: one with a single index, and one with many."""
    monkeypatch.setattr(file_module, "INDEX_BYTES", request.param)
    return tmp_path / "day.tape"


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
    with pytest.raises(BadTape, match="is not a livetable tape"):
        TapeReader(path)
    schema = file_module.SCHEMA.with_metadata({file_module.METADATA: b'{"version": 99}'})
    path.write_bytes(schema.serialize().to_pybytes())
    with pytest.raises(BadTape, match="a tape of version 99"):
        TapeReader(path)
    write(tmp_path / "empty.tape", 0)
    with pytest.raises(BadTape, match="no frame yet"):
        TapeReader(tmp_path / "empty.tape")


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan, -1.0, 1e12, 1e300])
@pytest.mark.parametrize("close", [True, False])
def test_times_that_no_clock_tells_are_refused(path: Path, wrong: float, close: bool) -> None:
    writer = TapeWriter(path, "orders")
    for number in range(9):
        data = body(number)
        writer.add(wrong if number == 5 else 1000.0 + number, header(number, len(data)), data)
    if close:
        writer.close()
    with pytest.raises(BadTape, match=r"can't play .*: frame 5 has the time"):
        TapeReader(path)


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
