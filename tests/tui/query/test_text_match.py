"""tui.query.text_match: which rows contain a text, as the screen shows their values."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.tui.model.table import Column
from livetable.tui.query.text_match import containing
from tests.tui.tables import table_of


@pytest.mark.parametrize(
    ("word", "values", "rows"),
    [
        ("TE", pa.array(["tech", "Fate", None, "x"]), [0, 1]),
        ("te", pa.array(["tech", "x", None, "tech"]).dictionary_encode(), [0, 3]),
        ("te", pa.array([None, None], type=pa.dictionary(pa.int8(), pa.string())), []),
        ("te", pa.array([None], type=pa.dictionary(pa.int8(), pa.int8())), []),
        ("te", pa.array([1, 2]), []),
        ("te", pa.array([1, 2]).dictionary_encode(), []),
        ("2.0", pa.array([1.0, 2.0, None, 12.05]), [1, 3]),
        ("1", pa.array([1, 21, 3]), [0, 1]),
        ("1.", pa.array([1.5, 21.25, 3]), [0, 1]),
        ("rue", pa.array([True, False, None]), [0]),
        ("e", pa.array([True, False, None]), [0, 1]),
        ("x", pa.array([True, False]), []),
        ("2026-01", pa.array([datetime.date(2026, 1, 3), datetime.date(2025, 1, 3)]), [0]),
        ("may", pa.array([datetime.date(2026, 1, 3)]), []),
        ("1.5", pa.array([Decimal("1.5"), Decimal("2.5")]), [0]),
        ("'a'", pa.array([["a"], ["b"]]), [0]),
    ],
)
def test_which_rows_contain_a_text(word: str, values: pa.Array, rows: list[int]) -> None:
    mask = containing(word, (Column("c", values), Column("i", None)), len(values))
    assert list(np.flatnonzero(mask)) == rows


@pytest.mark.parametrize(
    ("values", "word", "rows"),
    [
        (pd.to_timedelta(["1h", "2D"]), "01:00:00", [0]),
        (pd.to_timedelta(["1h", "2D"]), "36", []),
        (pd.to_datetime(["2026-01-01"] * 2).tz_localize("Europe/Berlin"), "+01:00", [0, 1]),
        (pd.to_datetime(["1890-01-01"]).tz_localize("Europe/Berlin"), "+00:53:28", [0]),
        ([112.0, 0.125], "12.000", [0]),
        ([2**53 + 1, 2**53], str(2**53 + 1), [0]),
        ([2**64 + 1, 5], "1617", [0]),
        ([math.inf, 1.0], "∞", [0]),
    ],
)
def test_search_finds_what_the_screen_shows(values: Any, word: str, rows: list[int]) -> None:
    table = table_of(pd.DataFrame({"v": values}))
    column = Column("v", table.values_at(table.titles.index("v")))
    assert np.flatnonzero(containing(word, (column,), table.rows)).tolist() == rows
