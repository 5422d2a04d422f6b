"""livetable.feed.sources.files and lines: files that are rewritten, added to, torn, gone."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed import Publisher
from livetable.feed.local.watch import changes_in
from livetable.feed.protocol.source_status import NO_SOURCE, SourceStatus
from livetable.feed.sources import files
from livetable.feed.sources import followed as module
from livetable.feed.sources.file_types import is_folder
from livetable.feed.sources.followed import FollowedLines
from livetable.feed.sources.lines import Lines, OtherTypes
from livetable.feed.sources.registry import find_source
from tests.waiting import wait_for

Rows = list[dict[str, Any]]


class Followed:
    """A file that is followed by a source in a thread."""

    def __init__(self, path: Path, **more: Any) -> None:
        defaults: dict[str, Any] = {
            "source": str(path),
            "sep": None,
            "encoding": "utf-8",
            "key": None,
        }
        self.options = argparse.Namespace(**defaults | more)
        self.publisher = Publisher("file", key=self.options.key)
        self.stop = threading.Event()
        self.problems: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            files.run(self.options, self.publisher, self.stop)
        except BaseException as error:
            self.problems.append(error)

    @property
    def rows(self) -> Rows:
        state = self.publisher._state
        snapshot = state.since(None)
        if snapshot is None:
            return []
        with pa.ipc.open_stream(snapshot.body.data) as stream:
            rows: Rows = stream.read_all().to_pylist()
            return rows

    def column(self, name: str) -> list[Any]:
        with pa.ipc.open_stream(pa.py_buffer(self.publisher.snapshot())) as stream:
            values: list[Any] = stream.read_all().column(name).to_numpy().tolist()
            return values

    @property
    def note(self) -> str | None:
        return self.publisher._state.note

    @property
    def source(self) -> SourceStatus:
        return self.publisher._state._source

    def close(self) -> None:
        self.stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.publisher.close()
        assert not self.problems, self.problems


@contextmanager
def followed(path: Path, **more: Any) -> Iterator[Followed]:
    one = Followed(path, **more)
    try:
        yield one
    finally:
        one.close()


FRAME = pd.DataFrame({"id": [1, 2], "x": [0.5, 1.5], "s": ["a", "b"]})
ROWS = FRAME.to_dict("records")
WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "t.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "t.ndjson": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "t.json": lambda frame, path: frame.to_json(path, orient="records"),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.feather": lambda frame, path: frame.to_feather(path),
    "t.arrow": lambda frame, path: frame.to_feather(path, compression="uncompressed"),
    "t.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "t.JSONL.gz": lambda frame, path: path.write_bytes(
        gzip.compress(frame.to_json(orient="records", lines=True).encode())
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_are_read_and_read_again(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](FRAME, path)
    with followed(path) as file:
        wait_for(lambda: file.rows == ROWS)
        (tmp_path / "other").touch()  # not ours
        WRITERS[name](FRAME.assign(x=[7.5, 8.5]), path)
        wait_for(lambda: [row["x"] for row in file.rows] == [7.5, 8.5])
        path.unlink()
        wait_for(lambda: file.note == f"{name}: No such file or directory")
        assert len(file.rows) == 2  # the last good table stays
        WRITERS[name](FRAME, path)
        wait_for(lambda: file.rows == ROWS)
        wait_for(lambda: file.note is None)
    assert find_source(str(path)) is not None


@pytest.mark.parametrize("name", ["t.feather", "t.parquet", "t.json", "t.csv.gz", "t.arrow"])
def test_half_a_file_never_shows(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](FRAME, path)
    data = path.read_bytes()
    with followed(path) as file:
        wait_for(lambda: file.rows == ROWS)
        path.write_bytes(data[: len(data) * 2 // 3])
        wait_for(lambda: file.note is not None and file.note.startswith(f"{name}: "))
        assert file.rows == ROWS
        path.write_bytes(b"")
        wait_for(lambda: file.note == f"{name}: is empty")
        path.write_bytes(data)
        wait_for(lambda: file.note is None)
        assert file.rows == ROWS


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("at,x\n1,0.5\n")
    with followed(path) as file:
        wait_for(lambda: file.rows == [{"at": 1, "x": 0.5}])
        with path.open("a") as log:
            log.write("2,1.5\n3,")
            log.flush()
            wait_for(lambda: len(file.rows) == 2)
            state = file.publisher._state.newest.table
            log.write("2.5\n")
            log.flush()
            wait_for(lambda: [row["x"] for row in file.rows] == [0.5, 1.5, 2.5])
            assert file.publisher._state.newest.table is state  # it was added to
        path.write_text("at,x\n9,9.5\n")  # truncated
        wait_for(lambda: file.rows == [{"at": 9, "x": 9.5}])
        rotated = tmp_path / "log.csv.1"
        path.rename(rotated)
        path.write_text("at,x\n10,1\n11,2\n12,3\n")
        wait_for(lambda: [row["at"] for row in file.rows] == [10, 11, 12])
        new = tmp_path / "new"
        new.write_text("other,columns\na,b\n")
        new.rename(path)
        wait_for(lambda: file.rows == [{"other": "a", "columns": "b"}])


def test_a_longer_file_with_another_beginning_is_another_file(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a\n1\n2\n")
    with followed(path) as file:
        wait_for(lambda: len(file.rows) == 2)
        with path.open("r+") as log:
            log.write("a\n5\n6\n7\n")
        wait_for(lambda: [row["a"] for row in file.rows] == [5, 6, 7])


def test_types_grow_wider(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a,b,c\n1,7,\n")
    with followed(path) as file:
        wait_for(lambda: file.rows == [{"a": 1, "b": 7, "c": None}])
        with path.open("a") as log:
            log.write("2.5,x,3\n")
        wait_for(lambda: len(file.rows) == 2)
        assert file.rows == [
            {"a": 1.0, "b": "7", "c": None}, {"a": 2.5, "b": "x", "c": 3}
        ]  # fmt: skip


def test_rows_by_key(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": 1, "x": 5}\n{"id": 2, "x": 6}\n')
    with followed(path, key="id") as file:
        wait_for(lambda: len(file.rows) == 2)
        with path.open("a") as log:
            log.write('{"id": 1, "x": 7}\n')
        wait_for(lambda: file.rows == [{"id": 1, "x": 7}, {"id": 2, "x": 6}])


def test_lines_that_are_no_table_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n")
    with followed(path) as file:
        wait_for(lambda: file.rows)
        with path.open("a") as log:
            log.write("1,2,3,4\n")
        wait_for(lambda: file.source.unreadable == 1)
        assert file.source.lines == ((3, "1,2,3,4", "has 4 values, not 2"),)
        assert len(file.rows) == 1
        with path.open("a") as log:
            log.write("5,6\n")
        wait_for(lambda: len(file.rows) == 2)
        path.write_text("a,b\n1,2\n3,4\n")
        wait_for(lambda: [row["a"] for row in file.rows] == [1, 3])
        wait_for(lambda: file.source == NO_SOURCE)


def test_a_separator_and_an_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("name;x\nJosé;1\n".encode("latin-1"))
    with followed(path, sep=";", encoding="latin-1") as file:
        wait_for(lambda: file.rows == [{"name": "José", "x": 1}])


def test_a_long_file_is_seen_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.csv"
    line = "12345,0.25,some text that is a little longer\n"
    path.write_text("a,b,c\n" + line * 400_000)
    go_on = threading.Event()
    put = FollowedLines._put
    told: list[SourceStatus] = []

    def wait(self: Any, table: pa.Table) -> None:
        put(self, table)
        told.append(self._publisher._state._source)
        assert go_on.wait(20)

    monkeypatch.setattr(module, "PIECE", 4 << 20)
    monkeypatch.setattr(FollowedLines, "_put", wait)
    with followed(path) as file:
        wait_for(lambda: told)
        assert 10_000 < len(file.rows) < 100_000
        go_on.set()
        wait_for(lambda: file.publisher._state.shape[0] == 400_000)
        assert all(one.reading is not None and 0 <= one.reading < 1 for one in told)
        wait_for(lambda: file.source == NO_SOURCE)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    options = argparse.Namespace(source=str(tmp_path / "no/t.csv"), sep=None, encoding="utf-8")
    with (
        Publisher("file") as publisher,
        pytest.raises(module.BadFile, match="there is no folder"),
    ):
        files.run(options, publisher, threading.Event())


REWRITER = """
import sys, time, pandas as pd
path, seconds = sys.argv[1], float(sys.argv[2])
began, n = time.time(), 0
while time.time() - began < seconds:
    n += 1
    x = [n * 1000 + at for at in range(2000)]
    pd.DataFrame({"x": x, "n": n, "sum": sum(x)}).to_feather(path)
