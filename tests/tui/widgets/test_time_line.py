"""tui.widgets.time_line: which time is shown, and a click at another."""

from __future__ import annotations

from livetable.tui.widgets.time_line import TimeLine
from tests.tui.stage import cells, frame, stage


async def test_a_time_is_clicked() -> None:
    async with stage() as on:
        for price in range(1, 40):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("comma")
        says = str(on.pane.query_one(TimeLine).render())
        bar = min(says.index("━"), says.index("●"))
        await on.pilot.click(TimeLine, offset=(bar, 0))
        await on.pilot.pause()
        assert on.ids == "abc"
        await on.pilot.click(TimeLine, offset=(bar + 7, 0))
        await on.pilot.pause()
        assert cells(on, 1) == [39, 0]
