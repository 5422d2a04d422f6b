"""livetable.feed.server.encoding: a frame is encoded once, when it is asked for, or beside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from livetable.feed.frames.body import Body
from livetable.feed.frames.capture import capture
from livetable.feed.protocol.messages import Position
from livetable.feed.server import encoding as module
from livetable.feed.server.encoding import LateEncoder, SideEncoding
from livetable.feed.server.table_state import TableState
from tests.waiting import wait_for


def table(encode: Callable[[Any], Body] | None = None) -> tuple[TableState, list[Any]]:
    frames: list[Any] = []

    def count(frame: Any) -> Body:
        frames.append(frame)
        return Body(memoryview(b"x"), 1, 1)

    return TableState("t", (), encode or count), frames


def test_a_frame_is_encoded_once_for_all() -> None:
    state, frames = table()
    assert state.encoding.since(None) is None
    state.put("a", (1, 1), 0.0, 0.0)
    state.put("b", (1, 1), 0.0, 0.0)
    assert [state.encoding.is_encoded] == [False]
    first = state.encoding.since(None)
    assert first is state.encoding.since(None)
    assert first is not None
    assert first.position.seq == 2
    assert frames == ["b"]
    assert [state.encoding.is_encoded] == [True]
    assert state.encoding.since(first.position) is None


def test_a_frame_that_can_not_be_encoded_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    def encode(frame: Any) -> Body:
        if frame == "bad":
            raise ValueError("odd cell")
        return Body(memoryview(b"x"), 1, 1)

    state, _ = table(encode)
    state.put("good", (1, 1), 0.0, 0.0)
    good = state.encoding.since(None)
    assert good is not None
    for _ in range(2):
        state.put("bad", (1, 1), 0.0, 0.0)
        assert state.encoding.since(None) is good
    assert state.encoding.shown == good.position
    assert state.failure == "can't encode frame 3: odd cell"
    assert len(caplog.records) == 1
    state.put("good", (1, 1), 0.0, 0.0)
    assert state.encoding.since(good.position) is not None
    assert state.failure is None


def test_which_tables_are_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = table()
    state.put("a", (2, 2), 0.0, 0.0)
    assert [state.encoding.is_slow] == [False]
    state.put("a", (2, 2), 0.0, 0.0, beside=True)
    assert [state.encoding.is_slow] == [True]
    state.encoding.since(None)
    assert [state.encoding.is_slow] == [False]  # it is encoded
    monkeypatch.setattr(module, "LARGE_CELLS", 3)
    state.put("a", (2, 2), 0.0, 0.0)
    assert [state.encoding.is_slow] == [True]


def test_what_was_prepared_is_for_who_it_brings_further() -> None:
    state, _ = table()
    state.put("a", (1, 1), 0.0, 0.0)
    made = state.encoding.since(None)
    assert made is not None
    state.encoding.prepared = made
    assert state.encoding.prepared_for(None, deltas=False) is made
    assert state.encoding.prepared_for(Position("other", 9), deltas=False) is made
    assert state.encoding.prepared_for(made.position, deltas=False) is None


def test_slow_tables_are_encoded_beside_and_each_once() -> None:
    state, frames = table()
    state.put("a", (1, 1), 0.0, 0.0)
    jobs: list[Callable[[], None]] = []
    news: list[TableState] = []
    finished: list[int] = []
    side = SideEncoding(jobs.append, news.append)
    side.prepare_last(state, lambda: finished.append(1))
    side.prepare(state, None, False)
    wait_for(lambda: jobs)
    assert (frames, news, finished) == (["a"], [], [])
    jobs.pop()()  # in the feed's thread
    assert (news, finished) == ([state], [1])
    assert state.encoding.prepared is not None
    side.prepare(state, None, False)  # it may be asked for again
    wait_for(lambda: jobs)


def test_without_threads_it_is_encoded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(run: Callable[[], object]) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "start_thread", none)
    state, frames = table()
    state.put("a", (1, 1), 0.0, 0.0)
    jobs: list[Callable[[], None]] = []
    SideEncoding(jobs.append, lambda one: None).prepare(state, None, False)
    assert (len(jobs), frames, threading.active_count() > 0) == (1, ["a"], True)


def test_frames_are_encoded_with_a_place_only_for_local_viewers() -> None:
    frame = capture(pd.DataFrame({"a": range(100_000)}))
    assert LateEncoder(is_local=False)(frame).place is None
    body = LateEncoder(is_local=True)(frame)
    assert (body.rows, body.columns) == (100_000, 1)
