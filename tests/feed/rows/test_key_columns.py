"""feed.rows.key_columns: what a caller may name as a key, and what a frame must have for it."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.errors import BadFrame
from livetable.feed.frames.capture import capture
from livetable.feed.rows.key_columns import check_key, key_of


def test_one_label_or_a_list_of_them() -> None:
    assert key_of(None) == ()
    assert key_of("id") == ("id",)
    assert key_of(["id", 2]) == ("id", 2)
    assert key_of(("a", "b")) == (("a", "b"),)  # the label of a column with two levels
    several: tuple[object, ...] = ({"id": 1}, [["id"]], [{}])
    for wrong in several:
        with pytest.raises(ValueError, match="a column's label"):
            key_of(wrong)


def test_a_frame_has_each_key_column_once() -> None:
    frame = pd.DataFrame({"id": [1], "v": [2]})
    check_key(capture(frame), ("id", "v"), "orders")
    check_key(capture(pa.table({"id": [1]})), ("id",), "orders")
    with pytest.raises(BadFrame, match="no such column; there are 'id', 'v'"):
        check_key(capture(frame), ("x",), "orders")
    with pytest.raises(BadFrame, match="it is the index"):
        check_key(capture(frame.set_index("id")), ("id",), "orders")
    with pytest.raises(BadFrame, match="several columns called 'id'"):
        check_key(capture(pd.DataFrame([[1, 2]], columns=["id", "id"])), ("id",), "orders")
