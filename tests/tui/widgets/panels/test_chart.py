"""tui.widgets.panels.chart: columns and rows drawn as lines."""

from __future__ import annotations

import pytest

from livetable.tui.widgets.panels.chart import ChartPanel, drawing
from tests.tui.stage import last_note, stage


async def test_charts() -> None:
    async with stage() as on:
        await on.press("h", "p")
        await on.until(lambda: "numeric columns" in last_note(on))
        await on.press("l", "p")
        panel = on.pane.query_one(ChartPanel)
        await on.until(lambda: "price by row" in str(panel._title.content))
        await on.press("l", "p")
        panel = on.pane.query_one(ChartPanel)
        await on.until(lambda: "price, cpu % by row" in str(panel._title.content))
        await on.press("p")
        await on.press("h", "P")
        panel = on.pane.query_one(ChartPanel)
        await on.until(lambda: "of row a" in str(panel._title.content))
        await on.press("P")
        assert not on.pane.query(ChartPanel)


def test_a_chart_is_as_wide_as_it_may_be_whatever_the_terminal() -> None:
    pytest.importorskip("plotext")
    text = drawing({"n": ([0.0, 1.0, 2.0], [1.0, 3.0, 2.0])}, 190, 12)
    assert {len(line) for line in text.plain.splitlines()[:-1]} == {190}
