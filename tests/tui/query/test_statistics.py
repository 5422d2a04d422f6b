"""tui.query.statistics: a column in figures, each of them exact."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.tui.model.table import Table
from livetable.tui.query.arrange import Arrangement, arrange
from livetable.tui.query.statistics import figures_of
from tests.tui.query.tables import DEAL_TABLE as TABLE
from tests.tui.tables import table_of
from tests.ugly import ugly_frames


def figures(table: Table, title: str) -> dict[str, str]:
    return {name: text for name, text, _ in figures_of(table, (title, 0)) if name}


def test_figures_of_numbers() -> None:
    frame = pd.DataFrame({"v": [1.0, 2.0, 3.0, 4.0, math.nan, math.inf], "w": range(6)})
    found = figures(table_of(frame), "v")
    assert found["rows"] == "6"
    assert found["NaN"] == "1  16.7%"
    assert (found["min"], found["max"], found["mean"], found["50%"]) == ("1", "inf", "inf", "3")
    assert sum(int(text) for name, text in found.items() if name.startswith("from ")) == 4
    filtered = arrange(table_of(frame), Arrangement(filters=("w < 2",))).table
    assert figures(filtered, "v")["max"] == "2"
    assert figures(TABLE, "gone") == {"gone": "No such column now"}


def test_figures_of_texts_and_times() -> None:
    found = figures(TABLE, "sector")
    assert (found["missing"], found["distinct"], found["tech"]) == ("1  16.7%", "2", "3  50.0%")
    times = table_of(pd.DataFrame({"t": pd.to_datetime(["2026-01-02 00:00", "2026-01-01 12:00"])}))
    assert figures(times, "t")["first"] == "2026-01-01 12:00:00"


def test_figures_of_ugly_columns() -> None:
    for frame in ugly_frames().values():
        table = table_of(frame)
        for ref in table.refs[:8]:
            assert figures_of(table, ref)


def test_figures_of_large_whole_numbers_and_decimals() -> None:
    table = table_of(
        pa.table(
            {
                "same": [10**18 + 1] * 4,
                "n": [2**53 + 1, 2**53 + 3, 1, 2],
                "near": [1.0000001, 1.0000002] * 2,
                "d": [Decimal("1.00000000000000000001")] * 4,
            }
        )
    )

    def said(title: str) -> dict[str, str]:
        ref = table.refs[table.titles.index(title)]
        return {name: text for name, text, _ in figures_of(table, ref)}

    assert said("same")["max"] == "1,000,000,000,000,000,001"
    assert said("same")["sum"] == "4,000,000,000,000,000,004"
    assert said("n")["max"] == "9,007,199,254,740,995"
    assert said("n")["mean"].startswith("≈")
    assert {"1.0000001", "1.0000002"} <= set(said("near"))
    assert (said("d")["min"], said("d")["sum"]) == ("≈1", "≈4")


@pytest.mark.parametrize(
    ("values", "name", "text"),
    [
        (pd.array([1, 2, None], dtype="Int64"), "distinct", "2"),
        ([0.0, -0.0, np.nan], "distinct", "1"),
        ([1.0, np.inf], "max", "inf"),
        ([1, 2, 3, 4], "std", "≈1.29099"),
        ([1.0], "std", "NaN"),
        ([2**62, 2**62 + 1], "std", "≈0.707107"),
        ([2**62, 2**62 + 2], "mean", f"{2**62 + 1:,}"),
        ([2**62, 2**62 + 2, 2**62 + 9], "50%", f"{2**62 + 2:,}"),
        ([Decimal("9" * 38)] * 2, "sum", f"{2 * (10**38 - 1):,}"),
        ([Decimal("0.1"), Decimal("0.2")], "mean", "0.15"),
    ],
)  # fmt: skip
def test_figures_are_exact(values: Any, name: str, text: str) -> None:
    assert figures(table_of(pd.DataFrame({"v": values})), "v")[name] == text
