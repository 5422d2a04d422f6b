"""widgets.table_view in a real app: keys, mouse, messages, the view held through updates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
import pytest
from textual.pilot import Pilot

from livetable.tui.grid.anchor import View
from livetable.tui.grid.cells import Look
from livetable.tui.grid.mark import FLASH_SECONDS
from livetable.tui.widgets.table_view import TableView
from tests.tui.stage import TableApp
from tests.tui.tables import table_of
from tests.ugly import ugly_frames
from tests.waiting import wait_until


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


async def test_draws_header_and_rows() -> None:
    async with showing(numbers(3), "id") as pilot:
        assert shown(pilot)[:4] == [
            " id      v  w",
            " r000  1.0  2",
            " r001  1.0  2",
            " r002  1.0  2",
        ]


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


async def test_cursor_and_top_row_stay_with_their_rows() -> None:
    async with showing(numbers(100), "id") as pilot:
        table = pilot.app.query_one(TableView)
        table.focus()
        await pilot.press("pagedown", "pagedown", "j", "j")
        top, row = table.view.top, table.view.row
        assert table.table is not None
        held = table.table.identity(top), table.table.identity(row)
        table.update(table_of(numbers(120, -7), "id"))
        await pilot.pause()
        view = table.view
        assert (table.table.identity(view.top), table.table.identity(view.row)) == held
        assert shown(pilot)[1].split()[0] == held[0][0]


async def test_flash_then_no_flash() -> None:
    async with showing(numbers(3), "id") as pilot:
        app = pilot.app
        assert isinstance(app, TableApp)
        table = app.table
        frame = numbers(3)
        frame.loc[1, "v"] = 2.0
        table.update(table_of(frame, "id"))
        assert shown(pilot)[2] == " r001  2.0▲ 2"
        up = table._style(Look.UP)
        assert any(segment.style == up for segment in table.render_line(2))
        app.now += FLASH_SECONDS
        table._end_flashes()
        assert shown(pilot)[2] == " r001  2.0  2"


async def test_only_changed_lines_are_repainted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with showing(numbers(8), "id") as pilot:
        table = pilot.app.query_one(TableView)
        refreshed: list[Any] = []
        monkeypatch.setattr(table, "refresh", lambda *regions, **_: refreshed.extend(regions))
        frame = numbers(8)
        frame.loc[4, "v"] = 9.0
        table.update(table_of(frame, "id"))
        assert [region.y for region in refreshed] == [5]
        refreshed.clear()
        table.update(table_of(frame, "id"))
        assert refreshed == []


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


async def test_nothing_to_show() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.focus()
        app.table.message = "waiting for a table that has a rather long name to be published"
        await pilot.press("j", "pagedown", "G", "end", "enter", "c", "right")
        assert "waiting for a table" in "\n".join(shown(pilot))
        app.table.update(table_of(pd.DataFrame({"a": []})))
        app.table.message = "no rows"
        await pilot.press("j", "enter")
        assert "no rows" in "\n".join(shown(pilot))
        assert app.selected == []


@pytest.mark.parametrize("size", [(40, 12), (1, 1), (200, 50), (7, 3)])
async def test_every_ugly_frame_after_the_other(size: tuple[int, int]) -> None:
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        for frame in ugly_frames().values():
            app.table.update(table_of(frame))
            await pilot.pause()
            for strip in map(app.table.render_line, range(app.table.size.height)):
                width = app.table.scrollable_content_region.width or app.table.size.width
                assert strip.cell_length == width
        app.table.stale = True
        await pilot.pause()


async def test_the_scrollbars_follow_each_way_of_scrolling() -> None:
    wide = numbers(100).assign(**{f"c{n}": 123456 for n in range(20)})
    async with showing(wide, "id") as pilot:
        table = pilot.app.query_one(TableView)
        await pilot.pause()
        table.focus()
        for key in ("G", "g", "ctrl+f", "end", "home", "ctrl+end", "$", "0"):
            await pilot.press(key)
            for bar, at in (
                (table.vertical_scrollbar, table.scroll_offset.y),
                (table.horizontal_scrollbar, table.scroll_offset.x),
            ):
                cell = bar.window_virtual_size / max(bar.size)
                assert abs(bar.position - at) <= cell / 8, (key, bar.vertical)
        table.go_to(50, 3)
        table.update(table_of(numbers(30).assign(**{f"c{n}": 123456 for n in range(20)}), "id"))
        await pilot.pause()
        assert table.vertical_scrollbar.position == table.scroll_offset.y > 0


async def test_the_line_that_a_scrollbar_leaves_gets_its_row() -> None:
    wide = numbers(40).assign(**{f"c{n}": 123456 for n in range(8)})
    async with showing(wide, "id") as pilot:
        table = pilot.app.query_one(TableView)
        await pilot.pause()
        table.focus()
        assert table.show_horizontal_scrollbar
        await pilot.press(*["down"] * (table.rows_in_sight - 1))
        table.update(table_of(numbers(40), "id"))
        await wait_until(lambda: not table.show_horizontal_scrollbar, lambda: shown(pilot))
        await wait_until(lambda: shown(pilot)[-1], lambda: shown(pilot))
        assert [line.split()[0] for line in shown(pilot)] == [
            "id",
            *(f"r{n:03}" for n in range(11)),
        ]
        table.update(table_of(wide, "id"))
        await pilot.press("down")
        await wait_until(lambda: table.show_horizontal_scrollbar, lambda: shown(pilot))
        await wait_until(lambda: table.scroll_offset.y == 1, lambda: shown(pilot))  # still in sight
        assert table.cursor_row == 10
