"""tui.widgets.table_grid: rows in sight are drawn, and stay where they are through updates."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from livetable.tui.grid.cells import Look
from livetable.tui.grid.mark import FLASH_SECONDS
from livetable.tui.widgets.table_view import TableView
from tests.tui.stage import TableApp
from tests.tui.tables import table_of
from tests.tui.widgets.test_table_view import numbers, showing, shown
from tests.ugly import ugly_frames
from tests.waiting import wait_until


async def test_draws_header_and_rows() -> None:
    async with showing(numbers(3), "id") as pilot:
        assert shown(pilot)[:4] == [
            " id      v  w",
            " r000  1.0  2",
            " r001  1.0  2",
            " r002  1.0  2",
        ]


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


async def test_flashes_wait_for_a_terminal_that_is_not_ready() -> None:
    async with showing(numbers(3), "id") as pilot:
        app = pilot.app
        assert isinstance(app, TableApp)
        table = app.table
        table.is_ready = lambda: False
        table.update(table_of(numbers(3).assign(v=2.0), "id"))
        app.now += FLASH_SECONDS
        table._end_flashes()
        assert "▲" in shown(pilot)[1]  # painted later, when the terminal is ready
        table.is_ready = lambda: True
        table._end_flashes()
        assert "▲" not in shown(pilot)[1]


async def test_formats_and_messages() -> None:
    async with showing(numbers(3), "id") as pilot:
        table = pilot.app.query_one(TableView)
        assert [table.format_of(column) is None for column in (-1, 0, 2, 3)] == [
            True, False, False, True,
        ]  # fmt: skip
        table.message = "evil\x1b[2J"
        assert "\x1b" not in table.message
    empty = TableView()
    assert (empty.table, empty.format_of(0)) == (None, None)


async def test_the_cursor_goes_to_its_row_when_the_next_table_comes() -> None:
    async with showing(numbers(30), "id") as pilot:
        table = pilot.app.query_one(TableView)
        table.go_after_update(20)
        assert table.cursor_row == 0
        table.update(table_of(numbers(30), "id"))
        assert table.cursor_row == 20
        table.update(table_of(numbers(30), "id"))  # once only
        assert table.cursor_row == 20
