"""livetable.tui.terminal.pace: as much is on its way to a terminal as its line carries."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.terminal.pace import (
    ASK_BYTES,
    ASK_SECONDS,
    CALM_SECONDS,
    GAP_SECONDS,
    LIMIT_SECONDS,
    LOOK_SECONDS,
    PATIENCE_SECONDS,
    SILENT_BYTES,
    SILENT_START,
    SLOW_SECONDS,
    Backlog,
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


def paint(pace: Pace, size: int) -> None:
    pace.wrote(size)
    pace.painted()
    pace.asked()


def answers(pace: Pace, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    pace.answered()


def known(pace: Pace, clock: Clock, trip: float) -> None:
    """Let the terminal answer the question that is asked before anything is painted."""
    pace.wrote(100)
    pace.asked()
    answers(pace, clock, trip)


def test_the_first_paint_is_made_at_once(pace: Pace) -> None:
    pace.wrote(200)
    pace.asked()
    assert pace.wait(0) == 0
    assert pace.is_limited  # nothing is known of the line


def test_paints_are_apart(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.001)
    paint(pace, 100)
    assert pace.wait(0) == pytest.approx(GAP_SECONDS)
    clock.now += GAP_SECONDS
    assert pace.wait(0) == 0


def test_no_paint_while_bytes_are_pending(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.001)
    assert pace.wait(1) is None


def test_one_that_never_answers_gets_what_any_line_carries(pace: Pace, clock: Clock) -> None:
    began = clock.now
    written = 0
    while clock.now < began + 60:
        wait = pace.wait(0)
        assert wait is not None
        clock.now += wait
        if wait == 0:
            paint(pace, 8000)
            written += 8000
    assert written <= 60 * SILENT_BYTES + 8000 + SILENT_START
    assert written >= 60 * SILENT_BYTES - 16_000
    assert pace.is_limited
    assert pace.is_slow
    assert pace.behind <= 8000 / SILENT_BYTES + 0.2


def test_it_answers_at_last(pace: Pace, clock: Clock) -> None:
    paint(pace, 8000)
    answers(pace, clock, 1.0)
    assert pace.wait(0) == 0
    assert not pace.is_limited


def test_a_quick_terminal_is_not_waited_for(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.001)
    for _ in range(30):
        clock.now += GAP_SECONDS
        assert pace.wait(0) == 0
        paint(pace, 3000)
        answers(pace, clock, 0.002)
    assert not pace.is_limited
    assert not pace.is_slow


def test_a_quick_terminal_is_asked_now_and_then(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.001)
    assert not pace.should_ask()  # nothing new
    pace.wrote(1000)
    assert not pace.should_ask()
    pace.wrote(ASK_BYTES)
    assert pace.should_ask()  # much was written
    pace.asked()
    answers(pace, clock, 0.002)
    pace.wrote(10)
    clock.now += ASK_SECONDS
    assert pace.should_ask()  # some time went by


def test_a_far_terminal_is_asked_each_time(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.1)
    pace.wrote(10)
    assert pace.should_ask()


def test_a_cut_line_gets_one_paint_now_and_then(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.02)
    paints = 0
    began = clock.now
    while clock.now < began + 5 * PATIENCE_SECONDS:
        wait = pace.wait(0)
        assert wait is not None
        if wait == 0:
            paint(pace, 8000)
            paints += 1
        clock.now += max(wait, 0.001)
    assert paints <= 6
    assert pace.behind > BEHIND
    pace.answered()
    assert pace.wait(0) == 0


BEHIND = 5.0


def test_a_late_answer_that_nobody_waits_for(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.02)
    paint(pace, 3000)
    assert pace.outstanding == 1
    pace.forget()
    assert (pace.outstanding, pace.on_its_way) == (0, 0)
    pace.answered()
    assert pace.wait(0) == pytest.approx(GAP_SECONDS)


def test_time_in_which_the_viewer_was_stopped_is_not_the_line_s(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.002)
    rate, trip = pace.rate, pace.round_trip
    paint(pace, 3000)
    paint(pace, 3000)
    clock.now += 5  # nobody took the answers
    assert pace.behind >= 5
    pace.stood_still()
    assert pace.behind == 0
    assert pace.outstanding == 2
    pace.answered()
    pace.answered()
    assert (pace.behind, pace.rate, pace.round_trip) == (0, rate, trip)
    assert not pace.is_slow
    assert pace.on_its_way == 0
    paint(pace, 3000)
    answers(pace, clock, 0.002)
    assert pace.behind < 0.1


def test_a_long_way_alone_is_no_limit(pace: Pace, clock: Clock) -> None:
    known(pace, clock, SLOW_SECONDS + 0.05)
    assert not pace.is_limited
    assert pace.is_slow  # flashes would be late
    clock.now += CALM_SECONDS + 0.1
    assert not pace.is_slow


def test_what_small_paints_tell_of_a_line_is_forgotten(pace: Pace, clock: Clock) -> None:
    known(pace, clock, 0.02)
    paint(pace, 20_000)
    answers(pace, clock, 0.02 + LIMIT_SECONDS * 2)
    assert pace.is_limited
    for _ in range(400):
        clock.now += 0.1
        paint(pace, 50)
        answers(pace, clock, 0.021)
    assert not pace.is_limited


def test_what_waits_behind_the_terminal_is_waited_for(pace: Pace, clock: Clock) -> None:
    told: list[Backlog | None] = [None]
    pace.backlog = lambda: told[0]
    known(pace, clock, 0.001)
    clock.now += 1
    assert pace.wait(0) == 0  # not known
    paint(pace, 9000)
    answers(pace, clock, 0.001)
    clock.now += LOOK_SECONDS
    told[0] = Backlog(9000, 1000, 0.0)
    assert pace.wait(0) == LOOK_SECONDS
    clock.now += 0.3
    assert pace.wait(0) == LOOK_SECONDS
    assert pace.is_limited
    assert pace.behind > 0.3
    clock.now += 0.3
    told[0] = Backlog(0, 10_000, 0.0)
    assert pace.wait(0) == 0
    assert pace.rate == pytest.approx(15_000, rel=0.1)
    assert pace.behind > 0.6


@dataclass
class Line:
    """A line of so many bytes a second and so long a way, with a terminal that answers."""

    pace: Pace
    clock: Clock
    rate: float
    delay: float
    free_at: float = 0.0
    ages: list[tuple[float, float]] = field(default_factory=list)
    events: list[tuple[float, int, str, float]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def write(self, size: int, composed: float | None) -> None:
        now = self.clock.now
        self.pace.wrote(size)
        if composed is not None:
            self.pace.painted()
        self.pace.asked()
        self.free_at = max(self.free_at, now) + size / self.rate
        there = self.free_at + self.delay
        if composed is not None:
            heapq.heappush(self.events, (there, next(self.numbers), "shown", composed))
        heapq.heappush(self.events, (there + self.delay, next(self.numbers), "answer", 0.0))

    def run(self, seconds: float, size: int, every: float = 0.05) -> list[float]:
        """Paint whenever it may be; return how old what was shown was when it was replaced."""
        until = self.clock.now + seconds
        shown = self.clock.now
        ages: list[float] = []
        news = self.clock.now
        while self.clock.now < until:
            wait = max(self.pace.wait(0) or 0.0, news - self.clock.now)
            if wait < 1e-6 and self.pace.probe():
                self.write(4, None)
            elif wait < 1e-6:
                self.write(size, self.clock.now)
                news = self.clock.now + every
                wait = every
            due = self.clock.now + min(wait, every)
            if self.events and self.events[0][0] <= due:
                at, _, what, composed = heapq.heappop(self.events)
                self.clock.now = max(self.clock.now, at)
                if what == "answer":
                    self.pace.answered()
                else:
                    ages.append(self.clock.now - shown)
                    shown = composed
            else:
                self.clock.now = due
        return ages


def at_worst(rate: float, delay: float, size: int) -> float:
    """Two paints on the line and the way there: what is shown when the next one comes."""
    return 2 * size / rate + 4 * delay + 0.5


@given(
    rate=st.floats(10_000, 2_000_000),
    delay=st.floats(0.0005, 0.3),
    size=st.integers(200, 12_000),
)
def test_what_is_shown_is_never_old(rate: float, delay: float, size: int) -> None:
    clock = Clock()
    line = Line(Pace(clock), clock, rate, delay)
    line.write(150, None)
    ages = line.run(30, size)
    assert max(ages[3:]) <= at_worst(rate, delay, size)
    assert len(ages) >= 0.5 * 30 / max(0.05, size / rate, 2 * delay) - 3


@pytest.mark.parametrize("delay", [0.02, 0.15])
def test_a_line_that_turns_bad_and_good(delay: float) -> None:
    clock = Clock()
    line = Line(Pace(clock), clock, 1_000_000, delay)
    line.write(150, None)
    line.run(20, 6000)
    line.rate = 10_000
    line.run(6 if delay < 0.1 else 8, 6000)
    assert max(line.run(20, 6000)[1:]) <= 3
    line.rate = 1_000_000
    line.run(8, 6000)
    assert max(line.run(20, 6000)) <= 0.6


def test_what_the_line_carries(pace: Pace, clock: Clock) -> None:
    line = Line(pace, clock, 20_000, 0.15)
    line.write(150, None)
    line.run(20, 8000)
    assert pace.rate == pytest.approx(20_000, rel=0.3)
    assert pace.behind > 0.5
    assert pace.is_limited
