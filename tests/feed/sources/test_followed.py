"""livetable.feed.sources.followed: a file of lines is read on, and looked at again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.protocol.source_status import NO_SOURCE, SourceStatus
from livetable.feed.sources import file_checker
from livetable.feed.sources import followed as module
from livetable.feed.sources.followed import FollowedLines
from tests.feed.sources.following import followed
from tests.waiting import wait_for


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
        assert file.source.lines == ((5, "8", "does not end, and is not a whole row"),)
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
    monkeypatch.setattr(file_checker, "AT_ONCE", 1 << 20)
    monkeypatch.setattr(file_checker, "_SLICE", 0.0)
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


def test_types_that_half_a_line_widened_are_found_out_again(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("a\n1\n2\n1e")
    with followed(path) as file:
        wait_for(lambda: [row["a"] for row in file.rows] == ["1", "2", "1e"])
        with path.open("a") as log:
            log.write("3\n")
        wait_for(lambda: [row["a"] for row in file.rows] == [1.0, 2.0, 1000.0])
