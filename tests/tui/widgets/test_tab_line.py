"""tui.widgets.tab_line: which tables are open, which have news, and a click at one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from livetable.tui.app import LivetableApp
from livetable.tui.widgets.tab_line import TabLine


class TabApp(App[None]):
    """A line of tabs and nothing else."""

    CSS_PATH = LivetableApp.CSS_PATH

    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[int] = []

    def compose(self) -> ComposeResult:
        yield TabLine()

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.chosen.append(message.tab)


@asynccontextmanager
async def showing(*tabs: tuple[str, bool]) -> AsyncIterator[tuple[Pilot[None], TabLine, list[int]]]:
    app = TabApp()
    async with app.run_test(size=(60, 4)) as pilot:
        line = app.query_one(TabLine)
        line.show(tabs, 0)
        await pilot.pause()
        yield pilot, line, app.chosen


async def test_it_is_away_while_there_is_one_table() -> None:
    async with showing(("orders", True)) as (_, line, _chosen):
        seen = [line.display]
        line.show([("orders", False), ("prices", True)], 1)
        seen.append(line.display)
        assert str(line.render()) == " 1 orders   2 prices •"
        line.show([("prices", False)], 0)
        assert [*seen, line.display] == [False, True, False]


async def test_a_click_chooses_the_tab_that_is_seen_there() -> None:
    async with showing(("ab", False), ("表", True), ("x" * 99, False)) as (pilot, line, chosen):
        text = str(line.render())
        assert text == f" 1 ab   2 表 • 3 {'x' * 24}  "
        # A wide letter takes two cells: the third tab begins one further than in the text.
        for x, tab in ((0, 0), (6, 0), (7, 1), (13, 1), (14, 2), (40, 2)):
            chosen.clear()
            await pilot.click(TabLine, offset=(x, 0))
            await pilot.pause()
            assert chosen == [tab], x
        chosen.clear()
        await pilot.click(TabLine, offset=(55, 0))  # beside them
        await pilot.pause()
        assert chosen == []


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "[red]x[/red]", "\u202etxt"])
async def test_a_name_is_no_command_for_the_terminal(name: str) -> None:
    async with showing((name, False), ("b", True)) as (_, line, _chosen):
        text = line.render_line(0).text
        assert text.rstrip().endswith("2 b •")
        assert text.isprintable()
        assert not any(ord(one) < 32 for one in str(line.render()))
        if name.startswith("["):
            assert name in text
