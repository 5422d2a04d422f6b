"""feed.local.watch: changes in folders, also where the system has no watch left to give."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from watchfiles import _rust_notify

from livetable.feed.local import watch
from livetable.feed.local.watch import changes_in
from tests.waiting import wait_for


def test_changes_are_seen_without_a_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def exhausted(*_: Any) -> Any:
        made.append(1)
        raise _rust_notify.WatchfilesRustInternalError("Too many open files (os error 24)")

    monkeypatch.setattr(_rust_notify, "RustNotify", exhausted)
    stop = threading.Event()
    changes = changes_in([str(tmp_path)], stop)
    try:
        assert next(changes) is None
        path = tmp_path / "t.csv"
        threading.Timer(0.05, path.write_text, ["a"]).start()
        assert str(path) in (next(changes) or ())
        threading.Timer(0.05, path.unlink).start()
        assert str(path) in (next(changes) or ())
    finally:
        stop.set()
        changes.close()
    assert made == [1]  # asked for once, not at each look


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


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no watch left to give."""

    def exhausted(*_: Any) -> Any:
        raise _rust_notify.WatchfilesRustInternalError("Too many open files (os error 24)")

    monkeypatch.setattr(_rust_notify, "RustNotify", exhausted)
    monkeypatch.setattr(watch, "_LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("looking")
def test_changes_within_one_second_are_seen_without_a_watch(tmp_path: Path) -> None:
    path, stop = tmp_path / "t.csv", threading.Event()
    path.write_text("a\n")
    with closing(changes_in([str(tmp_path)], stop)) as changes:
        assert next(changes) is None
        began = time.monotonic()
        for _ in range(20):
            with path.open("a") as file:
                file.write("1\n")
            assert next(changes) == frozenset({str(path)})
            os.utime(path, ns=(1, path.stat().st_mtime_ns - 1))  # back by less than a microsecond
            assert next(changes) == frozenset({str(path)})
        assert time.monotonic() - began < 20


@pytest.mark.usefixtures("looking")
def test_what_comes_goes_and_is_exchanged_without_a_watch(tmp_path: Path) -> None:
    folder, stop = tmp_path / "out", threading.Event()
    with pytest.raises(FileNotFoundError):
        next(changes_in([str(folder)], stop))
    folder.mkdir()
    new, old = folder / "new", folder / "old"
    with closing(changes_in([str(folder)], stop, lambda: 0.05)) as changes:
        assert next(changes) is None
        assert next(changes) == frozenset()  # nothing, for as long as the patience
        new.write_text("x")
        assert next(changes) == frozenset({str(new)})
        new.rename(old)
        assert next(changes) == frozenset({str(new), str(old)})
        old.unlink()
        assert next(changes) == frozenset({str(old)})
        folder.rename(tmp_path / "away")
        assert next(changes) == frozenset({str(folder)})
        folder.mkdir()
        assert str(folder) in (next(changes) or ())
        stop.set()
        assert list(changes) == []
