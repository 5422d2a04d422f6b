"""livetable.feed.arrow.quantities: numbers with a unit."""

from __future__ import annotations

import math
import re

import pyarrow as pa
import pytest

from livetable.feed.arrow.quantities import PATTERN, Family, family_of, in_family, size_of, sizes


@pytest.mark.parametrize(
    ("text", "size", "family"),
    [
        ("12", 12.0, Family.PLAIN), ("-1.5", -1.5, Family.PLAIN), ("44%", 44.0, Family.PERCENT),
        ("12G", 12.0 * 2**30, Family.BYTES), ("8.6Mi", 8.6 * 2**20, Family.BYTES),
        ("1.2kB", 1200.0, Family.BYTES), ("3 MiB", 3.0 * 2**20, Family.BYTES),
        ("7B", 7.0, Family.BYTES), ("1m30s", 90.0, Family.SPAN), ("5d", 432_000.0, Family.SPAN),
        ("250ms", 0.25, Family.SPAN), ("-2h", -7200.0, Family.SPAN),
        ("250m", 15_000.0, Family.MILLI),
    ],
)  # fmt: skip
def test_sizes(text: str, size: float, family: Family) -> None:
    found = size_of(text)
    assert found is not None
    assert (math.isclose(found[0], size), found[1]) == (True, family)
    assert re.match(PATTERN, text)


@pytest.mark.parametrize("text", ["", "x", "12X", "1m30", "G", "%", "1.2.3", "12 G B"])
def test_what_is_none(text: str) -> None:
    assert size_of(text) is None


def test_families() -> None:
    assert family_of(["5m", "2h"]) is Family.SPAN
    assert family_of(["250m", "1"]) is Family.MILLI
    assert family_of(["12G", "0"]) is Family.BYTES
    assert family_of(["12G", "4%"]) is None
    assert family_of(["12G", "x"]) is None
    assert in_family("250m", Family.MILLI) == 0.25
    assert in_family("1", Family.MILLI) == 1.0
    assert in_family("5m", Family.SPAN) == 300.0
    assert math.isnan(in_family("4%", Family.BYTES))
    assert math.isnan(in_family("x", Family.BYTES))


def test_a_column() -> None:
    found = sizes(pa.array(["12K", None, "1M", "12K"]))
    assert found is not None
    values, family = found
    assert family is Family.BYTES
    assert values.tolist()[::2] == [12 * 1024.0, 2.0**20]
    assert math.isnan(values[1])
    assert sizes(pa.array(["12K", "4%"])) is None
    assert sizes(pa.array([None], pa.string())) is None
