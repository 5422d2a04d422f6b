"""tui.grid.mark: what changed in a row since it was last shown, and since the mark."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.grid.cells import CHANGED, DOWN, FAINT, UP
from livetable.tui.grid.layout import Layout
from livetable.tui.grid.mark import (
    FADE_SECONDS,
    UNKNOWN,
    Seen,
    differences,
    direction,
    end_flashes,
    then_of,
)
from livetable.tui.text.column_format import ColumnFormat
from tests.tui.tables import table_of

NUMBERS, TEXTS = (ColumnFormat(kind) for kind in table_of({"n": [1], "t": ["a"]}).types[1:])


def test_flashes_end_or_become_faint() -> None:
    row = Seen(flashes={0: (1.0, UP, True), 1: (1.0, DOWN, False), 2: (5.0, CHANGED, True)})
    assert end_flashes(row, 1.0) == [0, 1]
    assert row.flashes == {0: (1.0 + FADE_SECONDS, UP | FAINT, False), 2: (5.0, CHANGED, True)}
    assert row.flash_end == 1.0 + FADE_SECONDS
    assert end_flashes(row, 4.0) == [0]
    assert end_flashes(row, 99.0) == [2]  # too late to fade
    assert (row.flashes, row.flash_end) == ({}, math.inf)
    assert end_flashes(row, 99.0) == []


def test_changes_of_a_row_that_was_not_shown_are_unknown() -> None:
    assert differences(None, (0, 1), (1, 2)) is None
    assert differences(Seen(columns=(0, 2), values=(1, 2)), (0, 1), (1, 2)) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8))
def test_changes_are_found_by_position(pairs: list[tuple[int, int]]) -> None:
    before, after = (tuple(pair[side] for pair in pairs) for side in (0, 1))
    columns = tuple(range(len(pairs)))
    found = differences(Seen(columns=columns, values=before), columns, after)
    assert found == [index for index, (old, new) in enumerate(pairs) if old != new]


@pytest.mark.parametrize(
    ("old", "new", "form", "expected"),
    [
        (1, 2, NUMBERS, UP),
        (2, 1, NUMBERS, DOWN),
        (None, 1, NUMBERS, CHANGED),
        (1, None, NUMBERS, CHANGED),
        (math.nan, 1.0, NUMBERS, CHANGED),
        ("a", "b", TEXTS, CHANGED),
    ],
)
def test_only_numbers_go_up_and_down(old: Any, new: Any, form: ColumnFormat, expected: int) -> None:
    assert direction(old, new, form) == expected


def test_values_at_the_mark() -> None:
    then = table_of(pd.DataFrame({"id": ["a", "b"], "n": [1, 2], "was": [1, 1]}), "id")
    now = table_of(pd.DataFrame({"id": ["b", "c"], "n": [3, 4], "was": ["x", "y"]}), "id")
    values = then_of(now, then, Layout(now), (0, 1, 2), [0, 1])
    assert values == [("b", 2, UNKNOWN), None]  # `was` has another type now; c is new
    other = table_of(pd.DataFrame({"id": ["b"], "new": [1]}), "id")
    assert then_of(other, then, Layout(other), (0, 1), [0]) == [("b", UNKNOWN)]
