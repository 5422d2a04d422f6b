"""livetable.feed.sources.file_checker: whether what was read of a file is still there."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.sources import file_checker
from livetable.feed.sources.blocks import BLOCK, Blocks
from livetable.feed.sources.file_checker import FileChecker, is_settled, signature

LONG_AGO = 1_000_000_000_000_000_000


class Watched:
    """A file that was read whole, and what looks at it."""

    def __init__(self, path: Path, blocks: int) -> None:
        self.path = path
        path.write_bytes(os.urandom(BLOCK * blocks))
        self.checker = FileChecker()
        self.now = 100.0
        self.age()
        read = Blocks()
        read.add(path.read_bytes())
        self.checker.begin(read)

    def age(self) -> None:
        """Have the file look as if it was written long ago; its ctime can't be set."""
        os.utime(self.path, ns=(LONG_AGO, LONG_AGO))

    def look(self, later: float = 10.0) -> bool:
        self.now += later
        with self.path.open("rb") as file:
            assert isinstance(file, io.BufferedReader)
            return self.checker.look(file, os.fstat(file.fileno()), self.now)

    def change(self, offset: int) -> None:
        with self.path.open("r+b") as file:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 1]))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Say whether a write was long ago: a real one would have to be waited for."""
    answers = [True]
    monkeypatch.setattr(file_checker, "is_settled", lambda status: answers[0])
    return answers


def test_a_byte_that_differs_is_seen(tmp_path: Path, settled: list[bool]) -> None:
    file = Watched(tmp_path / "x", 3)
    assert file.look()
    assert file.checker.due is None
    assert not file.checker.is_checking
    file.change(BLOCK + 5)
    assert not file.look()


def test_what_stands_is_not_looked_at_again(
    tmp_path: Path, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Watched(tmp_path / "x", 1)
    assert file.look()
    monkeypatch.setattr(Blocks, "holds", lambda *_: pytest.fail("it was looked at again"))
    assert file.look()


def test_a_write_of_this_very_moment_is_looked_at_again(
    tmp_path: Path, settled: list[bool]
) -> None:
    file = Watched(tmp_path / "x", 1)
    settled[0] = False
    assert file.look()
    assert file.checker.due is not None
    assert file.checker.due > file.now
    assert file.look(0.0)  # too early: only when it is due
    settled[0] = True
    assert file.look()
    assert file.checker.due is None


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_large_file_is_looked_at_bit_by_bit(
    is_settled: bool, tmp_path: Path, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_checker, "AT_ONCE", BLOCK)
    monkeypatch.setattr(file_checker, "_SLICE", -1.0)
    file = Watched(tmp_path / "x", 4)
    settled[0] = is_settled
    looks = 0
    assert file.look()
    while file.checker.is_checking:
        assert file.checker.due is not None
        assert file.look()
        looks += 1
    assert looks == 3  # one block each time
    assert (file.checker.due is None) == is_settled


def test_a_change_behind_the_samples_is_seen_once_all_was_looked_at(
    tmp_path: Path, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_checker, "AT_ONCE", BLOCK)
    monkeypatch.setattr(file_checker, "_SLICE", -1.0)
    file = Watched(tmp_path / "x", 4)
    samples: list[int] = []
    monkeypatch.setattr(Blocks, "samples", lambda self: samples)
    assert file.look()
    file.change(5)
    file.age()
    answers = [file.look()]
    while answers[-1] and file.checker.is_checking:
        answers.append(file.look())
    assert answers[-1] is False
    file = Watched(tmp_path / "y", 4)
    file.change(5)
    samples.append(0)
    assert not file.look()  # among the samples at once


def test_a_file_that_changes_meanwhile_is_looked_at_once_more(
    tmp_path: Path, settled: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_checker, "AT_ONCE", BLOCK)
    monkeypatch.setattr(file_checker, "_SLICE", -1.0)
    file = Watched(tmp_path / "x", 2)
    assert file.look()
    with file.path.open("ab") as more:
        more.write(b"more")
    assert file.look()
    assert not file.checker.is_checking
    assert file.checker.due is not None  # it has to be gone through from the beginning


def test_the_signature_tells_writes_apart(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a")
    before = path.stat()
    assert not is_settled(before)
    path.write_text("ab")
    assert signature(path.stat()) != signature(before)

    class Old:
        st_mtime_ns = st_ctime_ns = LONG_AGO

    old: Any = Old()
    assert is_settled(old)
