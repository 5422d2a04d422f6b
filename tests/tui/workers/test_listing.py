"""tui.workers.listing: which tables there are, as they come and go."""

from __future__ import annotations

from livetable.feed.protocol.table_info import TableInfo
from livetable.tui.output.text_formats import as_text
from livetable.tui.target import Target
from livetable.tui.workers.listing import Listed, as_table, target_of


def test_listing() -> None:
    info = TableInfo("orders", "e", 3, 1000, 20, 1.5, 61.0, 99, "job.py")
    listing = [Listed("ipc:///x", "orders", 99, info), Listed("ipc:///y", "new", 7, answers=False)]
    text = as_text(as_table(listing, 1), "table")
    assert "1 m" in text
    assert "gone" in text
    assert target_of(listing, 0) == Target("ipc:///x", "orders")
    assert target_of(listing, 9) is None
    assert as_table([], 1).rows == 0
