"""tui.query.arithmetic: calculations are as exact as Python's."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.arithmetic import calculate
from livetable.tui.query.exact import Exact


@given(
    st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
    st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9),
    st.sampled_from(["+", "-", "*", "//", "%"]),
)
def test_whole_numbers_are_pythons(one: int, other: int, sign: str) -> None:
    found = calculate(sign, pa.array([one]), pa.array([other]))
    values: list[Any] = found.values if isinstance(found, Exact) else found.to_pylist()
    if other or sign in "+-*":
        pythons = {"+": one + other, "-": one - other, "*": one * other}
        if other:
            pythons |= {"//": one // other, "%": one % other}
        assert values == [pythons[sign]]
    else:
        assert not math.isfinite(values[0])
