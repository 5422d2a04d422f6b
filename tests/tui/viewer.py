"""A running viewer of several tables that are published here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.pilot import Pilot

from livetable.tui.app import LivetableApp
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import Target
from livetable.tui.widgets.tab_line import TabLine
from tests.waiting import wait_until


class Stage:
    """A running viewer of several tables."""

    def __init__(self, pilot: Pilot[int], app: LivetableApp) -> None:
        self.pilot = pilot
        self.app = app

    @property
    def screen(self) -> TablesScreen:
        screen = self.app.screen
        assert isinstance(screen, TablesScreen)
        return screen

    @property
    def tabs(self) -> str:
        return "".join(str(line.render()) for line in self.screen.query(TabLine))

    @property
    def shown(self) -> list[str]:
        return [pane.title for pane in self.screen.panes if pane.display]

    def values(self, pane: TablePane) -> list[int]:
        table = pane.table_view.table
        return [] if table is None else list(table.window(1, 0, table.rows).to_pylist())

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until(condition, lambda: self.app.screen)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()


@asynccontextmanager
async def stage(*names: str) -> AsyncIterator[Stage]:
    app = LivetableApp(*(Target(None, name) for name in names))
    async with app.run_test(size=(100, 20)) as pilot:
        on = Stage(pilot, app)
        await on.until(lambda: on.values(on.screen.panes[0]))
        yield on
        app.exit()


def press(app: object, x: int, y: int, times: int = 1) -> None:
    """Click as a terminal tells it, all in one packet."""
    assert hasattr(app, "post_message")
    for _ in range(times):
        for kind in (events.MouseDown, events.MouseUp):
            app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))


async def alive(on: Stage) -> None:
    """Make sure that the table is on the screen and takes keys."""
    await on.until(lambda: isinstance(on.app.screen, TablesScreen))
    pane = on.screen.pane
    before = pane.table_view.cursor_row
    await on.press("down")
    await on.until(lambda: pane.table_view.cursor_row == (before + 1) % 3 or before == 2)
    assert on.app.is_running
