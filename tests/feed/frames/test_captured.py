"""livetable.feed.frames.captured: the last rows, and columns in the types of `schema=`."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.errors import BadFrame
from livetable.feed.frames.capture import capture
from livetable.feed.frames.captured import Captured, with_types

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})


@pytest.mark.parametrize("frame", [FRAME, TABLE], ids=["pandas", "arrow"])
def test_the_last_rows(frame: object) -> None:
    last = Captured(frame, (3, 2), beside=True).last(2)
    assert (last.shape, last.beside) == ((2, 2), True)
    assert list(last.frame["a"].to_pylist() if frame is TABLE else last.frame["a"]) == [2, 3]


@pytest.mark.parametrize("frame", [FRAME, TABLE], ids=["pandas", "arrow"])
def test_columns_get_their_types(frame: object) -> None:
    typed = with_types(capture(frame), {json.dumps("a"): pa.float64()})
    column = typed.frame["a"]
    assert str(column.type if frame is TABLE else column.dtype) in ("double", "double[pyarrow]")
    assert [float(cell) for cell in pd.Series(column)] == [1.0, 2.0, 3.0]
    assert list(FRAME["a"]) == [1, 2, 3]  # the caller's is as it was


def test_what_does_not_fit_names_the_column() -> None:
    with pytest.raises(BadFrame, match=r"can't convert column 'b' to int64 \(schema=\)"):
        with_types(capture(FRAME), {json.dumps("b"): pa.int64()})


def test_a_column_of_that_type_is_left_alone() -> None:
    typed = with_types(capture(FRAME), {json.dumps("a"): pa.int64()})
    assert str(typed.frame["a"].dtype) == "int64"
