"""A tape in a running app, and what is shown of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from livetable.tui.app import LivetableApp
from livetable.tui.pane.tape_pane import TapePane
from livetable.tui.target import ViewOptions, parse_target
from livetable.tui.widgets.status_line import StatusLine
from tests.waiting import wait_until


class Stage:
    def __init__(self, pilot: Pilot[int], pane: TapePane) -> None:
        self.pilot = pilot
        self.pane = pane

    @property
    def price(self) -> float | None:
        table = self.pane.table_view.table
        if table is None:
            return None
        price: float = table.window(1, 0, 1)[0].as_py()
        return price

    @property
    def says(self) -> str:
        return "".join(text for text, _ in self.pane.query_one(StatusLine)._left)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def shows(self, price: float) -> None:
        await wait_until(lambda: self.price == price, lambda: (self.price, self.says))


@asynccontextmanager
async def stage(path: Path) -> AsyncIterator[Stage]:
    app = LivetableApp(parse_target(str(path)), options=ViewOptions(remember=False))
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.pause()
        pane = app.screen.query_one(TapePane)
        yield Stage(pilot, pane)
        await pilot.press("q")
