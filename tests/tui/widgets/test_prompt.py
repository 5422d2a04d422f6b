"""tui.widgets.prompt: a line that is typed into, and says what is wrong with it."""

from __future__ import annotations

import pandas as pd
from textual.widgets import Input

from tests.tui.stage import stage
from tests.tui.tables import table_of


async def test_a_filter_is_red_while_it_can_not_be_applied() -> None:
    async with stage() as on:
        times = pd.to_datetime(["2026-01-01", "2026-12-01", "2027-01-01"])
        on.pane.show(
            table_of(pd.DataFrame({"id": list("abc"), "created": times, "price": 1.0}), "id")
        )
        await on.press("f")
        await on.type("created > 2026-11-27")
        box = on.pane.query_one(Input)
        await on.until(lambda: box.has_class("-wrong"))
        assert "created is a time: put the date in quotes, created > '2026-11-27'" in on.hint
        assert on.pane.chosen().filters == ()
        await on.press("enter")
        assert on.pane.prompt is not None  # it is never applied
        assert on.ids == "abc"
        await on.press("home", *["right"] * 10, "'", "end", "'")
        await on.until(lambda: not box.has_class("-wrong"))
        await on.press("enter")
        await on.becomes("bc")


async def test_an_alert_and_a_column_are_refused() -> None:
    async with stage() as on:
        for key in ("W", "equals_sign"):
            await on.press(key)
            await on.type("sector / 2" if key != "W" else "sector > 2")
            await on.press("enter")
            assert on.pane.prompt is not None
            assert "sector is text" in on.hint
            await on.press("escape")
            await on.until(lambda: on.pane.prompt is None)
        assert not on.pane.alerts
        assert not on.pane.columns.computed
