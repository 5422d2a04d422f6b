"""livetable.feed.sources.demo: the same seed makes the same market."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.feed.sources import demo


def test_same_seed_same_market() -> None:
    def play(seed: int) -> pd.DataFrame:
        market = demo.Market(50, 12, seed)
        for _ in range(20):
            market.step(100)
        return market.frame()

    pd.testing.assert_frame_equal(play(3), play(3))
    assert not play(3).equals(play(4))
    frame = play(3)
    assert frame.shape == (50, 12)
    assert frame["symbol"].is_unique
    assert (frame["bid"] < frame["ask"]).all()


@pytest.mark.parametrize(("rows", "columns"), [(0, 9), (1, 1), (30_000, 2)])
def test_markets_of_any_size(rows: int, columns: int) -> None:
    market = demo.Market(rows, columns, 1)
    market.step(1)
    assert market.frame().shape == (rows, columns)
    if columns:
        assert market.frame()["symbol"].is_unique
