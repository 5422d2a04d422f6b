"""livetable.feed.server.mirror: a table of another process has its frames, its age and its end."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import Position
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.mirror import Elsewhere, Mirror
from livetable.feed.server.table_state import TableState

THERE = Position("there", 7)
INFO = TableInfo("orders", "there", 7, 2, 1, 1.0, 0.5, 99, "python", key=("id",))


def frame(seq: int = 7, monotonic: float | None = None) -> Snapshot:
    body = Body(memoryview(b"body"), 2, 1)
    at = time.monotonic() if monotonic is None else monotonic
    return Snapshot(replace(THERE, seq=seq), body, at, 1000.0)


@pytest.fixture
def state() -> TableState:
    def encode(frame: Any) -> Body:
        raise AssertionError("nothing of it is encoded here")

    return TableState("orders", (), encode)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def mirror(state: TableState, told: list[str]) -> Mirror:
    return Mirror(state, lambda: told.append("look"), lambda: told.append("wanted"))


def test_a_frame_keeps_its_place_and_its_bytes(
    mirror: Mirror, state: TableState, told: list[str]
) -> None:
    made = frame()
    mirror.put(made, ("id",))
    assert (state.position, state.key, state.shape) == (THERE, ("id",), (2, 1))
    whole = state.since(None)
    assert whole is not None
    assert whole.body is made.body
    assert state.since(THERE) is None
    assert told == ["look"]
    mirror.put(frame(8), ("id",), ended=True)
    assert (state.position.seq, mirror.is_ended) == (8, True)


def test_a_frame_is_as_old_as_its_process_says_whichever_comes_first(
    mirror: Mirror, state: TableState
) -> None:
    old = replace(INFO, age=60.0)
    mirror.put(frame(), ("id",))
    mirror.heard(old)
    snapshot = state.since(None)
    assert snapshot is not None
    assert 59 < time.monotonic() - snapshot.monotonic < 62
    mirror.remember(replace(INFO, seq=8, age=60.0))
    mirror.put(frame(8), ("id",))
    snapshot = state.since(None)
    assert snapshot is not None
    assert 59 < time.monotonic() - snapshot.monotonic < 62
    mirror.put(frame(9), ("id",))  # of this one nothing was said
    snapshot = state.since(None)
    assert snapshot is not None
    assert time.monotonic() - snapshot.monotonic < 1


def test_a_process_that_says_less_makes_no_frame_younger(mirror: Mirror, state: TableState) -> None:
    sent = time.monotonic() - 100
    mirror.put(frame(monotonic=sent), ("id",))
    mirror.heard(replace(INFO, age=1.0))
    snapshot = state.since(None)
    assert snapshot is not None
    assert snapshot.monotonic == sent


def test_the_end_is_that_of_the_frame_that_is_here(
    mirror: Mirror, state: TableState, told: list[str]
) -> None:
    mirror.put(frame(), ("id",))
    mirror.heard(replace(INFO, seq=8, state="ended"))  # its last frame is still on its way
    assert not state.ended
    del told[:]
    mirror.put(frame(8), ("id",))
    mirror.heard(replace(INFO, seq=8, state="ended"))
    assert mirror.is_ended
    assert told == ["look", "look"]
    mirror.heard(replace(INFO, seq=8, state="ended"))
    assert told == ["look", "look"]  # said once


def test_silence_is_told_at_once_and_ends_with_the_next_word(
    mirror: Mirror, state: TableState, told: list[str]
) -> None:
    assert (mirror.is_silent, mirror.info) == (True, None)  # nothing was heard yet
    mirror.heard(INFO)
    assert (mirror.is_silent, mirror.info) == (False, INFO)
    mirror.tell_silence()
    assert (mirror.is_silent, mirror.info) == (True, INFO)
    assert state.note_is_new
    assert told == ["look"]
    mirror.heard(INFO)
    assert (mirror.is_silent, mirror.info) == (False, INFO)
    mirror.note("why it is gone")
    assert state.note == "why it is gone"


def test_its_line_in_the_catalogue_grows_older() -> None:
    one = Elsewhere(lambda: None)
    assert one.info(5.0) is None
    one.reported = INFO, 100.0
    known = one.info(103.0)
    assert known is not None
    assert (known.age, known.state) == (3.5, "gone")
    one.is_silent = False
    known = one.info(90.0)  # a clock of another thread may be a little behind
    assert known is not None
    assert (known.age, known.state) == (0.5, INFO.state)
    one.reported = replace(INFO, age=None), 100.0
    known = one.info(103.0)
    assert known is not None
    assert known.age is None
