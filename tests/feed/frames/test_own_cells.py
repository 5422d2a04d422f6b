"""livetable.feed.frames.own_cells: what a caller could still change is copied."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.frames.own_cells import own_cell, own_cells


class Own:
    """A cell with code of its own."""


@pytest.mark.parametrize(
    "cell", [[1], {"a": [1]}, {1}, bytearray(b"x"), deque([1]), np.array([1]), pd.Series([1])]
)
def test_containers_are_copied(cell: Any) -> None:
    own = own_cell(cell)
    assert own is not cell
    assert type(own) is type(cell)
    assert repr(own) == repr(cell)


def test_nested_containers_are_copied_and_endless_ones_end() -> None:
    inner = [1]
    own = own_cell(([inner], {"k": inner}))
    inner.append(2)
    assert own == ([[1]], {"k": [1]})
    endless: list[Any] = []
    endless.append(endless)
    assert own_cell(endless) is not endless


def test_other_cells_stay() -> None:
    for cell in (1, "x", None, pd.Timestamp(0), Own()):
        assert own_cell(cell) is cell


def test_a_cell_that_can_not_be_copied_stays() -> None:
    class Stubborn(list[int]):
        def __copy__(self) -> Any:
            raise RuntimeError("no")

    stubborn = Stubborn([1])
    assert own_cell(stubborn) is stubborn


@pytest.mark.parametrize(
    ("values", "beside"),
    [
        ([1.5, 2.5], False), (["x", None], False), ([[1], [2]], True), ([Own(), 1], True),
        (pd.Series([1, None], dtype="Int64"), False),
        (pd.Series([1, 2], dtype=pd.ArrowDtype(pa.int64())), False),
    ],
)  # fmt: skip
def test_which_frames_may_run_code_of_their_own(values: Any, beside: bool) -> None:
    held = pd.DataFrame({"c": pd.Series(values, dtype=getattr(values, "dtype", None))})
    before = held.copy(deep=True)
    assert own_cells(held) is beside
    assert held.astype(str).equals(before.astype(str))


def test_a_list_in_a_cell_is_the_frames_own() -> None:
    cells = [[1]]
    held = pd.DataFrame({"c": pd.Series(cells, dtype=object)})
    own_cells(held)
    cells[0].append(2)
    assert held["c"][0] == [1]
