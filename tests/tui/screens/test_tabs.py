"""The screen of tables: tabs, side by side, the list to choose from; the keys of each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from textual import events

from livetable.feed import Publisher
from livetable.tui.app import LivetableApp, all_bindings
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.widgets.panels.column_info import InfoPanel
from livetable.tui.widgets.tab_line import TabLine
from tests.tui.viewer import stage


async def test_tabs(tables: tuple[Publisher, Publisher]) -> None:
    orders, _ = tables
    async with stage("orders", "prices") as on:
        first, second = on.screen.panes
        assert on.shown == ["orders"]
        await on.until(lambda: "2 prices •" in on.tabs)  # news that nobody looked at
        await on.press("tab")
        assert on.shown == ["prices"]
        await on.until(lambda: on.values(second) == [2])
        assert "•" not in on.tabs.partition("2 prices")[2]
        orders.send(pd.DataFrame({"v": [5]}))
        await on.until(lambda: "1 orders •" in on.tabs)
        orders.send(pd.DataFrame({"v": [6]}))
        await on.press("1")
        await on.until(lambda: on.values(first) == [6])
        await on.press("shift+tab", "9")
        assert on.shown == ["prices"]
        await on.pilot.click(TabLine, offset=(2, 0))
        await on.pilot.pause()
        assert on.shown == ["orders"]


async def test_side_by_side(tables: tuple[Publisher, Publisher]) -> None:
    orders, _ = tables
    async with stage("orders") as on:
        assert not on.screen.query(TabLine)
        await on.press("vertical_line")
        await on.until(lambda: on.shown == ["orders", "orders"])
        first, second = on.screen.panes
        await on.until(lambda: on.values(second) == [1])
        orders.send(pd.DataFrame({"v": [4, 5]}))
        await on.until(lambda: on.values(first) == on.values(second) == [4, 5])
        await on.press("s", "s")
        await on.until(lambda: on.values(second) == [5, 4])
        assert on.values(first) == [4, 5]
        await on.pilot.click(first.table_view, offset=(3, 2))
        await on.until(lambda: on.screen.pane is first)
        await on.press("vertical_line")
        assert on.shown == ["orders"]
        await on.press("vertical_line", "ctrl+w")
        await on.until(lambda: len(on.screen.panes) == 1)
        assert on.screen.panes == [second]
        assert on.shown == ["orders"]
        await on.press("escape")  # there is no list to go back to
        assert on.screen.panes == [second]


async def test_closing_the_last_table_leaves(tables: tuple[Publisher, Publisher]) -> None:
    async with stage("orders") as on:
        await on.press("ctrl+w")
        assert on.app.return_code == 0


async def test_no_key_is_dead_and_none_is_deadly(
    tables: tuple[Publisher, Publisher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # for the picture of the screen
    orders, _ = tables
    actions: list[str] = []
    run_action = LivetableApp.run_action

    async def spy(self: LivetableApp, action: Any, *more: Any, **how: Any) -> bool:
        actions.append(str(action))
        return await run_action(self, action, *more, **how)

    monkeypatch.setattr(LivetableApp, "run_action", spy)
    async with stage("orders", "prices") as on:
        number = 0
        for binding in all_bindings(tapes=False):
            if binding.id in ("quit", "interrupt", "close-table", "close"):
                continue
            for key in binding.key.split(","):
                number += 1
                columns = {f"c{at}": [number] for at in range(number % 3)}
                some = {"v": [number, None], "s": ["x", "y"]}
                orders.send(pd.DataFrame(some if number % 2 else columns))
                actions.clear()
                await on.press(key)
                assert any(binding.action in action for action in actions), key
                pane = on.screen.pane if isinstance(on.app.screen, TablesScreen) else None
                if (
                    pane is None
                    or pane.prompt
                    or pane.panels.is_open
                    or pane.state.paused_at is not None
                ):
                    await on.press("escape")
                assert on.app.is_running
                await on.until(lambda: isinstance(on.app.screen, TablesScreen))
                if len(on.screen.panes) > 2:
                    await on.press("ctrl+w")


async def test_tab_held_down_ends_on_one_pane(tables: tuple[Publisher, Publisher]) -> None:
    async with stage("orders", "prices") as on:
        await on.press("vertical_line")
        arranged = 0
        arrange = on.screen._arrange

        def spy() -> None:
            nonlocal arranged
            arranged += 1
            arrange()

        on.screen._arrange = spy  # type: ignore[method-assign]
        for _ in range(9):
            on.app.post_message(events.Key("tab", "\t"))
        await on.until(lambda: arranged >= 9)
        for _ in range(20):
            await on.pilot.pause()
        assert arranged < 30
        assert on.screen.pane is on.screen.panes[1]
        assert on.screen.pane.has_focus_within


async def test_many_tables_have_workers_each(tables: tuple[Publisher, Publisher]) -> None:
    async with stage("orders", *["prices"] * 8) as on:
        for tab in range(8, -1, -1):
            on.screen.action_tab(tab)
            pane = on.screen.pane
            await on.until(partial(on.values, pane))
            await on.press("s")
        await on.press("i")
        panel = on.screen.pane.query_one(InfoPanel)
        await on.until(lambda: "column" in str(panel._title.content))
