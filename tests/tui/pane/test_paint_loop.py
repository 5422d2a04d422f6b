"""tui.pane.paint_loop: once for all that came, as soon as the terminal has room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from textual.widget import Widget

from livetable.tui.pane import paint_loop
from livetable.tui.pane.paint_loop import PaintLoop
from livetable.tui.terminal.pace import BEHIND_SECONDS


class Driver:
    """A terminal that has room when a test says so."""

    def __init__(self) -> None:
        self.waits = 0.0
        self.is_careful = False
        self.asked = self.together_now = 0
        self.pace = SimpleNamespace(
            is_slow=False, behind=0.0, rate=20_000.0, painted=lambda: None,
            wait=lambda pending: self.waits,
        )  # fmt: skip
        self.output = SimpleNamespace(pending=0, together=self._together)

    @contextmanager
    def _together(self) -> Iterator[None]:
        self.together_now += 1
        yield

    def wait(self) -> float:
        return self.waits

    def ask_if_due(self) -> None:
        self.asked += 1


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setattr(PaintLoop, "driver", driver)

    def later(widget: Widget, seconds: float, call: Any) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call)

    monkeypatch.setattr(paint_loop, "later", later)
    return driver


async def test_it_waits_for_room_and_paints_once(driver: Driver) -> None:
    painted: list[bool] = []
    has_room: list[bool] = []
    loop = PaintLoop(Widget(), lambda: painted.append(True), has_room.append)
    driver.waits = 60.0
    driver.pace.is_slow = True
    loop.soon()
    loop.soon()
    seen = [(loop.waits, loop.is_ready, len(painted))]
    driver.waits = 0.0
    loop.look_again()
    seen.append((loop.waits, loop.is_ready, len(painted)))
    loop.look_again()  # nothing to paint
    seen.append((loop.waits, loop.is_ready, len(painted)))
    assert seen == [(True, False, 0), (False, True, 1), (False, True, 1)]
    assert driver.together_now == 1
    assert has_room == [False, False]


def test_it_says_that_the_line_is_slow_until_it_clearly_is_not(driver: Driver) -> None:
    loop = PaintLoop(Widget(), lambda: None, lambda room: None)
    assert loop.line() == ""
    driver.pace.behind = 1.2
    assert "20 kB/s" in loop.line()
    driver.pace.behind = BEHIND_SECONDS * 0.8
    assert loop.line()
    driver.pace.behind = BEHIND_SECONDS * 0.5
    assert loop.line() == ""
    driver.pace.behind = BEHIND_SECONDS * 0.8
    assert loop.line() == ""


def test_the_terminal_is_asked_unless_each_byte_counts(driver: Driver) -> None:
    loop = PaintLoop(Widget(), lambda: None, lambda room: None)
    loop.painted()
    assert driver.asked == 1
    driver.is_careful = True
    loop.painted()
    assert driver.asked == 1
