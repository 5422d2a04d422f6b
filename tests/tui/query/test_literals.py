"""tui.query.literals: a value as it is written is that value again, and no other."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.arrange import filter_mask
from livetable.tui.query.literals import written
from tests.tui.tables import table_of

DATES = st.dates()
TYPES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2),
    pa.uint64(): st.integers(0, 2**64 - 1) | st.integers(0, 2),
    pa.float64(): st.floats(allow_nan=False),
    pa.float32(): st.floats(allow_nan=False, width=32),
    pa.decimal128(30, 4): st.integers(-(10**29), 10**29).map(lambda n: Decimal(n).scaleb(-4)),
    pa.string(): st.text(max_size=12),
    pa.large_string(): st.text(alphabet="a'\"\\`\n\x00 é", max_size=4),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["x", "it's", ""]),
    pa.bool_(): st.booleans(),
    pa.date32(): DATES,
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("ns"): st.integers(-(2**62), 2**62),
    pa.timestamp("s", "UTC"): st.integers(-(2**35), 2**35),
    pa.timestamp("ms", "Asia/Kolkata"): st.integers(-(2**40), 2**40),
    pa.time64("us"): st.times(),
    pa.duration("ns"): st.integers(-(2**62), 2**62),
    pa.duration("us"): st.timedeltas(
        datetime.timedelta(days=-10_000), datetime.timedelta(days=10_000)
    ),
}


@pytest.mark.parametrize("kind", TYPES, ids=str)
@given(st.data())
def test_a_value_is_found_by_how_it_is_written(kind: pa.DataType, data: st.DataObject) -> None:
    values = data.draw(st.lists(TYPES[kind], min_size=1, max_size=5))
    array = pa.array(values, kind)
    text = written(array.slice(0, 1))
    assert text is not None
    found = filter_mask(table_of(pa.table({"v": array})), f"v == {text}").tolist()
    plain = array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array
    if pa.types.is_temporal(kind):  # of nanoseconds Python has no values of its own
        plain = plain.view(pa.int32() if kind.bit_width == 32 else pa.int64())
    first, *_ = every = plain.to_pylist()
    assert found == [one == first for one in every]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pa.array([math.inf]), "1e999"),
        (pa.array([-math.inf]), "-1e999"),
        (pa.array(["it's"]), '"it\'s"'),
        (pa.array(["x" * 500]), None),
        (pa.array([[1]]), None),
        (pa.array([b"x"]), None),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), None),
        (pa.array([10**9], pa.int32()).view(pa.date32()), None),
        (pa.array([2**62], pa.timestamp("s")), None),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_what_can_and_can_not_be_written(value: pa.Array, text: str | None) -> None:
    assert written(value) == text
