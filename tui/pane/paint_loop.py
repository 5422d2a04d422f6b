"""Paints a pane as soon as there is news and the terminal has room for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.widget import Widget

from livetable.tui.terminal.driver import TerminalDriver
from livetable.tui.terminal.pace import BEHIND_SECONDS
from livetable.tui.terminal.textual_private import driver_of
from livetable.tui.terminal.timer import later
from livetable.tui.text.ages import line_text


class PaintLoop:
    """Calls `paint` when the terminal is ready, once for all news that came until then.

    Args:
        widget: The widget to paint. It must be in an app before the first paint.
        paint: Paints the newest state.
        flash: Called before each paint with whether the terminal has room for flashes.
    """

    def __init__(
        self, widget: Widget, paint: Callable[[], object], flash: Callable[[bool], object]
    ) -> None:
        self._widget = widget
        self._paint = paint
        self._flash = flash
        self._timer: asyncio.TimerHandle | None = None
        self._is_behind = False  # whether `line` reports a delay

    @property
    def driver(self) -> TerminalDriver | None:
        """The driver, if it can tell what the terminal has taken; None if not."""
        driver = driver_of(self._widget.app)
        return driver if isinstance(driver, TerminalDriver) else None

    @property
    def waits(self) -> bool:
        """Whether a paint waits for the terminal."""
        return self._timer is not None

    @property
    def is_ready(self) -> bool:
        """Whether the terminal has room for a paint now."""
        driver = self.driver
        return driver is None or driver.pace.wait(driver.output.pending) == 0

    def soon(self) -> None:
        """Paint as soon as the terminal is ready."""
        if self._timer is None:
            self._try()

    def look_again(self) -> None:
        """Check again whether the terminal is ready: it answered, or took the last byte."""
        if self._timer is not None:
            self._timer.cancel()
            self._try()

    def _try(self) -> None:
        self._timer = None
        driver = self.driver
        if driver is None:
            self._paint()
            return
        self._flash(not driver.pace.is_slow)
        if wait := driver.wait():
            # Read news only when painting, so that the newest state is painted, not an older one.
            self._timer = later(self._widget, wait, self._try)
            return
        with driver.output.together():
            self._paint()

    def painted(self) -> None:
        """Ask the terminal to answer when it has shown the paint."""
        driver = self.driver
        if driver is not None and not driver.is_careful:
            driver.pace.painted()
            driver.ask_if_due()

    @property
    def behind(self) -> float:
        """How many seconds the terminal is behind what was painted."""
        driver = self.driver
        return driver.pace.behind if driver is not None else 0.0

    def line(self) -> str:
        """Return the status line's text about a slow connection, empty if it is not slow."""
        driver, behind = self.driver, self.behind
        self._is_behind = behind > BEHIND_SECONDS * (0.6 if self._is_behind else 1.0)
        if driver is None or not self._is_behind:
            return ""
        return line_text(driver.pace.rate, behind)
