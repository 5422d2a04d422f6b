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
        with pytest.raises(ValueError, match="must be a column's label"):
            key_of(wrong)


FRAME = pd.DataFrame([[1, 2, 3]], columns=["id", "x", "x"], index=pd.Index([7], name="n"))


def test_a_frame_needs_its_key_once() -> None:
    check_key(capture(FRAME), ("id",), "t")
    with pytest.raises(BadFrame, match="several columns called 'x'"):
        check_key(capture(FRAME), ("x",), "t")
    with pytest.raises(BadFrame, match=r"it is the index, send frame\.reset_index\(\)"):
        check_key(capture(FRAME), ("n",), "t")
    with pytest.raises(BadFrame, match="no column 'y', the key of table 't'; its columns: 'id'"):
        check_key(capture(FRAME), ("y",), "t")
    with pytest.raises(BadFrame, match="its columns: none"):
        check_key(capture(pd.DataFrame()), ("y",), "t")
    check_key(capture(pa.table({"id": [1]})), ("id",), "t")
