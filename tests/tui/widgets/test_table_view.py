"""widgets.table_view in a real app: keys, mouse, messages, the view held through updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
import pytest
from textual.pilot import Pilot

from livetable.tui.grid.anchor import View
from livetable.tui.widgets.table_view import TableView
from tests.tui.stage import TableApp
from tests.tui.tables import table_of


@asynccontextmanager
async def showing(
    frame: Any, *key: Any, size: tuple[int, int] = (40, 12)
) -> AsyncIterator[Pilot[None]]:
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        app.table.update(table_of(frame, *key))
        await pilot.pause()
        yield pilot


def shown(pilot: Pilot[None]) -> list[str]:
    table = pilot.app.query_one(TableView)
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


def numbers(count: int, start: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"r{n:03}" for n in range(start, start + count)], "v": 1.0, "w": 2})


KEYS = [
    ("down", View(0, 1, 1)),
    ("j", View(0, 1, 1)),
    ("right", View(0, 0, 2)),
    ("l", View(0, 0, 2)),
    ("h", View(0, 0, 0)),
    ("left", View(0, 0, 0)),
    ("up", View(0, 0, 1)),
    ("k", View(0, 0, 1)),
    ("pagedown", View(10, 10, 1)),
    ("ctrl+f", View(10, 10, 1)),
    ("G", View(89, 99, 1)),
    ("ctrl+end", View(89, 99, 1)),
    ("end", View(0, 0, 2)),
    ("$", View(0, 0, 2)),
    ("0", View(0, 0, 0)),
    ("home", View(0, 0, 0)),
]


@pytest.mark.parametrize(("key", "view"), KEYS)
async def test_every_key(key: str, view: View) -> None:
    async with showing(numbers(100), "id") as pilot:
        table = pilot.app.query_one(TableView)
        table.focus()
        await pilot.press(key)
        assert table.view == view


@pytest.mark.parametrize("key", ["g", "ctrl+home"])
async def test_back_to_the_top(key: str) -> None:
    async with showing(numbers(100), "id") as pilot:
        table = pilot.app.query_one(TableView)
        table.focus()
        await pilot.press("G", "pageup", "ctrl+b", key)
        assert table.view == View(0, 0, 1)


async def test_mouse() -> None:
    async with showing(numbers(100), "id") as pilot:
        table = pilot.app.query_one(TableView)
        await pilot.click(TableView, offset=(8, 4))
        assert (table.view.row, table.view.column) == (3, 1)
        await pilot.click(TableView, offset=(8, 0))
        assert table.view.row == 3
        await pilot.click(TableView, offset=(8, 4), times=2)
        app = pilot.app
        assert isinstance(app, TableApp)
        assert app.selected == [3]


async def test_enter_chooses_a_row() -> None:
    async with showing(numbers(10), "id") as pilot:
        app = pilot.app
        assert isinstance(app, TableApp)
        app.table.focus()
        await pilot.press("j", "enter")
        assert app.selected == [1]
        await pilot.press("c")
        assert app.table.whole_row


async def test_wide_tables_scroll_under_the_fixed_column() -> None:
    frame = pd.DataFrame([[n * 1000 for n in range(30)]], columns=[f"c{n}" for n in range(30)])
    async with showing(frame) as pilot:
        table = pilot.app.query_one(TableView)
        table.focus()
        await pilot.press("end")
        assert shown(pilot)[0].endswith("c29")
        assert shown(pilot)[1].startswith(" 0 ")
        await pilot.press("c", "right", "left")
        assert table.scroll_offset.x > 0
