"""tui.query.comparison: numbers are compared by what they are, whatever their types."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.comparison import compare
from livetable.tui.query.exact import Literal, decimals


@given(
    st.integers(-(2**64), 2**65) | st.integers(-3, 3),
    st.floats(allow_nan=False) | st.integers(-3, 3).map(float),
    st.sampled_from(["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]),
)
def test_whole_numbers_beside_floats(one: int, other: float, name: str) -> None:
    expected = {
        "equal": one == other, "not_equal": one != other, "less": one < other,
        "less_equal": one <= other, "greater": one > other, "greater_equal": one >= other,
    }[name]  # fmt: skip
    whole = decimals([one], pa.decimal256(76, 0))
    floats = pa.array([other])
    assert compare(name, whole, floats).to_pylist() == [expected]
    assert compare(name, whole, Literal(other)).to_pylist() == [expected]
    assert compare(name, Literal(one), floats).to_pylist() == [expected]
