"""livetable.feed.blocks: many columns at once are what they are one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.arrays import columns_of
from livetable.feed.blocks import ArrowColumns, arrow_columns
from livetable.feed.encode import Encoder
from livetable.feed.frames import capture
from tests.ugly import ugly_frames

TYPES = ["f8", "f4", "f2", "i8", "i1", "u4", "g", "c16", "?", "O", "M8[ns]"]


def one_by_one(frame: pd.DataFrame) -> ArrowColumns:
    found = ArrowColumns(frame.shape[1])
    for place, values in enumerate(columns_of(frame)):
        found.put(place, values)
    return found


def same(frame: pd.DataFrame) -> None:
    alike(arrow_columns(frame), one_by_one(frame))


def alike(got: ArrowColumns, expected: ArrowColumns) -> None:
    assert got.dtypes == expected.dtypes
    assert got.kinds == expected.kinds == [one.type for one in got.arrays]
    assert got.texts == expected.texts
    for mine, other in zip(got.arrays, expected.arrays, strict=True):
        assert mine.null_count == other.null_count
        assert str(mine) == str(other)  # NaN is the same as NaN here


@pytest.mark.parametrize("name", [name for name, one in ugly_frames().items()
                                  if isinstance(one, pd.DataFrame)])  # fmt: skip
def test_every_ugly_frame(name: str) -> None:
    same(pd.DataFrame(ugly_frames()[name]))


@given(
    st.lists(st.tuples(st.sampled_from(TYPES), st.integers(1, 4)), max_size=5),
    st.integers(0, 5), st.randoms(use_true_random=False),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_blocks_in_any_order(kinds: list[tuple[str, int]], rows: int, random: Any) -> None:
    """Blocks of numbers, of what are none, contiguous or not, and columns anywhere among them."""
    each = [kind for kind, count in kinds for _ in range(count)]
    random.shuffle(each)
    frame = pd.DataFrame(
        {at: np.arange(at, at + rows).astype(kind) for at, kind in enumerate(each)}, copy=True
    )
    same(frame)
    same(frame.iloc[::-1])
    same(frame.iloc[1:, ::2])
    same(pd.DataFrame(np.arange(rows * 3.0).reshape(rows, 3)))  # in memory row by row


def test_the_other_byte_order() -> None:
    same(pd.DataFrame({"a": np.arange(3, dtype=">i4"), "b": np.arange(3, dtype=">i4")}, copy=True))


def test_another_pandas() -> None:
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": [2.5, 3.5], "c": ["x", None]})
    expected = one_by_one(frame)
    other = SimpleNamespace(shape=frame.shape, _mgr=None, iloc=frame.iloc)
    alike(arrow_columns(cast(pd.DataFrame, other)), expected)


def test_the_bytes_hold_no_more_than_the_frame() -> None:
    """Columns are pieces of one array: each must go on the wire by itself, not all of it."""
    wide = pd.DataFrame(np.zeros((1000, 50)))
    assert len(Encoder()(capture(wide)).data) < 1000 * 50 * 8 * 1.2
