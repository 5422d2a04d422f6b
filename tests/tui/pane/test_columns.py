"""tui.pane.columns: the keys by which columns are hidden, moved, written otherwise, worked out."""

from __future__ import annotations

import pandas as pd

from livetable.tui.query.column_choice import AS_IT_CAME
from tests.tui.stage import frame, last_note, stage, titles
from tests.tui.tables import table_of


async def test_columns_are_moved_kept_and_shown_again() -> None:
    async with stage() as on:
        await on.press("L")
        assert titles(on) == ("id", "cpu %", "price", "sector")
        assert on.pane.table_view.cursor_column == 2
        await on.press("H", "shift+right")
        assert titles(on) == ("id", "cpu %", "price", "sector")
        await on.press("z")
        assert titles(on) == ("id", "price", "cpu %", "sector")
        assert on.pane.table_view.table is not None
        assert on.pane.table_view.table.fixed == 2
        await on.press("-")
        assert titles(on) == ("id", "cpu %", "sector")
        on.pane.show(frame({"a": 1, "z": 5}))
        assert titles(on) == ("id", "cpu %", "sector")
        await on.press("plus")
        assert titles(on) == ("id", "price", "cpu %", "sector")


async def test_a_computed_column_that_is_removed_is_told() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("twice = price * 2")
        await on.press("enter", "$", "s")
        await on.until(lambda: "sort twice" in on.says)
        chosen = on.pane.state.columns
        on.pane.state.columns = AS_IT_CAME  # as a key does before the next paint
        on.pane.columns.action_hide()
        on.pane.state.columns = chosen
        await on.press("minus")
        await on.until(lambda: "sort" not in on.says)
        assert last_note(on) == "twice removed. To restore it: = twice = price * 2"


async def test_columns_are_hidden_and_shown() -> None:
    async with stage() as on:
        table = on.pane.table_view
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
        table = on.pane.table_view
        table.go_to(0, 1)
        await on.press("minus")
        await on.until(lambda: table.table and table.table.refs[1:] == (("y", 0), ("x", 1)))
        await on.press("right", "s")
        await on.until(lambda: table.arrows == {("x", 1): "↑"})
