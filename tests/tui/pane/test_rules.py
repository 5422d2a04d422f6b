"""tui.pane.rules: rows that get a colour by what they hold."""

from __future__ import annotations

from tests.tui.stage import frame, stage


async def test_rules() -> None:
    async with stage() as on:
        await on.press("r")
        await on.type("price > 2: re")
        assert "red, yellow" in on.hint
        await on.type("d")
        style = on.pane.table_view._lines[0][1].look
        await on.press("enter")
        assert "rule price > 2: red" in on.says
        looks = [cells[1].look for cells in on.pane.table_view._lines]
        assert looks[0] == style
        assert looks[0] & ~looks[1]
        on.pane.show(frame({"a": 1, "b": 9, "c": 2}))
        assert on.pane.table_view._lines[1][1].look & (7 << 16) == 1 << 16
        await on.press("r", "escape", "R")
        assert "rule" not in on.says
        await on.press("R")
