"""tui.pane.panels: what opens beside the table follows the cursor."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.tui.widgets.panels.row_detail import DetailPanel
from tests.tui.stage import frame, last_note, stage
from tests.tui.tables import table_of


async def test_a_row_that_is_looked_at_stays_the_cursors() -> None:
    async with stage() as on:
        await on.press("s", "s")
        await on.becomes("acb")
        await on.press("enter")
        panel = on.pane.query_one(DetailPanel)
        await on.until(lambda: "row a" in str(panel._title.content))
        on.pane.show(frame({"a": 0, "b": 1, "c": 2}))
        await on.becomes("cba")
        assert on.pane.table_view.cursor_row == 2  # it was the first line, and is the row's now
        on.pane.show(frame({"a": 9, "b": 1, "c": 2}))
        await on.becomes("acb")
        assert on.pane.table_view.cursor_row == 0
        await on.press("enter")
        on.pane.show(frame({"a": 0, "b": 1, "c": 2}))
        await on.becomes("cba")
        assert on.pane.table_view.cursor_row == 0  # the top is looked at again


async def test_without_something_to_draw_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.tui.widgets.panels.chart.available", lambda: False)
    async with stage() as on:
        await on.press("p")
        says = 'charts need one more package: pip install "livetable[chart]"'
        await on.until(lambda: last_note(on) == says)


async def test_what_opens_does_not_cover_the_cursor() -> None:
    async with stage() as on:
        on.pane.show(table_of(pd.DataFrame({"id": range(40), "v": range(40)}), "id"))
        widget = on.pane.table_view
        widget.go_to(widget.rows_in_sight - 1, 1)
        row = widget.cursor_row
        await on.press("p")
        await on.until(lambda: widget.rows_in_sight < row)
        assert widget.view.top <= widget.cursor_row == row
        assert row < widget.view.top + widget.rows_in_sight
