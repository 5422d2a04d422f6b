"""livetable.feed.rows.dataframe: a state comes back as the DataFrame that was sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.rows.dataframe import to_arrow, to_dataframe
from livetable.feed.rows.replica import Followed, followed
from tests.ugly import ugly_frames

UGLY = {name: one for name, one in ugly_frames().items() if isinstance(one, pd.DataFrame)}


def state_of(frame: Any) -> Followed:
    return followed(Decoder()(Encoder()(capture(frame)).data))


@pytest.mark.parametrize("name", UGLY)
def test_every_ugly_frame_comes_back(name: str) -> None:
    frame = UGLY[name]
    back = to_dataframe(state_of(frame))
    assert back.shape == frame.shape
    assert list(back.columns.names) == list(frame.columns.names)
    if frame.columns.nlevels == 1:
        assert list(map(repr, back.columns)) == list(map(repr, frame.columns))
    assert back.index.nlevels == frame.index.nlevels
    assert list(back.index.names) == list(frame.index.names)
    arrow = to_arrow(state_of(frame))
    assert arrow.num_rows == (len(frame) if arrow.num_columns else 0)


def test_values_are_the_same() -> None:
    frame = pd.DataFrame(
        {
            "n": [1, 2**53 + 1], "x": [0.5, np.nan], "s": ["a", None], "b": [True, False],
            "t": [pd.Timestamp("2026-01-01"), pd.NaT], "c": pd.Categorical(["u", "v"]),
        },
        index=pd.Index(["p", "q"], name="k"),
    )  # fmt: skip
    pd.testing.assert_frame_equal(to_dataframe(state_of(frame)), frame, check_dtype=False)
    missing = pd.DataFrame({"n": pd.array([2**53 + 1, None], "Int64")})
    back = to_dataframe(state_of(missing))
    assert back["n"].dtype == "Int64"
    assert back["n"][0] == 2**53 + 1
    many = pd.DataFrame(
        [[1, 2]],
        columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["u", "v"]),
        index=pd.MultiIndex.from_tuples([("x", 1)], names=["i", "j"]),
    )
    pd.testing.assert_frame_equal(to_dataframe(state_of(many)), many)
    stepped = pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(3, 7, 2, name="r"))
    pd.testing.assert_frame_equal(to_dataframe(state_of(stepped)), stepped)
