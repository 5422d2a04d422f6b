"""tui.widgets.view_line: how the table is shown, and in red what is not applied."""

from __future__ import annotations

from rich.style import Style
from textual.widgets import Input

from livetable.tui.widgets.view_line import ViewLine
from tests.tui.stage import Stage, priced, stage


def red(on: Stage) -> str:
    """Return what is red of the view line."""
    line = on.pane.query_one(ViewLine)
    style = line.get_component_rich_style("viewline--wrong", partial=True)
    text = line._text
    return "".join(
        text.plain[span.start : span.end]
        for span in text.spans
        if isinstance(span.style, Style) and span.style == style
    )


async def test_a_filter_that_can_no_longer_be_applied_is_told() -> None:
    async with stage() as on:
        await on.press("f", *"price>1", "enter")
        await on.becomes("ac")
        assert red(on) == ""
        on.pane.show(priced(["x", "y"]))
        await on.becomes("ab")
        says = "price is text: put the value in quotes, price>1"
        assert red(on).startswith(" filter not applied price>1: price is text")
        assert says[:20] in on.says
        on.pane.show(priced([0, 2]))
        await on.becomes("b")
        assert red(on) == ""


async def test_a_rule_that_can_no_longer_be_applied_is_told() -> None:
    async with stage() as on:
        await on.press("r", *"price>1:red", "enter")
        await on.until(lambda: "rule" in on.says)
        assert red(on) == ""
        on.pane.show(priced(["x", "y"]))
        await on.until(lambda: red(on).startswith(" rule not applied price>1: red: price is text"))
        await on.press("r")
        await on.type("price>1:blue")
        await on.until(lambda: on.pane.query_one(Input).has_class("-wrong"))
