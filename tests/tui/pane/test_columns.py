"""tui.pane.columns: the keys by which columns are hidden, moved, written otherwise, worked out."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.tui.query.column_choice import AS_IT_CAME
from livetable.tui.text.column_style import NumberForm, Shade
from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import cells, frame, last_note, line, stage, titles
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


async def test_columns_are_made_wider_fitted_and_aligned() -> None:
    async with stage() as on:
        widget = on.pane.table_view

        def width() -> int:
            form = widget.format_of(1)
            assert form is not None
            return form.width

        before = width()
        await on.press("greater_than_sign", "greater_than_sign")
        assert width() == before + 4
        await on.press(*["less_than_sign"] * 6)
        assert width() == 3
        on.pane.show(frame({"a": 123456, "b": 1}))
        assert "12…" in line(on, 1)  # a number that is cut says so
        await on.press("w")
        assert "123456.0" in line(on, 1) or "123456" in line(on, 1)
        await on.press("w")
        assert on.pane.columns.styles == ()
        await on.press("a")
        assert widget.format_of(1).right is False  # type: ignore[union-attr]
        await on.press("a")
        assert on.pane.columns.styles == ()


async def test_numbers_are_written_otherwise() -> None:
    async with stage() as on:
        on.pane.show(frame({"a": 1234.5, "b": 0.25}))
        await on.press("percent_sign")
        assert "1,234.50" in line(on, 1)
        await on.press(*["percent_sign"] * (len(NumberForm) - 1))
        assert "1234.5" in line(on, 1)
        await on.press("right_parenthesis")
        assert "1234.500" in line(on, 1)
        await on.press(*["left_parenthesis"] * 9)
        assert "1234 " in line(on, 1)
        assert "≈0" in line(on, 2)
        await on.press("U")
        await on.type("ms")
        await on.press("enter")
        assert "1234 ms" in line(on, 1)
        await on.press("v")
        assert "████████ 1234 ms" in line(on, 1)
        await on.press("v", "v")
        assert on.pane.columns.style_of[("price", 0)].shade is Shade.NONE
        await on.press("h", "percent_sign", "v", "U", "right_parenthesis", "d")
        assert len(on.pane.columns.styles) == 1  # a column of texts has none of these
        await on.until(lambda: "numeric columns" in last_note(on))


async def test_columns_are_worked_out() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("twice = price * 2")
        await on.press("enter")
        assert titles(on)[-1] == "twice"
        assert cells(on, 4) == [6, 2, 4]
        await on.press("equals_sign")
        await on.type("`cpu %` >= nope")
        assert "No column 'nope'" in on.hint
        await on.press("enter", "escape")
        assert not on.pane.query(Prompt)
        await on.press("f")
        await on.type("twice > 3")
        await on.press("enter")
        await on.becomes("ac")
        await on.press("$", "s")
        await on.becomes("ca")
        on.pane.show(frame({"a": 1, "b": 5, "c": 9}))
        await on.becomes("bc")
        await on.press("minus")
        await on.until(lambda: "No column 'twice'" in on.says)
        assert titles(on)[-1] == "sector"
        await on.press("equals_sign", "enter")
        assert titles(on)[-1] == "sector"


async def test_changes_are_a_column() -> None:
    async with stage() as on:
        await on.press("d")
        assert titles(on) == ("id", "price", "Δ price", "cpu %", "sector")
        assert cells(on, 2) == [None, None, None]
        on.pane.show(frame({"a": 4, "b": 1, "d": 2}))
        assert cells(on, 2) == [1, 0, None]
        await on.press("d")
        assert titles(on)[2] == "%Δ price"
        assert cells(on, 2) == [pytest.approx(1 / 3), 0, None]
        await on.press("d")
        assert cells(on, 2) == [1, 0, None]
        await on.press("d")
        assert titles(on) == ("id", "price", "cpu %", "sector")


async def test_a_broken_column_is_told() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("x = price + 1")
        await on.press("enter")
        on.pane.show(table_of(pd.DataFrame({"id": ["a"], "other": [1]}), "id"))
        await on.until(lambda: "x: No column 'price'" in on.says)
        on.pane.show(frame({"a": 1}))
        assert cells(on, 4) == [2]


async def test_colours_of_up_and_down() -> None:
    async with stage() as on:
        widget = on.pane.table_view
        await on.press("u")
        assert widget.has_class("-red-up")
        await on.press("u")
        assert widget.has_class("-blue-up")
        assert not widget.has_class("-red-up")
        await on.press("u")
        assert not widget.has_class("-blue-up")


async def test_a_computed_column_that_is_removed_is_told() -> None:
    async with stage() as on:
        await on.press("equals_sign")
        await on.type("twice = price * 2")
        await on.press("enter", "$", "s")
        await on.until(lambda: "sort twice" in on.says)
        chosen = on.pane.columns
        on.pane.columns = AS_IT_CAME  # pressed before it is seen to be gone: nothing is left to do
        on.pane.action_hide()
        on.pane.columns = chosen
        await on.press("minus")
        await on.until(lambda: "sort" not in on.says)
        assert last_note(on) == "twice is gone: = twice = price * 2 makes it again"


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
