"""tui.pane.alerts: conditions that are typed, and rows that are told of."""

from __future__ import annotations

from livetable.tui.widgets.prompt import Prompt
from tests.tui.stage import frame, stage


async def test_alerts_in_a_viewer() -> None:
    async with stage() as on:
        await on.press("W")
        await on.type("price >")
        await on.press("enter")
        await on.until(lambda: "Can't parse this" in on.hint)
        assert on.pane.query(Prompt)
        await on.type(" 4")
        await on.press("enter")
        await on.until(lambda: not on.pane.query(Prompt))
        assert on.pane.alerts.conditions == ("price > 4",)
        on.pane.show(frame({"a": 9, "b": 1, "c": 2}))
        await on.until(lambda: [alert.row for alert in on.pane.alerts.past] == ["a"])
        on.pane.show(frame({"a": 9, "b": 7, "c": 2}))
        await on.until(lambda: [alert.row for alert in on.pane.alerts.past] == ["a", "b"])
        await on.press("E")
        await on.until(lambda: len(on.pane.app.screen_stack) == 2)
        await on.press("escape")
        await on.press("W", "enter")
        await on.until(lambda: on.pane.alerts.conditions == ())
        on.pane.show(frame({"a": 1, "b": 1, "c": 9}))
        await on.becomes("abc")
        assert len(on.pane.alerts.past) == 2
