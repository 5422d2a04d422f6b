"""tui.widgets.panels.panel: a panel draws no more than is seen, and until it is whole."""

from __future__ import annotations

import pytest

from livetable.tui.widgets.panels.row_detail import DetailPanel
from tests.tui.stage import body, frame, stage


async def test_a_long_past_is_read_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.tui.model.row_history.BUDGET_SECONDS", 0)
    async with stage() as on:
        for price in (4, 5, 3.25):
            on.pane.show(frame({"a": price, "b": 0}))
        await on.press("enter")
        panel = on.pane.query_one(DetailPanel)
        await on.until(lambda: "▁▅█▂" in body(panel))  # a frame a time, and again until it is whole
        await on.until(lambda: panel.is_whole)
