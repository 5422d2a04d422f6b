"""livetable.feed.arrow.cells: what Arrow makes of mixtures, and what is made of them here."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.arrow.cells import of_cells

DAY, NOON = dt.date(2020, 1, 1), dt.datetime(2020, 1, 2, 15, 30)
UTC, EAST = dt.UTC, dt.timezone(dt.timedelta(hours=5))
NANO = pd.Timestamp("2020-01-01 00:00:00.000000001")

KEPT: list[list[Any]] = [
    [DAY, None], [NOON, None], [NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=EAST)],
    [NANO, NOON], [2**70, -1, None], [Decimal("1.5"), Decimal("1.55")], ["a", None], [1, 2.5],
    [[1.5, 2], [], None],
    [[1], [2, 3]], [dt.timedelta(1), pd.Timedelta(1)], [dt.time(1, 2)],
]  # fmt: skip

REFUSED: list[list[Any]] = [
    [NOON.replace(tzinfo=UTC), NOON], [NOON, NOON.replace(tzinfo=UTC)],
    [dt.time(1, tzinfo=UTC)], [[DAY, NOON]], ["a", b"b"], [1, "a"], [True, 1], [{"a": 1}],
    [2**60 + 1, 0.5], [1.5, False], [np.float64(1), True], [[1.5], [True]], [[b"a"], ["b"]],
    [[{"a": 1.5}], [{"a": True}]], [[[1.5]], None, [[], [True]]],
]  # fmt: skip


@pytest.mark.parametrize("cells", KEPT, ids=str)
def test_what_is_kept_is_equal(cells: list[Any]) -> None:
    assert of_cells(cells).to_pylist() == cells


def test_a_date_among_times_is_its_midnight() -> None:
    midnight = dt.datetime(2020, 1, 1)
    assert of_cells([DAY, NOON]).to_pylist() == [midnight, NOON]
    assert of_cells([NOON, DAY, None]).to_pylist() == [NOON, midnight, None]


@pytest.mark.parametrize("cells", REFUSED, ids=str)
def test_what_would_become_another_is_refused(cells: list[Any]) -> None:
    with pytest.raises((pa.ArrowException, ValueError)):
        of_cells(cells)


def test_numpys_times() -> None:
    cells = [np.datetime64("2020-01-01T00:00:00.000000001", "ns"), None]
    assert of_cells(cells).to_pylist() == [NANO, None]
