"""tui.embed.embedded_table: keys in the order they were typed, in an app of others."""

from __future__ import annotations

from textual import events

from livetable import LiveTable
from livetable.tui.embed.embedded_table import EmbeddedTable
from tests.tui.embed.host import FRAME, host


async def test_keys_have_their_effect_before_the_next_one() -> None:
    async with host(LiveTable(key="id", features=("filter",))) as on:
        on.table.show(FRAME)
        await on.shows("abc")
        table = on.table.table_view
        assert isinstance(table, EmbeddedTable)
        for key in ("down", "right", "ampersand", "x", "F"):
            on.app.post_message(events.Key(key, None))
        await on.until(lambda: on.app.pressed == ["x"])
        await on.until(lambda: on.table.chosen().filters == ())
        await on.shows("abc")
        assert table.cursor_column == 2


async def test_a_prompt_opened_without_a_key_gets_the_focus() -> None:
    async with host(LiveTable(key="id")) as on:
        on.table.show(FRAME)
        await on.shows("abc")
        await on.app.run_action("filter", on.table)
        await on.until(lambda: on.app.focused is not on.table.table_view)
        await on.pilot.press(*"price>2", "enter")
        await on.shows("ac")


async def test_a_paste_without_a_prompt_is_the_apps() -> None:
    async with host(LiveTable(key="id")) as on:
        on.table.show(FRAME)
        await on.shows("abc")
        on.app.post_message(events.Paste("price > 2"))
        await on.pilot.press("x")
        await on.until(lambda: on.app.pressed == ["x"])
        assert on.table.chosen().filters == ()
