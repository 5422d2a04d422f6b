"""When a pane paints: as soon as there is something to paint, and the terminal has room for it."""

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
    """Calls what paints, once for all that came until then.

    Args:
        widget: Whose paints they are; it must be in an app by the first one.
        paint: Paints the newest state.
        flash: Told before each paint whether the line has room for flashes.
    """

    def __init__(
        self, widget: Widget, paint: Callable[[], object], flash: Callable[[bool], object]
    ) -> None:
        self._widget = widget
        self._paint = paint
        self._flash = flash
        self._timer: asyncio.TimerHandle | None = None
        self._is_behind = False  # whether the line is said to be slow

    @property
    def driver(self) -> TerminalDriver | None:
        """The driver, if it is the one that knows what the terminal has taken."""
        driver = driver_of(self._widget.app)
        return driver if isinstance(driver, TerminalDriver) else None

    @property
    def waits(self) -> bool:
        """Whether there is something to paint that the terminal was not ready for."""
        return self._timer is not None

    @property
    def is_ready(self) -> bool:
        """Whether the terminal has room for a paint now."""
        driver = self.driver
        return driver is None or driver.pace.wait(driver.output.pending) == 0

    def soon(self) -> None:
        """Paint as soon as the terminal is ready for it."""
        if self._timer is None:
            self._try()

    def look_again(self) -> None:
        """Look whether the terminal is ready by now: it answered, or took the last byte."""
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
            # News and credit wait with the paint: then it is the newest state that is shown.
            self._timer = later(self._widget, wait, self._try)
            return
        with driver.output.together():
            self._paint()

    def painted(self) -> None:
        """Ask the terminal to answer when it has seen what was painted."""
        driver = self.driver
        if driver is not None and not driver.is_careful:
            driver.pace.painted()
            driver.ask_if_due()

    @property
    def behind(self) -> float:
        """Seconds that what the terminal shows is older than what was painted."""
        driver = self.driver
        return driver.pace.behind if driver is not None else 0.0

    def line(self) -> str:
        """Return what there is to say of the line to the terminal: if what is shown is late."""
        driver, behind = self.driver, self.behind
        self._is_behind = behind > BEHIND_SECONDS * (0.6 if self._is_behind else 1.0)
        if driver is None or not self._is_behind:
            return ""
        return line_text(driver.pace.rate, behind)
