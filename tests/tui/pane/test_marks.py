"""tui.pane.marks: what differs from a state that was marked."""

from __future__ import annotations

from tests.tui.stage import frame, line, stage


async def test_what_differs_from_the_mark() -> None:
    async with stage() as on:
        await on.press("m")
        on.pane.show(frame({"a": 4, "b": 1, "d": 7}))
        await on.until(lambda: "1 changed · 1 added · 1 removed (c)" in on.says)
        assert "4.0" in line(on, 1) or "4" in line(on, 1)
        looks = [[cell.look for cell in row] for row in on.pane.table_view._lines]
        marked, new = 2048, 4096
        assert looks[0][1] & marked
        assert not looks[1][1] & marked
        assert looks[2][0] & new
        await on.press("m")
        await on.until(lambda: "0 changed · 0 added · 0 removed" in on.says)
        assert not on.pane.table_view._lines[0][1].look & marked
        await on.press("M")
        assert "since" not in on.says
