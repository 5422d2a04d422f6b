"""tui.widgets.prompt: a line that is typed into, and says what is wrong with it."""

from __future__ import annotations

import pandas as pd
import pytest
from textual.widgets import Input

from livetable.tui.widgets.prompt import Prompt, completed
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


async def test_a_click_beside_a_prompt_leaves_it_its_keys() -> None:
    async with stage() as on:
        await on.press("slash", "b")
        await on.pilot.click(on.pane.table_view, offset=(3, 2))
        await on.press("c", "escape")
        await on.until(lambda: not on.pane.query(Prompt))
        await on.press("s")
        assert "sort" in on.says


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
