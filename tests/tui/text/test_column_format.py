"""tui.text.column_format: values of a column as text of one width."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.tui.text.column_format import (
    ColumnFormat,
    decimals_for,
    fit,
    float_text,
    width_of,
)
from livetable.tui.text.column_style import (
    ColumnStyle,
    Shade,
)
from tests.tui.query.tables import QUOTE_TABLE as TABLE
from tests.ugly import ugly_frames


def written(array: pa.Array) -> list[str]:
    form = ColumnFormat(array.type)
    values = form.values(array)
    form.measure(values)
    return form.texts(values)


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([1, -20, None]), ["1", "-20", "–"]),
        (pa.array([2**53 + 1]), ["9007199254740993"]),
        (pa.array([1.5, 20.25, None, math.nan]), ["1.50", "20.25", "–", "NaN"]),
        (pa.array([1.0, 2.0]), ["1.0", "2.0"]),
        (pa.array([1e-9, 1.0]), ["1e-09", "1.0"]),
        (pa.array([math.inf, -math.inf, 1e300]), ["∞", "-∞", "1e+300"]),
        (pa.array([0.1 + 0.2]), ["0.3"]),
        (pa.array([], pa.float64()), []),
        (pa.array([True, False, None]), ["true", "false", "–"]),
        (pa.array(["a\x1b[2J", "", None]), ["a␛[2J", "", "–"]),
        (pa.array(["x"], pa.string_view()), ["x"]),
        (pa.array(["b", None, "b"]).dictionary_encode(), ["b", "–", "b"]),
        (pa.array([b"\x1b"]), ["b'\\x1b'"]),
        (pa.array([[1, 2], None]), ["[1, 2]", "–"]),
        (pa.array([list(range(99))]), [f"[{', '.join(map(str, range(16)))}, …]"]),
        (pa.array([{"a": "x", "b": [None]}]), ["{'a': 'x', 'b': [None]}"]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), ["{'k': 1}"]),
        (pa.array([[[[[[1]]]]]]), ["[[[[…]]]]"]),
        (pa.array([0, 86_400], pa.timestamp("s")), ["1970-01-01", "1970-01-02"]),
        (
            pa.array([0, 1500], pa.timestamp("ms")),
            ["1970-01-01 00:00:00.000", "1970-01-01 00:00:01.500"],
        ),
        (
            pa.array([1774742400], pa.timestamp("s", "Europe/Berlin")),
            ["2026-03-29 01:00:00+01:00"],
        ),
        (
            pa.array([1774746000], pa.timestamp("s", "Europe/Berlin")),
            ["2026-03-29 03:00:00+02:00"],
        ),
        (pa.array([0], pa.timestamp("s", "-03:30")), ["1969-12-31 20:30:00-03:30"]),
        (pa.array([0], pa.timestamp("s", "Mars/Base")), ["1970-01-01 00:00:00+00:00"]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
        (pa.array([0, None], pa.date32()), ["1970-01-01", "–"]),
        (pa.array([86_400_000], pa.date64()), ["1970-01-02"]),
        (pa.array([3_723_000], pa.time32("ms")), ["01:02:03"]),
        (pa.array([90_061, -1], pa.duration("s")), ["1d 01:01:01", "-00:00:01"]),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), None),
        (pa.nulls(2), ["–", "–"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_texts(array: pa.Array, texts: list[str] | None) -> None:
    if texts is None:
        assert len(written(array)) == len(array)
    else:
        assert written(array) == texts


def test_no_pandas_for_nanoseconds() -> None:
    import subprocess
    import sys

    code = (
        "import sys, pyarrow as pa; from livetable.tui.text.column_format import ColumnFormat\n"
        "import numpy as np\n"
        "two = [None, pa.py_buffer(np.arange(2))]\n"
        "a = pa.Array.from_buffers(pa.timestamp('ns', 'UTC'), 2, two)\n"
        "f = ColumnFormat(a.type)\n"
        "f.texts(f.values(a)); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", ugly_frames())
def test_every_ugly_frame_has_harmless_texts(name: str) -> None:
    decoded = Decoder()(Encoder()(capture(ugly_frames()[name])).data)
    for column in (*decoded.index, *decoded.columns):
        for text in written(column):
            assert text.replace("\u200e", "").replace("\u3000", "").isprintable()


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([], 0),
        ([math.nan], 1),
        ([0.0], 1),
        ([1.0, 2.0], 1),
        ([101.25, 3.5], 2),
        ([0.123456789], 6),
        ([3.14159265], 5),
        ([123456.789], 2),
        ([1e300], 1),
        ([0.000012345678], 8),
    ],
)
def test_decimals(values: list[float], decimals: int) -> None:
    assert decimals_for(values) == decimals


@given(st.floats(), st.integers(0, 8))
def test_a_float_never_looks_like_a_far_other_one(value: float, decimals: int) -> None:
    text = float_text(value, decimals)
    if math.isnan(value):
        assert text == "NaN"
    elif math.isinf(value):
        assert text in ("∞", "-∞")
    else:
        shown = float(text)
        assert abs(shown - value) <= max(0.51 * 10.0**-decimals, abs(value) * 0.01)
        assert (shown == 0) == (value == 0)


def test_digits_and_width_only_grow() -> None:
    form = ColumnFormat(pa.float64())
    form.measure([1.25])
    assert form.texts([3.0]) == ["3.00"]
    assert not form.needs_measure([9.5, 1.0, math.nan, None, math.inf])
    assert form.needs_measure([1.125])
    form.measure([1.125])
    width = form.width
    form.measure([1.0])
    assert (form.texts([3.0]), form.width) == (["3.000"], width)
    assert form.grow(["123456.000"])
    assert not form.grow(["1"])


def test_times_need_digits_too() -> None:
    form = ColumnFormat(pa.timestamp("ms"))
    form.measure([0])
    assert form.needs_measure([1500])
    assert ColumnFormat(pa.date32()).needs_measure([1]) is False
    assert ColumnFormat(pa.string()).needs_measure(["x"]) is False
    assert ColumnFormat(pa.month_day_nano_interval()).needs_measure([1]) is False
    form = ColumnFormat(pa.duration("ms"))
    assert form.needs_measure([1]) is True


def test_long_text_is_cut_not_grown() -> None:
    form = ColumnFormat(pa.string())
    values = form.values(pa.array(["x" * 1_000_000]))
    assert len(values[0]) == 400
    form.measure(values)
    assert form.width == 40


@given(st.text(max_size=30), st.integers(0, 20), st.booleans())
@settings(max_examples=300)
def test_fit_is_exact(text: str, width: int, right: bool) -> None:
    from livetable.feed.base.terminal_text import harmless

    fitted = fit(harmless(text), width, right=right)
    assert width_of(fitted) == width


@pytest.mark.parametrize("shade", [Shade.BAR, Shade.HEAT])
@pytest.mark.parametrize(
    ("values", "last"),
    [
        ([10**17, 10**17 + 1], 1.0),
        ([2**63 - 2, 2**63 - 1], 1.0),
        ([0.0, 5e-324], 1.0),
        ([-1.7e308, 1.7e308], 1.0),
        ([Decimal("1"), Decimal("1.00000000000000000001")], None),
        ([1, 2.5], 1.0),
        ([7, 7], None),
    ],
)
def test_shades_of_any_numbers(shade: Shade, values: list[Any], last: float | None) -> None:
    form = ColumnFormat(pa.float64(), ColumnStyle(shade=shade))
    form.stretch(values)
    shares = [form.share(value) for value in values]
    assert all(0 <= share <= 1 for share in shares)
    if last is not None:
        assert shares[-1] == last


def test_a_format_with_a_style() -> None:
    kind = TABLE.types[1]
    form = ColumnFormat(kind, ColumnStyle(width=6, digits=3, left=True))
    form.measure([1.0, 2000.5])
    assert (form.width, form.right, form.text(2.0)) == (6, False, "2.000")
    assert form.needs_measure([0.123456])
    form.measure([0.123456])
    assert (form.width, form.text(2.0), form.rounds) == (6, "2.000", True)
    assert not form.needs_measure([0.123456])
    assert not form.grow(["1234567890"])
    barred = ColumnFormat(kind, ColumnStyle(shade=Shade.BAR))
    barred.measure([1.0, 4.0])
    assert barred.stretch([1.0, None, 4.0, math.inf])
    assert not barred.stretch([2.0])
    assert barred.barred(2.0, "2.0") == "████     2.0"
    assert [barred.share(value) for value in (None, math.nan, 9.0)] == [0, 0, 1]
    heat = ColumnFormat(kind, ColumnStyle(shade=Shade.HEAT))
    assert heat.share(1.0) == 0
    heat.stretch([1.0, 3.0])
    assert [heat.share(value) for value in (1.0, 2.0, 3.0)] == [0, 0.5, 1]
    heat.stretch([-1.7e308, 1.7e308])
    assert heat.share(0.0) == 0.5
