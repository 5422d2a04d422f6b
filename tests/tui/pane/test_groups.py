"""tui.pane.groups: groups that open and close, and rules that give rows a look."""

from __future__ import annotations

from livetable.tui.query.arrange import Arrangement
from tests.tui.stage import cells, frame, last_note, stage, titles


async def test_groups_open_and_close() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.becomes("xy")
        assert titles(on) == ("sector", "rows", "last(id)", "sum(price)", "sum(cpu %)")
        assert cells(on, 3) == [5, 1]
        await on.press("l", "l", "l", "A")
        await on.until(lambda: titles(on)[3] == "mean(price)")
        assert cells(on, 3) == [2.5, 1]
        on.pane.show(frame({"a": 9, "b": 1, "c": 2}))
        await on.until(lambda: cells(on, 3) == [5.5, 1])
        await on.press("s")
        await on.becomes("yx")
        await on.press("enter")
        await on.becomes("b")
        assert "sector == 'y'" in on.says
        await on.press("B")
        await on.becomes("yx")
        await on.press("B")
        await on.becomes("abc")
        await on.press("B", "A")
        await on.until(lambda: "group first" in last_note(on))


async def test_groups_by_two_columns() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.becomes("xy")
        await on.press("b")
        await on.until(lambda: "another column" in last_note(on))
        await on.press("l", "l", "b")
        await on.becomes("xyx")
        assert titles(on)[:3] == ("sector", "id", "rows")
        await on.press("enter")
        await on.becomes("a")


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


async def test_esc_leaves_groups_and_their_keys_are_shown_there() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.until(lambda: "by sector" in on.says)
        assert on.pane.idle_actions == frozenset()
        await on.press("B")
        await on.until(lambda: "by sector" not in on.says)
        assert on.pane.idle_actions == {"ungroup", "total"}


async def test_columns_of_groups_stay_where_they_are() -> None:
    async with stage() as on:
        await on.press("$", "b")
        await on.becomes("xy")
        await on.press("l", "l", "L", "H", "z", "minus", "C", "escape")
        assert on.pane.app.is_running
        await on.press("B")
        await on.becomes("abc")


async def test_a_remembered_group_can_be_left() -> None:
    async with stage() as on:
        on.pane.choose(Arrangement(groups=(("sector", 0),)))
        await on.becomes("xy")
        await on.press("B")
        await on.becomes("abc")
