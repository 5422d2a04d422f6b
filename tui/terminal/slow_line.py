"""Paints on slow lines: waits until the line is ready, and then writes only differences.

The screen is painted as it is when the line is ready: states in between are never written. At the
start, every line is assumed to be slow.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from textual.geometry import Offset

from livetable.tui.terminal.screen_diff import Front
from livetable.tui.terminal.timer import later

if TYPE_CHECKING:
    from textual.app import App

    from livetable.tui.terminal.driver import TerminalDriver

_START_SECONDS: Final = 2.0
"""Duration of the start, during which Textual paints the whole screen several times."""


class CarefulPaint:
    """Paints an app's screens on a slow line.

    Args:
        app: The app.
        driver: Its terminal.
    """

    def __init__(self, app: App[Any], driver: TerminalDriver) -> None:
        self._app = app
        self._driver = driver
        self._front = Front(erases=driver.output.erases)
        self._started = 0  # the driver's `started` when `_begin` was last called
        self._until = 0.0
        self._was_on = False
        self._owes = False
        self._cursor: Offset | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_on(self) -> bool:
        """Whether screens must be painted here."""
        if self._started != self._driver.started:
            self._begin()
        on = self._owes or self._driver.pace.is_limited or time.monotonic() < self._until
        if on and not self._was_on:
            self._front.forget()  # Textual has painted meanwhile
        self._was_on = on
        return on

    def _begin(self) -> None:
        self._started = self._driver.started
        self._until = time.monotonic() + _START_SECONDS
        width, height = self._driver.size
        self._front.clear(width, height, self._app.console)
        self._was_on = True
        self._cursor = None

    def forget(self) -> None:
        """Assume nothing about the screen: something else may have written on it."""
        self._front.forget()

    def display(self) -> None:
        """Paint the screen as soon as the line is ready for it."""
        self._owes = True
        self.pay()

    def pay(self) -> None:
        """Paint if a paint is due and the line is ready; else try again later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._owes or not self._app._running or self._app._closed:
            return
        if wait := self._driver.wait():
            self._timer = later(self._app, wait, self.pay)
            return
        self._owes = False
        self._paint()

    def _paint(self) -> None:
        app, driver = self._app, self._driver
        update: Any = app.screen._compositor.render_update(
            full=True, screen_stack=app._background_screens
        )
        lines = [[segment for strip in line for segment in strip] for line in update.strips]
        words = self._front.paint(lines, app.console)
        cursor = app.screen.outer_size.clamp_offset(app.cursor_position)
        if not words and cursor == self._cursor:
            return
        self._cursor = app._previous_cursor_position = cursor
        with driver.output.together():
            app._begin_update()
            driver.write(f"{words}\x1b[{cursor[1] + 1};{cursor[0] + 1}H")
            app._end_update()
            driver.pace.painted()
            driver.ask()
