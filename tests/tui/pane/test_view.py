"""tui.pane.view: the keys by which rows are sorted and filtered."""

from __future__ import annotations

import asyncio

import pandas as pd
import pytest

from livetable.tui.widgets.prompt import Prompt
from livetable.tui.widgets.table_view import TableView
from livetable.tui.widgets.view_line import ViewLine
from tests.tui.stage import frame, last_note, nothing_shown, stage
from tests.tui.tables import table_of


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


async def test_a_filter_shows_at_once_what_it_leaves() -> None:
    async with stage() as on:
        await on.press("f")
        assert on.pane.query_one(Prompt).label == "filter: "
        await on.type("price > 1")
        await on.becomes("ac")
        assert "2 of 3 rows" in on.says
        await on.type(" and nope")
        await on.until(lambda: "No column 'nope'" in on.hint)
        assert on.hint.index("^") == len("filter: price > 1 and ")
        assert on.ids == "ac"
        await on.press("enter")  # a wrong one stays open
        assert on.pane.query(Prompt)
        await on.press(*["backspace"] * 9, "enter")
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.screen.focused is on.pane.table_view
        on.pane.show(frame({"a": 0, "b": 7, "c": 2, "d": 4}))
        await on.becomes("bcd")
        await on.press("f")
        await on.type("'x'")
        await on.becomes("c")
        await on.press("enter", "F")
        await on.becomes("bcd")
        await on.press("F", "F")
        await on.becomes("abcd")


async def test_the_beginning_of_a_column_hides_nothing_until_enter() -> None:
    async with stage() as on:
        await on.press("f")
        for text in ("c", "p"):
            await on.type(text)
            assert on.ids == "abc"
        await on.type("x")  # in no column's title, and in no row
        await on.becomes("")
        await on.press("escape")
        await on.becomes("abc")
        await on.press("f")
        await on.type("p")
        await on.press("enter")
        await on.becomes("")


async def test_a_filter_can_be_given_up() -> None:
    async with stage() as on:
        await on.press("f")
        await on.type("y")
        await on.becomes("b")
        await on.press("escape")
        await on.becomes("abc")
        assert not on.pane.query(Prompt)


async def test_a_filter_whose_column_goes_away_is_told() -> None:
    async with stage() as on:
        await on.press("f")
        await on.type("price > 1")
        await on.press("enter")
        await on.becomes("ac")
        on.pane.show(table_of(pd.DataFrame({"id": list("ab")}), "id"))
        await on.becomes("ab")
        assert "No column 'price'" in on.says


async def test_filter_by_the_cursors_value() -> None:
    async with stage() as on:
        await on.press("right", "right", "ampersand")
        await on.becomes("ac")
        assert "sector == 'x'" in on.says


async def test_values_that_no_filter_tells() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"id": ["a", "b"], "v": [[1], [2]]}), "id"))
        await on.press("ampersand")
        await on.until(lambda: last_note(on) == "No filter can match this value.")
        assert on.ids == "ab"


@pytest.mark.parametrize(
    "keys",
    [
        ("slash", "escape"), ("slash", "x", "tab", "escape"), ("slash", "x", "enter", "n", "N"),
        ("enter",), ("i",), ("p",), ("P",), ("y",), ("Y",), ("x", "X"), ("ampersand",), ("m", "M"),
        ("b", "enter", "A", "B"), ("G", "g"), ("pagedown", "pageup"), ("w",), ("space", "space"),
        ("comma", "full_stop"), ("d", "d"), ("s", "S", "o"), ("minus", "plus"), ("z", "H", "L"),
    ],
)  # fmt: skip
async def test_keys_where_no_row_is_shown(keys: tuple[str, ...]) -> None:
    async with stage() as on:
        await nothing_shown(on)
        for at, key in enumerate(keys):
            await on.press(key)
            on.pane.show(frame({"a": at, "b": 1, "c": 2}))
            await on.pilot.pause()
        await on.press("escape")
        while on.pane.chosen().filters:
            await on.press("F")
        if not on.pane.chosen().groups:
            await on.until(lambda: set(on.ids) == set("abc"))
