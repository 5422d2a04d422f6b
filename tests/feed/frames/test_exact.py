"""livetable.feed.frames.exact: integers that pandas rounded come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.feed.frames.exact import exact

BIG = (1 << 53) + 1


def restored(cells: list[Any]) -> pd.Series[Any]:
    frame = pd.DataFrame({"n": pd.Series(cells, dtype="float64")})
    return exact(frame, lambda label: cells)["n"]


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        ([BIG, None], "Int64"), ([np.int64(BIG), None], "Int64"), ([1 << 70, None], "object"),
        ([BIG, 0.5], "object"), ([1, None], "float64"), ([float(BIG), 0.5], "float64"),
    ],
)  # fmt: skip
def test_integers_among_missing_values(cells: list[Any], dtype: str) -> None:
    column = restored(cells)
    assert str(column.dtype) == dtype
    if dtype != "float64":
        assert column[0] == cells[0]


def test_what_is_not_known_stays() -> None:
    frame = pd.DataFrame({"n": [float(BIG)], "t": ["x"]})
    assert exact(frame, lambda label: None)["n"].tolist() == [float(BIG)]
    assert exact(frame, lambda label: [1, 2])["n"].tolist() == [float(BIG)]
