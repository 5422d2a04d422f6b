"""livetable.feed.frames.outside_references: who else holds a frame's memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.feed.frames.outside_references import is_held_elsewhere, writable_from_outside
from tests.feed.copy_on_write import needs_copy_on_write


@needs_copy_on_write
def test_a_frame_of_pandas_own_memory() -> None:
    assert not writable_from_outside(pd.DataFrame({"a": [1.5, 2.5], "b": [1, 2], "c": ["x", "y"]}))


MADE: dict[str, Any] = {
    "frame": lambda array: pd.DataFrame(array, copy=False),
    "series": lambda array: pd.Series(array, copy=False).to_frame(),
    "column": lambda array: pd.DataFrame({"a": pd.Series(array, copy=False)}, copy=False),
}


@needs_copy_on_write
@pytest.mark.parametrize("made", MADE)
def test_an_array_that_its_caller_holds(made: str) -> None:
    array = np.zeros((4, 2)) if made == "frame" else np.zeros(4)
    frame: pd.DataFrame = MADE[made](array)
    assert writable_from_outside(frame)
    del array
    assert not writable_from_outside(frame)


def test_memory_that_is_not_numpys() -> None:
    memory = bytearray(32)
    frame = pd.DataFrame(np.frombuffer(memory).reshape(4, 1), copy=False)
    assert writable_from_outside(frame)


@needs_copy_on_write
def test_frames_of_one_memory_do_not_count() -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5]})
    others = [frame.copy(deep=False), frame[["a"]], frame.iloc[:1]]
    assert not writable_from_outside(frame)
    assert others


def test_an_index_over_an_array_of_the_callers() -> None:
    array = np.array([3, 1, 2])
    index = pd.Index(array, copy=False)
    assert is_held_elsewhere(index)
    del array
    assert not is_held_elsewhere(index)
    assert index.get_loc(1) == 1  # makes what finds labels, which holds the array, too
    assert not is_held_elsewhere(index)


def test_indexes_without_an_array() -> None:
    assert not is_held_elsewhere(pd.RangeIndex(3))
    assert not is_held_elsewhere(pd.MultiIndex.from_tuples([(1, 2)]))
