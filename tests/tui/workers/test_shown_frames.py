"""tui.workers.shown_frames: the newest frame becomes a table, off the thread that shows it."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

from livetable.tui.model.feed_state import Link
from livetable.tui.workers.shown_frames import ShownFrames
from tests.waiting import wait_for


def test_of_frames_that_come_faster_than_they_are_taken_the_newest_is_kept() -> None:
    news: list[int] = []
    shown = ShownFrames("id", lambda: news.append(1))
    for number in range(5):
        shown.show({"id": [1], "n": [number]})
    shown.read_early()
    table = shown.take().table
    assert table is not None
    assert table.window(1, 0, 1).to_pylist() == [4]
    assert shown.take().merged == 4
    assert len(news) == 1
    shown.read_early()  # nothing waits
    assert len(news) == 1


def test_the_worker_goes_on_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = ShownFrames(None, lambda: None)
    shown.read_early()
    thread = threading.Thread(target=shown.run)
    thread.start()
    shown.show(pd.DataFrame({"n": [1, 2]}))
    wait_for(lambda: shown.take().link is Link.LIVE)
    before = shown.take().table

    def fails(*_: object) -> None:
        raise RuntimeError("of Arrow")

    with monkeypatch.context() as patch:
        patch.setattr("livetable.feed.rows.replica.followed", fails)
        shown.show({"n": [1]})
        wait_for(lambda: shown.take().problem is not None)
    state = shown.take()
    assert "of Arrow" in str(state.problem)
    assert state.table is before
    shown.credit()
    shown.show({"n": [3]})
    wait_for(lambda: shown.take().problem is None)
    shown.stop()
    thread.join(10)
    assert not thread.is_alive()
    shown.show({"n": [4]})  # after the end: nobody looks
