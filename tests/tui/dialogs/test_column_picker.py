"""tui.dialogs.column_picker: which columns are shown, picked from a list."""

from __future__ import annotations

import pandas as pd
from textual.widgets import OptionList

from livetable.tui.dialogs.column_picker import ColumnsScreen
from tests.tui.stage import stage, titles
from tests.tui.tables import table_of


async def test_columns_are_picked_from_a_list() -> None:
    async with stage() as on:
        await on.press("C", "j", "space", "j", "space", "enter")
        assert titles(on) == ("id", "sector")
        await on.press("C")
        picker = on.pane.app.screen
        assert isinstance(picker, ColumnsScreen)
        assert picker.hidden == {("price", 0), ("cpu %", 0)}
        says = [str(option.prompt) for option in picker.query_one(OptionList).options]
        assert says[:2] == ["[x] id  text", "[ ] price  whole number"]
        await on.press("a", "k", "escape")
        assert titles(on) == ("id", "sector")
        await on.press("C", "a", "a", "enter")
        assert titles(on) == ("id",)  # none at all is no table


async def test_a_hidden_column_that_is_away_comes_back_hidden() -> None:
    async with stage() as on:
        await on.press("C", "j", "space", "enter")
        whole = on.pane.history.at(1)
        on.pane.show(table_of(pd.DataFrame({"id": ["a"], "cpu %": 1}), "id"))
        await on.press("C", "j", "space", "space", "enter")
        on.pane.show(whole)
        assert titles(on) == ("id", "cpu %", "sector")
