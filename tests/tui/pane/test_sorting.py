"""tui.pane.sorting: the keys by which rows are sorted."""

from __future__ import annotations

import asyncio

from livetable.tui.widgets.table_view import TableView
from livetable.tui.widgets.view_line import ViewLine
from tests.tui.stage import frame, stage


async def test_sort_keys() -> None:
    async with stage() as on:
        await on.press("s")
        await on.becomes("bca")
        assert on.says == "sort price ↑ · live"
        assert "price↑" in on.pane.table_view.render_line(0).text
        on.pane.show(frame({"a": 3, "b": 9, "c": 2}))
        await on.becomes("cab")
        await on.press("s")
        await on.becomes("bac")
        await on.press("s")
        await on.becomes("abc")
        assert not on.pane.query_one(ViewLine).display
        await on.press("right", "right", "s", "left", "left", "S")
        await on.becomes("cab")
        assert on.says == "sort sector ↑, price ↑ · live"


async def test_the_order_is_held_and_asked_for_once() -> None:
    async with stage() as on:
        await on.press("o")  # nothing is sorted yet
        await on.press("s", "o")
        await on.becomes("bca")
        await on.until(lambda: "order frozen" in on.says)
        on.pane.show(frame({"a": 0, "b": 1, "c": 2, "d": -1}))
        await on.becomes("bcad")
        await on.press("o")
        await on.becomes("dabc")
        assert "sorted once" in on.says
        on.pane.show(frame({"a": 5, "b": 1, "c": 2, "d": 9}))
        await asyncio.sleep(0.05)
        assert on.ids == "dabc"
        await on.press("o")
        await on.becomes("bcad")


async def test_a_header_click_sorts() -> None:
    async with stage() as on:
        table = on.pane.table_view
        await on.pilot.click(TableView, offset=(6, 0))
        await on.becomes("bca")
        assert table.arrows == {("price", 0): "↑"}
        await on.pilot.click(TableView, offset=(24, 0), shift=True)
        await on.until(lambda: len(table.arrows) == 2)
        await on.pilot.click(TableView, offset=(85, 0))  # beside the columns
        await on.pilot.pause()
        assert len(table.arrows) == 2
