"""tui.workers.arranger: the newest table and the newest wish, off the event loop."""

from __future__ import annotations

import pandas as pd

from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.workers.arranger import Arranger
from tests.tui.tables import table_of


def test_an_older_result_is_not_shown_after_a_newer_one() -> None:
    arranger = Arranger(lambda: None)
    chosen = Arrangement(sort=(SortKey(("v", 0)),))
    arranger._result = arrange(table_of(pd.DataFrame({"v": [1, 2, 3]})), chosen)
    done = arranger.arrange_now(table_of(pd.DataFrame({"v": [2, 1]})), chosen)
    assert done is not None
    assert done.table.rows == 2
    assert arranger.take() is None
