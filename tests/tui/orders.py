"""A running viewer of the table orders, which is published here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
from textual.pilot import Pilot

from livetable.feed import Publisher
from livetable.tui.app import LivetableApp
from livetable.tui.config.settings import Settings
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import Target, ViewOptions
from tests.waiting import wait_until


class Stage:
    """A running viewer of the table "orders"."""

    def __init__(self, pilot: Pilot[int], app: LivetableApp) -> None:
        self.pilot = pilot
        self.app = app

    @property
    def pane(self) -> TablePane:
        screen = self.app.screen
        assert isinstance(screen, TablesScreen)
        return screen.pane

    @property
    def values(self) -> list[Any]:
        table = self.pane.table_view.table
        return [] if table is None else list(table.window(1, 0, table.rows).to_pylist())

    async def until(self, condition: Any) -> None:
        await wait_until(condition, lambda: self.values)


@asynccontextmanager
async def stage(
    options: ViewOptions | None = None,
    chosen: Settings | None = None,
    *,
    target: Target | None = None,
    data: pd.DataFrame | None = None,
) -> AsyncIterator[Stage]:
    app = LivetableApp(target or Target(None, "orders"), options=options or ViewOptions())
    app.take_settings(chosen or Settings(), None)
    with Publisher("orders", key="id") as orders:
        usual = pd.DataFrame({"id": list("abc"), "v": [2, 1, 3], "w": 0})
        orders.send(usual if data is None else data)
        async with app.run_test(size=(100, 20)) as pilot:
            on = Stage(pilot, app)
            await on.until(lambda: on.values)
            yield on
            app.exit()
