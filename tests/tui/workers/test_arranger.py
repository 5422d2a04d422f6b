"""tui.workers.arranger: the newest table and the newest wish, off the event loop."""

from __future__ import annotations

import pandas as pd

from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.workers.arranger import Arranger
from tests.tui.stage import stage
from tests.tui.tables import table_of


def test_an_older_result_is_not_shown_after_a_newer_one() -> None:
    arranger = Arranger(lambda: None)
    chosen = Arrangement(sort=(SortKey(("v", 0)),))
    arranger._result = arrange(table_of(pd.DataFrame({"v": [1, 2, 3]})), chosen)
    done = arranger.arrange_now(table_of(pd.DataFrame({"v": [2, 1]})), chosen)
    assert done is not None
    assert done.table.rows == 2
    assert arranger.take() is None


async def test_a_million_rows_are_sorted_beside_the_event_loop() -> None:
    async with stage() as on:
        rows = 1_000_000
        big = pd.DataFrame({"id": range(rows), "v": range(rows, 0, -1)})
        on.pane.show(table_of(big, "id"))
        on.pane.live_table.go_to(0, 1)
        on.pane.action_sort(False)
        assert "working it out" in on.says
        shown = on.pane.live_table
        await on.until(lambda: shown.table and shown.table.identity(0) == (rows - 1,))
        await on.until(lambda: "working" not in on.says)
