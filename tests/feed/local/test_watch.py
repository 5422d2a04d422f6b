"""feed.local.watch: changes in folders, also where the system has no watch left to give."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from watchfiles import _rust_notify

from livetable.feed.local.watch import changes_in
from tests.waiting import wait_for


def test_changes_are_seen_without_a_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Any = _rust_notify.RustNotify
    made = []

    def exhausted(places: list[str], debug: bool, polling: bool, *more: Any) -> Any:
        made.append(polling)
        if not polling:
            raise _rust_notify.WatchfilesRustInternalError("Too many open files (os error 24)")
        return real(places, debug, polling, *more)

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
    assert made == [False, True]


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
