"""tui.grid.header_drag: a header that is dragged moves its column, or makes it wider."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.grid.header_drag import Drag
from livetable.tui.grid.layout import Layout
from livetable.tui.text.column_style import LEAST_WIDTH
from livetable.tui.widgets.table_view import TableView
from tests.tui.stage import stage, titles
from tests.tui.tables import table_of


async def test_headers_are_dragged() -> None:
    async with stage() as on:
        table = on.pane.table_view

        async def drag(start: int, end: int) -> None:
            await on.pilot.mouse_down(TableView, offset=(start, 0))
            await on.pilot.hover(TableView, offset=((start + end) // 2, 0))
            await on.pilot.hover(TableView, offset=(end, 0))
            await on.pilot.mouse_up(TableView, offset=(end, 0))
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
        await on.pilot.click(TableView, offset=(starts(1), 0))
        await on.until(lambda: table.arrows == {("price", 0): "↑"})


LAYOUT = Layout(table_of(pd.DataFrame({name: ["x" * 9] for name in "abcdef"}), "a", "b"))


def test_a_header_is_taken_by_its_edge_or_by_itself() -> None:
    start, width = LAYOUT.starts[3], LAYOUT.formats[3].width
    for x, resizes in ((start, False), (start + width - 1, False), (start + width, True)):
        drag = Drag.start(LAYOUT, x, 0)
        assert drag is not None
        assert (drag.column, drag.resizes) == (3, resizes)
        scrolled = Drag.start(LAYOUT, x - 4, 4)  # the same place on the screen's line
        assert scrolled is not None
        assert (scrolled.column, scrolled.resizes) == (3, resizes)
    assert Drag.start(LAYOUT, LAYOUT.total + 30, 0) is None


@given(st.integers(0, 90), st.integers(-20, 120), st.integers(0, 40))
def test_a_column_lands_among_its_own_kind_and_is_never_too_narrow(
    taken: int, dropped: int, left: int
) -> None:
    drag = Drag.start(LAYOUT, taken, left)
    if drag is None:
        return
    assert drag.wide(dropped) == max(LEAST_WIDTH, drag.width + dropped - taken)
    to = drag.column + drag.step(LAYOUT, dropped, left)
    assert 0 <= to < len(LAYOUT.formats)
    assert (to < LAYOUT.fixed) == (drag.column < LAYOUT.fixed)
    assert drag.step(LAYOUT, taken, left) == 0  # let go where it was taken
