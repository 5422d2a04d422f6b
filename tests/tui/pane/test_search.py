"""tui.pane.search: a text is looked for while it is typed, and again."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from livetable.tui.query import find
from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import frame, nothing_shown, stage


async def test_esc_goes_back_to_the_row_it_came_from() -> None:
    async with stage() as on:
        await on.press("j", "slash", "c")
        await on.until(lambda: on.pane.table_view.cursor_row == 2)
        on.pane.show(frame({"m": 9, "n": 9, "a": 3, "b": 1, "c": 2}))
        await on.press("escape")
        await on.until(lambda: on.pane.table_view.cursor_row == 3)


async def test_search_finds_marks_and_goes_on() -> None:
    async with stage() as on:
        table = on.pane.table_view
        await on.press("slash")
        await on.type("X")
        await on.until(lambda: (table.cursor_row, table.cursor_column) == (0, 3))
        assert table.needle == "x"
        await on.press("enter", "n")
        await on.until(lambda: table.cursor_row == 2)
        await on.press("n")
        await on.until(lambda: table.cursor_row == 0)
        await on.press("N")
        await on.until(lambda: table.cursor_row == 2)
        assert "search X" in on.says
        await on.press("slash")
        await on.type("nothing")
        await on.until(lambda: "nothing contains 'nothing'" in on.hint)
        await on.press("escape")
        assert table.needle == ""
        await on.until(lambda: table.cursor_row == 2)


async def test_matches_are_counted_while_the_first_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()
    from livetable.tui.query.text_match import containing

    def slow(*arguments: Any) -> Any:
        assert go_on.wait(10)
        return containing(*arguments)

    async with stage() as on:
        on.pane.show(frame(dict.fromkeys("abcdef", 1)))
        table = on.pane.table_view
        await on.press("slash")
        await on.type("x")
        await on.press("enter")
        await on.until(lambda: (table.cursor_row, table.cursor_column) == (0, 3))
        monkeypatch.setattr(find, "containing", slow)
        await on.press("n", "n", "n", "n", "N")  # a, c, e are x
        go_on.set()
        await on.until(lambda: table.cursor_row == 0)
        await on.press("n")
        await on.until(lambda: table.cursor_row == 2)


async def test_what_cant_be_searched_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise ValueError("of Arrow")

    async with stage() as on:
        monkeypatch.setattr(find, "containing", broken)
        await on.press("slash")
        await on.type("x")
        await on.until(lambda: "can't be searched: ValueError('of Arrow')" in on.hint)
        await on.press("escape", "n", "slash")
        assert on.pane.query_one(Prompt)


async def test_search_in_one_column() -> None:
    async with stage() as on:
        table = on.pane.table_view
        await on.press("slash", "tab")
        assert on.pane.query_one(Prompt).label == "search in price: "
        await on.type("1")
        await on.until(lambda: (table.cursor_row, table.cursor_column) == (1, 1))
        await on.press("tab")
        assert on.pane.query_one(Prompt).label == "search: "


async def test_back_from_a_search_begun_where_no_row_was() -> None:
    async with stage() as on:
        await nothing_shown(on)
        await on.press("slash")
        on.pane.show(frame({"a": -1, "b": 1}))  # a row comes meanwhile
        await on.becomes("a")
        await on.press("escape")
        assert on.pane.table_view.cursor_row == 0
