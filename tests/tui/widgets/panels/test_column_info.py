"""tui.widgets.panels.column_info: a column in figures, worked out beside the event loop."""

from __future__ import annotations

from livetable.tui.widgets.panels.column_info import InfoPanel
from livetable.tui.widgets.panels.panel import Panel
from livetable.tui.widgets.panels.row_detail import DetailPanel
from tests.tui.stage import body, frame, stage


async def test_a_column_in_figures() -> None:
    async with stage() as on:
        await on.press("i")
        panel = on.pane.query_one(InfoPanel)
        await on.until(lambda: "distinct" in body(panel))
        assert "column price" in str(panel._title.content)
        on.pane.show(frame({"a": 1, "b": 5, "c": 5}))
        await on.until(lambda: "3.66667" in body(panel))
        await on.press("l", "l")
        await on.until(lambda: "column sector" in str(panel._title.content))
        await on.press("enter")  # another panel takes its place
        assert on.pane.query(DetailPanel)
        assert not on.pane.query(InfoPanel)
        on.pane.panels.back()
        await on.pilot.pause()
        assert not on.pane.query(Panel)
        assert not on.pane.panels.is_open
