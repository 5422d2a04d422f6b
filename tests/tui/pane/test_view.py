"""tui.pane.view: the keys by which rows are sorted and filtered."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.tui.stage import frame, nothing_shown, stage
from tests.tui.tables import table_of


async def test_a_filter_whose_column_goes_away_is_told() -> None:
    async with stage() as on:
        await on.press("f")
        await on.type("price > 1")
        await on.press("enter")
        await on.becomes("ac")
        on.pane.show(table_of(pd.DataFrame({"id": list("ab")}), "id"))
        await on.becomes("ab")
        assert "No column 'price'" in on.says


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
