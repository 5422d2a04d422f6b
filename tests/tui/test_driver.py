"""livetable.tui.driver: when the next paint may be made, and a terminal that does not take it."""

from __future__ import annotations

import pytest

from livetable.tui.driver import (
    ANSWER_SECONDS,
    ASK_BYTES,
    ASK_SECONDS,
    CALM_SECONDS,
    GAP_SECONDS,
    LATE_SECONDS,
    SLOW_SECONDS,
    Pace,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_the_first_paint_is_made_at_once(pace: Pace) -> None:
    assert pace.wait(0) == 0


def test_paints_are_apart(pace: Pace, clock: Clock) -> None:
    assert pace.painted()
    pace.answered()
    assert pace.wait(0) == pytest.approx(GAP_SECONDS)
    clock.now += GAP_SECONDS * 1.01
    assert pace.wait(0) == 0


def test_no_paint_before_the_terminal_saw_the_last(pace: Pace, clock: Clock) -> None:
    assert pace.painted()
    clock.now += 0.1
    assert not pace.painted()  # a second one, by Textual: one question at a time
    wait = pace.wait(0)
    assert wait is not None
    assert wait > 0
    pace.answered()
    assert pace.round_trip == pytest.approx(0.1)
    assert not pace.is_slow


def test_no_paint_while_bytes_are_pending(pace: Pace) -> None:
    pace.painted()
    assert pace.wait(1) is None
    pace.answered()
    assert pace.wait(1) is None


def test_a_terminal_that_never_answers_is_not_asked_again(pace: Pace, clock: Clock) -> None:
    assert pace.painted()
    clock.now += ANSWER_SECONDS * 10
    assert pace.wait(1) is None  # it can't answer what it has not been told
    clock.now += ANSWER_SECONDS * 1.01
    assert pace.wait(0) == 0
    assert not pace.painted()
    pace.answered()  # at last
    assert pace.painted()


def test_one_that_has_answered_is_waited_for(pace: Pace, clock: Clock) -> None:
    pace.painted()
    pace.answered()
    clock.now += ASK_SECONDS * 1.01
    pace.painted()
    clock.now += LATE_SECONDS * 0.99
    assert pace.wait(0)
    clock.now += LATE_SECONDS * 0.02
    assert pace.wait(0) == 0
    assert pace.painted()  # and asked again


def test_a_terminal_nearby_is_asked_now_and_then(pace: Pace, clock: Clock) -> None:
    assert pace.painted(1000)
    pace.answered()
    assert not pace.painted(2000)
    clock.now += GAP_SECONDS * 1.01
    assert pace.wait(0) == 0  # it is not waited for
    assert pace.painted(1000 + ASK_BYTES)  # much was written
    pace.answered()
    clock.now += ASK_SECONDS * 1.01
    assert pace.painted(1001 + ASK_BYTES)  # some time went by
    clock.now += SLOW_SECONDS * 2
    pace.answered()
    for _ in range(3):  # a slow one after each paint
        assert pace.painted(1002 + ASK_BYTES)
        pace.answered()


def test_a_slow_line_stays_slow_for_a_while(pace: Pace, clock: Clock) -> None:
    pace.painted()
    clock.now += SLOW_SECONDS * 2
    pace.answered()
    assert pace.is_slow
    pace.painted()
    pace.answered()  # a small paint, through at once
    assert pace.is_slow
    clock.now += CALM_SECONDS
    assert not pace.is_slow
