"""tui.screens.table_picker: tables are listed as they come and go, and Enter opens one."""

from __future__ import annotations

from livetable.feed import Publisher
from livetable.tui.app import LivetableApp
from livetable.tui.screens.table_picker import PickerScreen
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.target import Target
from tests.tui.viewer import Stage, stage


def listed(screen: object) -> int:
    """Return how many tables are listed with all that is known of them."""
    assert isinstance(screen, PickerScreen)
    return sum(one.info is not None for one in screen._listing)


async def test_tables_are_added_from_the_list(tables: tuple[Publisher, Publisher]) -> None:
    async with stage("orders") as on:
        await on.press("T")
        picker = on.app.screen
        await on.until(lambda: listed(picker) == 2)
        await on.press("escape", "T")
        picker = on.app.screen
        await on.until(lambda: listed(picker) == 2)
        await on.press("j", "enter")
        await on.until(lambda: on.app.screen is not picker and len(on.screen.panes) == 2)
        await on.until(lambda: on.shown == ["prices"])
        await on.until(lambda: on.values(on.screen.pane) == [2])
        for _ in range(8):
            await on.press("t")
        assert len(on.screen.panes) == 9


async def test_from_the_list_and_back(tables: tuple[Publisher, Publisher]) -> None:
    app = LivetableApp(Target())
    async with app.run_test(size=(100, 20)) as pilot:
        on = Stage(pilot, app)
        picker = app.screen
        await on.press("escape")
        assert app.screen is picker
        await on.until(lambda: listed(picker) == 2)
        await on.press("enter")
        await on.until(lambda: isinstance(app.screen, TablesScreen))
        await on.until(lambda: on.values(on.screen.pane) == [1])
        await on.press("enter", "escape")
        assert not on.screen.pane.panels.is_open
        await on.press("space", "escape")
        assert on.screen.pane.state.paused_at is None
        await on.press("escape")
        await on.until(lambda: app.screen is picker)
        app.exit()
