"""livetable.feed.sources.stdin: what comes in a pipe is shown as it comes, and its end is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.sources import stdin
from tests.feed.sources.running import running
from tests.waiting import wait_for

TABLE = pa.table({"id": [1, 2], "x": ["a", None]})


@pytest.fixture
def pipe() -> Iterator[tuple[int, Callable[[bytes], object]]]:
    """Give the end that is read, and what writes to the other; no bytes close it."""
    reading, writing = os.pipe()
    open_ones = {reading, writing}

    def write(data: bytes) -> None:
        if data:
            os.write(writing, data)
        else:
            os.close(writing)
            open_ones.discard(writing)

    yield reading, write
    for one in open_ones:
        os.close(one)


def stream(*tables: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, tables[0].schema) as writer:
        for one in tables:
            writer.write_table(one)
    return bytes(sink.getvalue())


Pipe = tuple[int, Callable[[bytes], object]]


def test_rows_are_shown_as_they_come(pipe: Pipe) -> None:
    reading, write = pipe
    with running(stdin, data=reading) as table:
        write(b"a,b\n1,x\n")
        wait_for(lambda: table.rows == [{"a": 1, "b": "x"}])
        write(b"2,")
        write(b"y\n")
        wait_for(lambda: [row["b"] for row in table.rows] == ["x", "y"])
        assert not table.ended
        write(b"")
        wait_for(lambda: table.ended)


@pytest.mark.parametrize("key", [None, "id"])
def test_an_arrow_stream_is_read_batch_by_batch(pipe: Pipe, key: str | None) -> None:
    reading, write = pipe
    data = stream(TABLE, TABLE.slice(1))
    with running(stdin, data=reading, key=key) as table:
        cut = data.rindex(b"\xff\xff\xff\xff", 0, -8)  # before the last batch
        for at in range(0, cut, 7):
            write(data[at : min(cut, at + 7)])
        wait_for(lambda: len(table.rows) == 2)
        write(data[cut:])
        write(b"")
        wait_for(lambda: table.ended)
        assert [row["id"] for row in table.rows] == ([1, 2] if key else [1, 2, 2])


def test_an_arrow_stream_without_rows_has_its_columns(pipe: Pipe) -> None:
    reading, write = pipe
    write(stream(TABLE.slice(0, 0)))
    write(b"")
    with running(stdin, data=reading) as table:
        wait_for(lambda: table.ended)
        assert table.publisher.shape == (0, 2)


def test_a_whole_file_may_come_in_a_pipe(pipe: Pipe, tmp_path: Path) -> None:
    reading, write = pipe
    TABLE.to_pandas().to_parquet(tmp_path / "x.parquet")
    write((tmp_path / "x.parquet").read_bytes())
    write(b"")
    with running(stdin, data=reading) as table:
        wait_for(lambda: table.ended)
        assert table.rows == TABLE.to_pylist()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "standard input ended without a row"),
        (
            stream(TABLE)[:-60],
            "can't continue reading standard input: the Arrow stream is incomplete",
        ),
        (b"PAR1 and no more of it", "can't continue reading standard input"),
        (b'{"a": 1}\n{"a"', None),
    ],
    ids=["nothing", "half a stream", "half a file", "half a line"],
)
def test_what_ends_too_early_is_told(pipe: Pipe, data: bytes, says: str | None) -> None:
    reading, write = pipe
    if data:
        write(data)
    write(b"")
    with running(stdin, data=reading) as table:
        if says is None:
            wait_for(lambda: table.ended)
            assert table.rows == [{"a": 1}]
            assert table.publisher._state._source.unreadable == 1
        else:
            failure = wait_for(lambda: table.failure or "")
            assert failure.startswith(says)
            assert "\n" not in failure


def test_a_named_pipe_waits_for_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = stdin.open_pipe(path)  # nobody is there yet
    assert os.get_blocking(reading)
    with running(stdin, data=reading) as table:
        with path.open("wb") as writer:
            writer.write(b"a,b\n1,2\n")
        wait_for(lambda: table.ended)
        assert table.rows == [{"a": 1, "b": 2}]
    os.close(reading)


def test_all_there_is_to_read_comes_at_once(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    monkeypatch.setattr(stdin, "_PIECE", 10)
    reading, write = pipe
    write(b"x" * 4)
    assert stdin.read_ready(reading) == b"xxxx"
    write(b"y" * 25)
    write(b"")
    pieces: list[Any] = []
    while data := stdin.read_ready(reading):
        pieces.append(data)
    assert b"".join(pieces) == b"y" * 25
    assert len(pieces[0]) == 10