print(n)
"""


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(60, marks=[pytest.mark.long, pytest.mark.timeout(120)])]
)
def test_a_file_that_is_rewritten_as_fast_as_can_be(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "t.feather"
    FRAME.to_feather(path)
    with followed(path) as file:
        shown: list[int] = []
        send = file.publisher.send

        def check(frame: Any) -> None:
            columns = frame.to_pydict()
            if "n" in columns:
                assert len(set(columns["n"])) == 1
                assert columns["sum"][0] == sum(columns["x"])
                shown.append(columns["n"][0])
            send(frame)

        file.publisher.send = check  # type: ignore[method-assign]
        writer = subprocess.run(
            [sys.executable, "-c", REWRITER, str(path), str(seconds)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        began = time.monotonic()
        last = int(writer.stdout)
        wait_for(lambda: shown and shown[-1] == last)
        assert time.monotonic() - began < 5  # promised: half a second; the machine may be busy
        assert shown == sorted(set(shown))
        assert len(shown) > 3
        wait_for(lambda: file.note is None)


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(1, 60))
def test_text_in_any_pieces(texts: list[bytes], piece: int) -> None:
    rows = [json.dumps({"a": at, "s": repr(text)}) for at, text in enumerate(texts)]
    data = ("\n".join(rows) + "\n").encode() if rows else b""
    lines = Lines("jsonl")
    found: Rows = []
    for start in range(0, len(data), piece):
        table = lines.add(data[start : start + piece])
        found += table.to_pylist() if table is not None else []
    assert found == [json.loads(row) for row in rows]


def test_line_breaks_between_quotes() -> None:
    lines = Lines("csv")
    assert lines.add(b'a,b\n1,"x\n') is None
    table = lines.add(b'y"\n2,z\n3')
    assert table is not None
    assert table.to_pydict() == {"a": [1, 2], "b": ["x\ny", "z"]}
    table = lines.add(b",w", last=True)
    assert table is not None
    assert table.to_pydict() == {"a": [3], "b": ["w"]}
    with pytest.raises(OtherTypes) as error:
        lines.add(b"x,1\n")
    assert [kind.type for kind in error.value.known] == [pa.string(), pa.string()]


def test_a_name_with_brackets_is_a_file_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "sales[1].csv"
    assert is_folder(str(file))
    file.write_text("a\n1\n")
    assert not is_folder(str(file))


def test_changes_beside_a_file_whose_name_is_no_text(tmp_path: Path) -> None:
    stop = threading.Event()
    seen: list[frozenset[str] | None] = []

    def watch() -> None:
        for told in changes_in([str(tmp_path)], stop):
            seen.append(told)

    worker = threading.Thread(target=watch)
    worker.start()
    wait_for(lambda: seen, what="the start")
    for _ in range(3):
        before = len(seen)
        with open(os.fsencode(tmp_path) + b"/bad\xff.csv", "ab") as file:
            file.write(b"x")
        wait_for(lambda before=before: len(seen) > before, what="a change")  # type: ignore[misc]
    good = tmp_path / "good.csv"
    good.write_text("x")
    wait_for(lambda: any(told and str(good) in told for told in seen), what="the good one")
    stop.set()
    worker.join(10)
    assert not worker.is_alive()


def test_a_line_without_an_end_is_a_row_that_may_change(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n3,4")
    with followed(path) as file:
        wait_for(lambda: file.source.unfinished == 1)
        assert file.rows == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
        wait_for(lambda: not file.source.settling)
        with path.open("a") as log:
            log.write("5\n6,7\n")
        wait_for(lambda: [row["b"] for row in file.rows] == [2, 45, 7])
        wait_for(lambda: file.source == NO_SOURCE)
        with path.open("a") as log:
            log.write("8")
        wait_for(lambda: file.source.unreadable == 1)
        assert file.source.lines == ((5, "8", "does not end, and is no whole row"),)
        with path.open("a") as log:
            log.write(",9\n")
        wait_for(lambda: [row["b"] for row in file.rows] == [2, 45, 7, 9])
        wait_for(lambda: file.source == NO_SOURCE)


def test_half_a_row_of_a_key_gives_the_row_back(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,x\n1,5\n12,6\n1,7")
    with followed(path, key="id") as file:
        wait_for(lambda: file.source.unfinished == 0)
        assert file.rows == [{"id": 1, "x": 7}, {"id": 12, "x": 6}]
        with path.open("r+") as log:
            log.seek(0, os.SEEK_END)
            log.write("8\n12,9\n")
        wait_for(lambda: file.rows == [{"id": 1, "x": 78}, {"id": 12, "x": 9}])
    path.write_text("id,x\n1,5\n1")
    with followed(path, key="id") as file:
        wait_for(lambda: file.source.unreadable == 1)
        assert file.rows == [{"id": 1, "x": 5}]
        with path.open("a") as log:
            log.write("2,6\n")
        wait_for(lambda: file.rows == [{"id": 1, "x": 5}, {"id": 12, "x": 6}])


def test_one_unfinished_line_is_all_there_is(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": 1}')
    with followed(path) as file:
        wait_for(lambda: file.source.unfinished == 0)
        assert file.rows == [{"a": 1}]
        with path.open("a") as log:
            log.write('\n{"a": 2}\n')
        wait_for(lambda: file.rows == [{"a": 1}, {"a": 2}])
        assert file.source.unfinished is None
    path = tmp_path / "head.csv"
    path.write_text("a,b")
    with followed(path) as file:
        wait_for(lambda: file.publisher.shape == (0, 2))


def test_a_quote_that_nothing_closes(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('a,b\n1,"open\n2,x\n')
    with followed(path) as file:
        wait_for(lambda: file.rows == [{"a": 1, "b": '"open'}, {"a": 2, "b": "x"}])
        wait_for(lambda: file.note is not None and "never closed" in file.note)
        with path.open("a") as log:
            log.write('y"\n3,z\n')
        wait_for(lambda: [row["a"] for row in file.rows] == [1, 3])
        assert file.rows[0]["b"] == "open\n2,x\ny"


def test_a_file_that_is_emptied_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n")
    with followed(path) as file:
        wait_for(lambda: file.rows)
        path.write_text("")
        wait_for(lambda: file.publisher.shape == (0, 2))
        wait_for(lambda: file.note == "log.csv: is empty")
        path.write_text("a,b\n5,6\n")
        wait_for(lambda: file.rows == [{"a": 5, "b": 6}])
        wait_for(lambda: file.note is None)


def test_a_byte_in_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1 << 20)
    monkeypatch.setattr(module, "_SLICE", 0.0)
    monkeypatch.setattr("livetable.feed.sources.blocks.SAMPLES", 2)
    path = tmp_path / "large.csv"
    path.write_text("a,b\n" + "10,20\n" * 400_000)
    told: list[bool] = []
    with followed(path) as file:
        put = file.publisher._state.set_source

        def seen(**changes: Any) -> bool:
            told.append(bool(changes.get("checking")))
            return put(**changes)

        monkeypatch.setattr(file.publisher._state, "set_source", seen)
        wait_for(lambda: file.publisher.shape[0] == 400_000)
        wait_for(lambda: file.source == NO_SOURCE)
        told_at = path.stat()
        with path.open("r+b") as change:  # nothing that `stat` says differs
            change.seek(1_300_006)
            change.write(path.read_bytes()[1_300_006:1_300_012].replace(b"20", b"99"))
        os.utime(path, ns=(told_at.st_atime_ns, told_at.st_mtime_ns))
        wait_for(lambda: file.column("b").count(99) == 1)
        assert any(told)
        wait_for(lambda: file.source == NO_SOURCE)


def test_a_file_that_only_grows_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a\n1\n2\n")
    with followed(path, append_only=True) as file:
        wait_for(lambda: len(file.rows) == 2)
        with path.open("r+") as log:
            log.write("a\n5\n2\n3\n")
        wait_for(lambda: [row["a"] for row in file.rows] == [1, 2, 3])


def test_a_named_pipe_with_a_files_name(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with followed(path, limit=None) as file:
        with path.open("w") as writer:
            writer.write("a,b\n1,2\n")
        wait_for(lambda: file.rows == [{"a": 1, "b": 2}])
        wait_for(lambda: file.publisher._state.ended)


def test_types_that_half_a_line_widened_are_found_out_again(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a\n1\n2\n1e")
    with followed(path) as file:
        wait_for(lambda: [row["a"] for row in file.rows] == ["1", "2", "1e"])
        with path.open("a") as log:
            log.write("3\n")
        wait_for(lambda: [row["a"] for row in file.rows] == [1.0, 2.0, 1000.0])


def test_where_no_more_is_told_of_events_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchfiles import _rust_notify

    real = _rust_notify.RustNotify

    def notify(places: list[str], debug: bool, polls: bool, *more: Any) -> Any:
        if not polls:  # as the 129th of a user's
            raise _rust_notify.WatchfilesRustInternalError("Too many open files (os error 24)")
        return real(places, debug, polls, *more)

    monkeypatch.setattr(_rust_notify, "RustNotify", notify)
    stop = threading.Event()
    told = changes_in([str(tmp_path)], stop)
    assert next(told) is None
    (tmp_path / "new.csv").write_text("a\n1\n")
    assert next(told) == frozenset({str(tmp_path / "new.csv")})
    stop.set()
    told.close()
