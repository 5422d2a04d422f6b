"""livetable.feed.arrow.cells: what Arrow makes of mixtures, and what is made of them here."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.arrow.cells import of_cells

DAY, NOON = dt.date(2020, 1, 1), dt.datetime(2020, 1, 2, 15, 30)
UTC, EAST = dt.UTC, dt.timezone(dt.timedelta(hours=5))
NANO = pd.Timestamp("2020-01-01 00:00:00.000000001")


class Colour(IntEnum):
    """Numbers with names."""

    RED = 1


class Letter(str, Enum):  # noqa: UP042  (that of people's code)
    """Texts with names."""

    A = "a"


KEPT: list[list[Any]] = [
    [DAY, None], [NOON, None], [NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=EAST)],
    [NANO, NOON], [2**70, -1, None], [Decimal("1.5"), Decimal("1.55")], ["a", None], [1, 2.5],
    [[1.5, 2], [], None],
    [1, np.float32(0.1), None], [np.int8(1), 300], [Colour.RED, 2], [np.str_("a"), Letter.A],
    [b"a", bytearray(b"b")], [[1], [2, 3]], [dt.timedelta(1), pd.Timedelta(1)], [dt.time(1, 2)],
]  # fmt: skip

REFUSED: list[list[Any]] = [
    [NOON.replace(tzinfo=UTC), NOON], [NOON, NOON.replace(tzinfo=UTC)],
    [dt.time(1, tzinfo=UTC)], [[DAY, NOON]], ["a", b"b"], [1, "a"], [True, 1], [{"a": 1}],
    [2**60 + 1, 0.5], [1.5, False], [np.float64(1), True], [[1.5], [True]], [[b"a"], ["b"]],
    [[{"a": 1.5}], [{"a": True}]], [[[1.5]], None, [[], [True]]],
    [1, np.True_], [[1], [np.False_]], [1, np.float16(0.1)], [1, np.longdouble("0.1")],
    [1, UUID(int=1)], [1.5, np.uint64(2**64 - 1)], [b"a", np.str_("a")], [b"a", Letter.A],
    [[{"a": 1}], [{"b": 1}]],
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


NUMPYS_DAY = np.datetime64("2020-01-01")


@pytest.mark.parametrize(
    "cells",
    [
        [NUMPYS_DAY, np.int8(1)], [NUMPYS_DAY, None, np.True_], [[NUMPYS_DAY], [np.float32(1)]],
        [NUMPYS_DAY, np.array([1.5])], [[[NUMPYS_DAY]], [[np.longdouble(1)]]],
    ],
    ids=str,
)  # fmt: skip
def test_numpys_times_beside_its_numbers_end_no_process(cells: list[Any]) -> None:
    # Arrow dies of most of these.
    with pytest.raises((pa.ArrowException, ValueError)):
        of_cells(cells)


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless += [endless, endless]
    with pytest.raises((pa.ArrowException, ValueError)):
        of_cells([endless])


def test_numpys_times() -> None:
    cells = [np.datetime64("2020-01-01T00:00:00.000000001", "ns"), None]
    assert of_cells(cells).to_pylist() == [NANO, None]
