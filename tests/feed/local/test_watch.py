"""feed.local.watch: changes in folders, also where the system has no watch left to give."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from watchfiles import _rust_notify

from livetable.feed.local.watch import changes_in


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
