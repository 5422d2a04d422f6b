"""tui.query.time_arithmetic: times, dates and durations compared and calculated with."""

from __future__ import annotations

import pandas as pd
import pytest

from livetable.tui.query.arrange import filter_mask
from livetable.tui.query.nodes import BadExpression
from tests.tui.tables import table_of


def test_an_hour_that_the_clock_skips() -> None:
    times = pd.to_datetime(["2026-03-29 00:59:59", "2026-03-29 01:00:00"]).tz_localize("UTC")
    table = table_of(pd.DataFrame({"t": times.tz_convert("Europe/Berlin")}))
    for text, expected in (
        ("t >= '2026-03-29 02:30'", [False, True]),
        ("t == '2026-03-29T01:00Z'", [False, True]),
        ("t < '2026-03-29 03:00'", [True, False]),
    ):
        assert filter_mask(table, text).tolist() == expected
    naive = table_of(pd.DataFrame({"t": pd.to_datetime(["2026-01-01"])}))
    with pytest.raises(BadExpression, match="has no zone"):
        filter_mask(naive, "t > '2026-01-01T00:00Z'")
