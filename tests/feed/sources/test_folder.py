"""livetable.feed.sources.folder: the newest file of a folder, or each of them, is published."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livetable.feed import NameTaken, Publisher
from livetable.feed.local import directory
from livetable.feed.sources import folder
from livetable.feed.sources.folder import BadFolder, files_in, parted
from tests.feed.sources.published import Published
from tests.feed.sources.running import running
from tests.waiting import wait_for


def put(path: Path, value: int, when: float) -> None:
    """Write a table in one step, as of a time."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(f"a,b\n{value},x\n")
    os.utime(new, (when, when))
    new.rename(path)


def test_a_folder_and_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parted(str(tmp_path)) == (tmp_path, "*")
    assert parted(f"{tmp_path}/*.csv") == (tmp_path, "*.csv")
    monkeypatch.chdir(tmp_path)
    assert parted("*.csv") == (tmp_path, "*.csv")
    with pytest.raises(BadFolder, match=r"put the pattern in the last part, e\.g\. logs/\*\.csv"):
        parted(f"{tmp_path}/*/x.csv")
    with pytest.raises(BadFolder, match="no folder"):
        parted(f"{tmp_path}/none/*.csv")


def test_files_that_can_be_tables_the_newest_first(tmp_path: Path) -> None:
    for at, name in enumerate(["b.csv", "a.csv.gz", "c.txt", ".hidden.csv", "d.csv"]):
        put(tmp_path / name, at, 1000.0 + at)
    put(tmp_path / "e.csv", 9, 1000.0)  # of files of one time the last by name
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "nowhere.csv").symlink_to(tmp_path / "none")
    names = [path.name for path in files_in(tmp_path, "*")]
    assert names == ["d.csv", "a.csv.gz", "e.csv", "b.csv"]
    assert [path.name for path in files_in(tmp_path, "*.gz")] == ["a.csv.gz"]
    assert files_in(tmp_path / "none", "*") == []


def test_another_file_takes_over_once_it_is_newer(tmp_path: Path) -> None:
    with running(folder, source=f"{tmp_path}/*.csv") as table:
        wait_for(lambda: table.note)
        assert table.note == f"no file {tmp_path.name}/*.csv yet: waiting for one"
        put(tmp_path / "one.csv", 1, 1000.0)
        wait_for(lambda: table.rows == [{"a": 1, "b": "x"}])
        put(tmp_path / "two.csv", 2, 2000.0)
        wait_for(lambda: table.rows == [{"a": 2, "b": "x"}])
        put(tmp_path / "old.csv", 3, 500.0)
        put(tmp_path / "two.csv", 4, 2001.0)
        wait_for(lambda: table.rows == [{"a": 4, "b": "x"}])
        assert not table.problems


def test_a_link_to_a_file_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "logs").mkdir()
    put(tmp_path / "elsewhere/x.csv", 1, 1000.0)
    (tmp_path / "logs/x.csv").symlink_to(tmp_path / "elsewhere/x.csv")
    with running(folder, source=f"{tmp_path}/logs/") as table:
        wait_for(lambda: table.rows == [{"a": 1, "b": "x"}])
        put(tmp_path / "elsewhere/x.csv", 2, 2000.0)
        wait_for(lambda: table.rows == [{"a": 2, "b": "x"}])


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with running(folder, source=f"{tmp_path}/none/*.csv") as table:
        (problem,) = wait_for(lambda: table.problems)
        assert isinstance(problem, BadFolder)


@pytest.fixture
def each(tmp_path: Path) -> Callable[..., tuple[threading.Thread, threading.Event, list[str]]]:
    """Return what publishes each file of the folder, in a thread."""

    def begin(taken: str = "") -> tuple[threading.Thread, threading.Event, list[str]]:
        class Refusing(Published):
            def __call__(self, name: str, **more: Any) -> Publisher:
                if name == taken:
                    raise NameTaken(name, 1)
                return super().__call__(name, **more)

        publish = Refusing()
        options = folder.Options(source=f"{tmp_path}/", each=True)
        stop = threading.Event()
        thread = threading.Thread(target=folder.run, args=(options, publish, stop), daemon=True)
        thread.start()
        wait_for(lambda: publish.said)
        return thread, stop, publish.said

    return begin


def test_each_file_is_a_table_until_it_ends(tmp_path: Path, each: Callable[..., Any]) -> None:
    put(tmp_path / "one.csv", 1, 1000.0)
    put(tmp_path / "two.csv", 2, 1000.0)
    thread, stop, said = each()
    try:
        assert said == [f"publishing 2 files of {tmp_path}"]
        assert directory.find("one.csv")
        assert directory.find("two.csv")
        put(tmp_path / "three.csv", 3, 1000.0)
        wait_for(lambda: directory.find("three.csv"))
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert directory.entries() == []


def test_a_file_whose_name_is_taken_is_left_out(tmp_path: Path, each: Callable[..., Any]) -> None:
    put(tmp_path / "one.csv", 1, 1000.0)
    put(tmp_path / "two.csv", 2, 1000.0)
    thread, stop, said = each("one.csv")
    try:
        assert said == [f"publishing 1 file of {tmp_path}"]
        assert [entry.name for entry in directory.entries()] == ["two.csv"]
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def test_of_too_many_files_the_newest_are_tables(
    tmp_path: Path, each: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST", 2)
    for at in range(4):
        put(tmp_path / f"{at}.csv", at, 1000.0 + at)
    thread, stop, _ = each()
    try:
        assert sorted(entry.name for entry in directory.entries()) == ["2.csv", "3.csv"]
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
