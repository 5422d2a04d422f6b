"""livetable.feed.arrow.borrowed: what the feed lends itself is no caller's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from livetable.feed.arrow.borrowed import lent
from livetable.feed.frames.outside_references import writable_from_outside
from tests.feed.copy_on_write import needs_copy_on_write


@needs_copy_on_write
def test_no_copy_of_what_pandas_alone_has() -> None:
    for frame in (
        pd.DataFrame({"a": np.ones(5), "b": 1.0, "t": pd.date_range("2020", periods=5)}),
        pd.DataFrame(np.ones((5, 3))),
        pd.DataFrame({"a": range(5), "s": "x"}),
    ):
        again, column = frame.copy(deep=False), frame.iloc[:, 0]
        assert not writable_from_outside(pd.DataFrame(frame))
        lent_ones = [
            lent(block.values)
            for block in frame._mgr.blocks
            if isinstance(block.values, np.ndarray)
        ]
        assert not writable_from_outside(pd.DataFrame(frame))  # while it is encoded
        del again, column, lent_ones
