"""tui.grid.header_drag: a header that is dragged moves its column, or makes it wider."""

from __future__ import annotations

from livetable.tui.widgets.table_view import LiveTable
from tests.tui.stage import stage, titles


async def test_headers_are_dragged() -> None:
    async with stage() as on:
        table = on.pane.live_table

        async def drag(start: int, end: int) -> None:
            await on.pilot.mouse_down(LiveTable, offset=(start, 0))
            await on.pilot.hover(LiveTable, offset=((start + end) // 2, 0))
            await on.pilot.hover(LiveTable, offset=(end, 0))
            await on.pilot.mouse_up(LiveTable, offset=(end, 0))
            await on.pilot.pause()

        def starts(column: int) -> int:
            layout = table._composer.layout
            assert layout is not None
            return layout.starts[column] if column < len(layout.starts) else layout.total

        assert titles(on) == ("id", "price", "cpu %", "sector")
        await drag(starts(1), starts(3))
        assert titles(on) == ("id", "cpu %", "sector", "price")
        await drag(starts(3), 80)  # beside the columns: to the end, where it is
        assert titles(on) == ("id", "cpu %", "sector", "price")
        await drag(starts(3), 0)  # the fixed column stays the first
        assert titles(on) == ("id", "price", "cpu %", "sector")
        assert table.arrows == {}  # nothing was sorted by it
        wide = starts(2) - starts(1)
        await drag(starts(2) - 1, starts(2) + 4)
        assert starts(2) - starts(1) == wide + 5
        await drag(starts(2) - 1, 0)
        assert starts(2) - starts(1) == 3 + 2
        await drag(85, 80)  # no column
        assert table.arrows == {}
        await on.pilot.click(LiveTable, offset=(starts(1), 0))
        await on.until(lambda: table.arrows == {("price", 0): "↑"})
