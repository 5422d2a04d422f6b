"""tui.pane.computed_columns: columns by a formula, and of changes."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import cells, frame, stage, titles
from tests.tui.tables import table_of


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
