"""tui.widgets.panels.row_detail: the cursor's row in full, and its numbers over time."""

from __future__ import annotations

from livetable.tui.widgets.panels.row_detail import DetailPanel
from tests.tui.stage import body, frame, stage


async def test_a_row_in_full() -> None:
    async with stage() as on:
        for price in (4, 5, 3.25):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("enter")
        panel = on.pane.query_one(DetailPanel)
        await on.until(lambda: "3.25" in body(panel))
        await on.until(lambda: "▁▅█▂" in body(panel))
        await on.press("j")
        await on.until(lambda: "row b" in str(panel._title.content))
        on.pane.show(frame({"a": 1, "b": 77}))
        await on.until(lambda: "77" in body(panel))
        await on.press("J", "K", "enter")
        assert not on.pane.query(DetailPanel)
