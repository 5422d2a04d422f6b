"""A running viewer of a table that a test publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pandas as pd
from textual.pilot import Pilot

from livetable.feed import Publisher
from livetable.tui.app import LivetableApp
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import Target, ViewOptions
from livetable.tui.widgets.status_line import StatusLine
from tests.waiting import wait_until


def frame(*values: int) -> pd.DataFrame:
    return pd.DataFrame({"id": range(len(values)), "v": values})


class Stage:
    """A running viewer of a publisher in this process."""

    def __init__(self, pilot: Pilot[int], pane: TablePane) -> None:
        self.pilot = pilot
        self.pane = pane

    @property
    def values(self) -> list[int]:
        table = self.pane.table_view.table
        return [] if table is None else list(table.window(1, 0, table.rows).to_pylist())

    @property
    def trust(self) -> str:
        return self.pane.query_one(StatusLine).render_line(0).text

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until(condition, lambda: (self.values, self.trust))

    async def shows(self, *values: int) -> None:
        await self.until(lambda: self.values == list(values))


@asynccontextmanager
async def stage(publisher: Publisher, options: ViewOptions) -> AsyncIterator[Stage]:
    app = LivetableApp(Target(None, publisher.name), options=options)
    async with app.run_test(size=(100, 12)) as pilot:
        screen = app.screen
        assert isinstance(screen, TablesScreen)
        yield Stage(pilot, screen.pane)
        app.exit()
