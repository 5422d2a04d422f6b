"""livetable.feed.sources.pickle_types: each part of a pickle is checked, and named when refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

import numpy as np
import pytest

from livetable.feed.sources.pickle_reader import Node, Refused, Symbol
from livetable.feed.sources.pickle_types import (
    bytes_of,
    called,
    dtype_of,
    frequency_of,
    last_part,
    last_symbol,
    size_of,
    state_of,
    text_of,
    zone_of,
)


def node(path: str, *arguments: Any, state: Any = None) -> Node:
    made = Node(Symbol(path), arguments)
    made.state = state
    return made


def times(unit: Any, order: str = "<", steps: Any = (1, 1, 1)) -> Node:
    state: tuple[Any, ...] = (4, order, None, None, None, -1, -1, 0, ({}, (unit, *steps)))
    return node("numpy.dtype", "M8", False, True, state=state)


@pytest.mark.parametrize(
    ("part", "dtype"),
    [
        (node("numpy.dtype", "f8", state=(3, "<")), "<f8"), (node("numpy.dtype", "i4"), "=i4"),
        (node("numpy.dtype", "i2", state=(3, ">")), ">i2"), (node("numpy.dtype", "O8"), "O"),
        (node("numpy.dtype", "S3", state=(3, "|")), "S3"),
        (node("numpy.dtype", "b1", state=(3, "strange")), "=b1"),
        (times("ns"), "<M8[ns]"), (times(b"us"), "<M8[us]"),
    ],
    ids=range(8),
)  # fmt: skip
def test_types_of_arrays(part: Node, dtype: str) -> None:
    assert dtype_of(part) == np.dtype(dtype)


@pytest.mark.parametrize(
    ("read", "part", "says"),
    [
        (dtype_of, 5, "lacks its type"), (dtype_of, node("numpy.dtype"), "lacks its type"),
        (dtype_of, node("numpy.dtype", 5), "lacks its type"),
        (dtype_of, node("numpy.dtype", "V8"), "of type 'V8'"),
        (dtype_of, node("numpy.dtype", "f8,f8"), "of type 'f8,f8'"),
        (dtype_of, node("numpy.dtype", "S123456789"), "of type"),
        (dtype_of, node("numpy.dtype", "S9999999"), "longer than 1 MiB"),
        (dtype_of, times("Y"), "in units of 'Y'"),
        (dtype_of, times("ns", steps=(25, 1, 1)), "in units of 'ns'"),
        (zone_of, "UTC", "this kind of time zone"),
        (zone_of, node("pytz._p", "../../etc/passwd"), "this kind of time zone"),
        (zone_of, node("pytz._p"), "this kind of time zone"),
        (frequency_of, "D", "this frequency of periods"),
        (frequency_of, node("PeriodDtype", "D; rm"), "this frequency of periods"),
        (frequency_of, node("PeriodDtype", node("offsets.Fortnight")), "this frequency of periods"),
        (lambda part: called(part, "timedelta"), node("os.system"), "expected timedelta"),
        (state_of, node("x"), "lacks its state"), (state_of, 1, "lacks its state"),
        (bytes_of, "x", "expected bytes, got str"), (text_of, 5, "expected bytes, got int"),
        (size_of, -1, "impossible size"), (size_of, True, "impossible size"),
        (size_of, 1 << 41, "impossible size"),
    ],
    ids=range(23),
)  # fmt: skip
def test_what_is_something_else_is_refused(
    read: Callable[[Any], object], part: Any, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        read(part)


@pytest.mark.parametrize(
    ("part", "zone"),
    [
        (node("pytz._UTC"), "UTC"), (node("dateutil.tz.tzutc"), "UTC"),
        (node("datetime.timezone", node("datetime.timedelta", 0, 3600, 0)),
         timezone(timedelta(hours=1))),
        (node("zoneinfo.ZoneInfo", "Europe/Paris"), "Europe/Paris"),
        (node("pytz._p", "Etc/GMT+5"), "Etc/GMT+5"),
    ],
    ids=range(5),
)  # fmt: skip
def test_time_zones(part: Node, zone: Any) -> None:
    assert zone_of(part) == zone


@pytest.mark.parametrize(
    ("part", "frequency"),
    [
        (node("PeriodDtype", "period[M]"), "M"), (node("PeriodDtype", "W-SUN"), "W-SUN"),
        (node("PeriodDtype", node("pandas._libs.tslibs.offsets.Day")), "D"),
    ],
    ids=range(3),
)  # fmt: skip
def test_frequencies(part: Node, frequency: str) -> None:
    assert frequency_of(part) == frequency


def test_bytes_and_texts_as_each_protocol_writes_them() -> None:
    assert bytes_of(b"x") == b"x"
    assert bytes_of(node("builtins.bytearray", b"x")) == b"x"
    assert bytes_of(node("builtins.bytearray")) == b""
    assert bytes_of(node("_codecs.encode", "\xff", "latin1")) == b"\xff"
    assert text_of(b"ns") == text_of("ns") == "ns"
    assert text_of(node("_codecs.encode", "ns", "latin1")) == "ns"


def test_names_and_states() -> None:
    assert last_part(node("a.b.c")) == "c"
    assert last_part("a.b") == last_symbol(node("a.b")) == ""
    assert last_symbol(Symbol("a.b")) == "b"
    assert state_of(node("x", state={"a": 1})) == {"a": 1}
    assert called(node("datetime.timedelta", 1, 2), "timedelta") == (1, 2)
    assert size_of(5) == 5
