"""tui.query.find: the next match from a place, and the one before."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from livetable.tui.query.arrange import PLAIN, Arrangement, arrange, with_filter
from livetable.tui.query.find import Matches
from livetable.tui.text.column_format import ColumnFormat
from livetable.tui.text.column_style import ColumnStyle, NumberForm
from tests.tui.query.tables import SECTOR_TABLE as TABLE
from tests.tui.query.tables import by
from tests.tui.tables import table_of


def test_the_next_match_and_the_one_before() -> None:
    table = arrange(TABLE, Arrangement(sort=(by("id", True),))).table  # f e d c b a
    assert Matches(table, "x").find((0, 0), 0) == (0, 1)
    assert Matches(table, "x").find((0, 1), 0) == (0, 1)
    assert Matches(table, "x").find((0, 1), 1) == (2, 1)
    assert Matches(table, "x").find((5, 1), 1) == (0, 1)  # round the end
    assert Matches(table, "x").find((2, 0), -1) == (0, 1)
    assert Matches(table, "x").find((0, 1), 3) == (0, 1)
    assert Matches(table, "x").find((2, 3), -2) == (0, 1)
    assert Matches(table, "x").find((2, 3), -1) == (2, 1)
    assert Matches(table, "x").find((0, 0), -1) == (5, 1)
    assert Matches(table, "2").find((0, 0), 1) == (1, 2)
    assert Matches(table, "2", 3).find((0, 0), 1) == (4, 3)
    assert Matches(table, "nothing").find((0, 0), 1) is None
    hidden = arrange(TABLE, with_filter(PLAIN, "sector == 'y'")).table
    assert Matches(hidden, "x").find((0, 0), 1) is None
    counted = table_of(pd.DataFrame({"v": ["p", "q"]}, index=pd.RangeIndex(70, 72)))
    assert Matches(counted, "71").find((0, 0), 1) == (1, 0)


def test_search_finds_numbers_as_they_are_written() -> None:
    table = table_of(pd.DataFrame({"v": [1_234_567, 5]}))
    form = ColumnFormat(pa.int64(), ColumnStyle(form=NumberForm.THOUSANDS))
    assert Matches(table, "1,234", None, lambda at: form).find((0, 0), 0) == (0, 1)
    assert Matches(table, "1,234").find((0, 0), 0) is None
