"""livetable.feed.protocol.labels."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.protocol.labels import from_json, to_json, to_text

plain = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"))
)
labels = st.recursive(plain, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=5)


@given(labels)
def test_round_trip(label: object) -> None:
    back = from_json(json.loads(json.dumps(to_json(label))))
    assert back == label
    assert type(back) is type(label)


@pytest.mark.parametrize(
    ("label", "as_json", "text"),
    [
        (np.int64(3), ["int", "3"], "3"),
        (np.float64(0.5), ["float", "0.5"], "0.5"),
        (np.bool_(True), True, "True"),
        (pd.Timestamp("2026-01-02"), ["time", "2026-01-02T00:00:00"], "2026-01-02 00:00:00"),
        (datetime.date(2026, 1, 2), ["time", "2026-01-02"], "2026-01-02"),
        (pd.Timedelta(1, "s"), ["text", "0 days 00:00:01"], "0 days 00:00:01"),
        (None, None, ""),
        (float("nan"), ["float", "nan"], ""),
        (("a", None, 1), ["tuple", ["a", None, ["int", "1"]]], "a · 1"),
        (pd.Interval(0, 1), ["text", "(0, 1]"], "(0, 1]"),
    ],
)
def test_known(label: object, as_json: object, text: str) -> None:
    assert to_json(label) == as_json
    assert to_text(label) == text


class Item:
    def item(self) -> object:
        raise ValueError


def test_item_that_raises() -> None:
    assert to_json(Item())[0] == "text"


@pytest.mark.parametrize("value", [{}, [], ["int", 1], ["what", "x"], ["tuple", "x"], 1])
def test_no_label(value: object) -> None:
    with pytest.raises(ValueError, match="label"):
        from_json(value)
