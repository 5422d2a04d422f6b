"""The arranged pane, its prompt and its view line: each key does what it says."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pandas as pd
import pytest
from textual import events
from textual.widgets import Input

from livetable.tui.query import find
from livetable.tui.terminal import key_order
from livetable.tui.widgets.prompt import Prompt, completed
from livetable.tui.widgets.table_view import LiveTable
from livetable.tui.widgets.view_line import ViewLine
from tests.tui.stage import frame, stage
from tests.tui.tables import table_of


async def test_sort_keys() -> None:
    async with stage() as on:
        await on.press("s")
        await on.becomes("bca")
        assert on.says == "sort price ↑ · live"
        assert "price↑" in on.pane.live_table.render_line(0).text
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
        await on.until(lambda: "order held" in on.says)
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
        table = on.pane.live_table
        await on.pilot.click(LiveTable, offset=(6, 0))
        await on.becomes("bca")
        assert table.arrows == {("price", 0): "↑"}
        await on.pilot.click(LiveTable, offset=(24, 0), shift=True)
        await on.until(lambda: len(table.arrows) == 2)
        await on.pilot.click(LiveTable, offset=(85, 0))  # beside the columns
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
        await on.until(lambda: "there is no column 'nope'" in on.hint)
        assert on.hint.index("^") == len("filter: price > 1 and ")
        assert on.ids == "ac"
        await on.press("enter")  # a wrong one stays open
        assert on.pane.query(Prompt)
        await on.press(*["backspace"] * 9, "enter")
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.screen.focused is on.pane.live_table
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
        assert "there is no column 'price'" in on.says


async def test_filter_by_the_cursors_value() -> None:
    async with stage() as on:
        await on.press("right", "right", "ampersand")
        await on.becomes("ac")
        assert "sector == 'x'" in on.says


async def test_search_finds_marks_and_goes_on() -> None:
    async with stage() as on:
        table = on.pane.live_table
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
        table = on.pane.live_table
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
        table = on.pane.live_table
        await on.press("slash", "tab")
        assert on.pane.query_one(Prompt).label == "search in price: "
        await on.type("1")
        await on.until(lambda: (table.cursor_row, table.cursor_column) == (1, 1))
        await on.press("tab")
        assert on.pane.query_one(Prompt).label == "search: "


async def test_tab_completes_a_column() -> None:
    async with stage() as on:
        await on.press("f")
        await on.type("pr")
        entry = on.pane.query_one(Input)
        await on.until(lambda: entry._suggestion == "price")
        await on.press("tab")
        assert entry.value == "price"


@pytest.mark.parametrize(
    ("text", "whole"),
    [("pri", "price"), ("n > 1 and PRI", "n > 1 and PRIce"), ("`cp", "`cpu %`"), ("cp", None),
     ("", None), ("price", None), ("x + ", None), ("zz", None)],
)  # fmt: skip
def test_completions(text: str, whole: str | None) -> None:
    assert completed(text, ["price", "cpu %", "n"]) == whole


async def test_a_million_rows_are_sorted_beside_the_event_loop() -> None:
    async with stage() as on:
        rows = 1_000_000
        big = pd.DataFrame({"id": range(rows), "v": range(rows, 0, -1)})
        on.pane.show(table_of(big, "id"))
        on.pane.live_table.go_to(0, 1)
        on.pane.action_sort(False)
        assert "working it out" in on.says
        shown = on.pane.live_table
        await on.until(lambda: shown.table and shown.table.identity(0) == (rows - 1,))
        await on.until(lambda: "working" not in on.says)


async def test_columns_are_hidden_and_shown() -> None:
    async with stage() as on:
        table = on.pane.live_table
        await on.press("minus")
        await on.until(lambda: table.table and table.table.titles == ("id", "cpu %", "sector"))
        assert table.cursor_column == 1
        await on.press("f")
        await on.type("price > 1")  # filters still know it
        await on.press("enter")
        await on.becomes("ac")
        on.pane.show(frame({"a": 9, "b": 9, "c": 0}))
        await on.becomes("ab")
        assert table.table is not None
        assert table.table.titles == ("id", "cpu %", "sector")
        await on.press("plus")
        await on.until(lambda: table.table and table.table.titles[1] == "price")
        assert on.ids == "ab"
        await on.press("plus", *["minus"] * 9)
        await on.until(lambda: table.table and len(table.table.titles) == 1)  # one stays


async def test_of_columns_with_one_title_the_right_one_is_hidden() -> None:
    async with stage() as on:
        twice = pd.DataFrame([[1, 2, 3]], columns=["x", "y", "x"])
        on.pane.show(table_of(twice))
        table = on.pane.live_table
        table.go_to(0, 1)
        await on.press("minus")
        await on.until(lambda: table.table and table.table.refs[1:] == (("y", 0), ("x", 1)))
        await on.press("right", "s")
        await on.until(lambda: table.arrows == {("x", 1): "↑"})


async def test_copying_a_cell_and_a_row() -> None:
    async with stage() as on:
        long = "中文 \x1b]52;c;eA==\x07 " + "x" * 500
        data = pd.DataFrame({"id": [long], "when": pd.to_datetime(["2026-01-02 03:04"]), "n": None})
        on.pane.show(table_of(data, "id"))
        on.pane.live_table.go_to(0, 0)
        await on.press("y")
        assert on.pilot.app.clipboard == long
        await on.press("right", "Y")
        assert on.pilot.app.clipboard == f"{long}\t2026-01-02 03:04:00\t"


async def test_keys_behind_enter_are_for_the_table() -> None:
    async with stage() as on:
        on.burst("slash", "b")
        await on.until(lambda: on.pane.live_table.cursor_column == 0)
        on.burst("enter", "s", "s")
        await on.becomes("cba")
        assert on.says == "sort id ↓ · live   search b"
        on.burst("f", "(", "enter", "escape", "s")
        await on.until(lambda: on.pane.chosen().sort == ())
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.chosen().filters == ()


@pytest.mark.parametrize(
    "keys",
    [
        ("price > 19", "backspace"),
        ("price 1", "left", "> ", "right"),
        ("rice > 1", "home", "p"),
        ("pprice > 1", "home", "delete"),
        ("nothing", "ctrl+u", "price > 1"),
        ("pr", "tab", " > 1"),
        (
            "pr",
            events.Paste("ice >\x1b 1\rnot this"),
        ),
        (events.Paste("price > 1"),),
        ("(", "enter", "backspace", "price > 1"),  # it says what is wrong, and goes on
    ],
    ids=str,
)
@pytest.mark.parametrize("opened", [False, True])
async def test_what_is_typed_in_one_go(keys: tuple[str | events.Paste, ...], opened: bool) -> None:
    async with stage() as on:
        if opened:
            await on.press("f")
            await on.until(lambda: on.pane.query(Prompt))
        on.burst(*(() if opened else "f"), *keys, "enter" if opened else "ctrl+j", "k", "j")
        await on.until(lambda: on.pane.live_table.cursor_row == 1)
        assert on.pane.chosen().filters == ("price > 1",)
        await on.becomes("ac")


async def test_keys_do_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_order, "_PATIENCE", 0.01)
    async with stage() as on:
        await on.press("f")
        on.pane.query_one(Prompt).settled.clear()  # as if its end were never dealt with
        await on.press("b", "enter")
        await on.until(lambda: on.pane.asked is None)
        await on.becomes("b")
