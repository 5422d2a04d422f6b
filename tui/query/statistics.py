"""Statistics of a column: counts, quantiles, most frequent values, histogram. Pure."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import (
    as_numpy,
    missing,
    numpy_type,
    rows_array,
    without_dictionary,
)
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.query import exact, time_arithmetic
from livetable.tui.query.group import as_key, is_numeric
from livetable.tui.text.column_format import NULL, ColumnFormat
from livetable.tui.text.rounding import SIGN

Figure = tuple[str, str, float | None]
"""A label, a value as text, and the length of its bar from 0 to 1 (None: no bar)."""

_TOP: Final = 8
_BINS: Final = 10
_FEW: Final = 20
_QUANTILES: Final = (0.01, 0.25, 0.5, 0.75, 0.99)


def figures_of(table: Table, column: ColumnRef) -> list[Figure]:
    """Return a column's statistics over the rows shown."""
    column_at = table.column_at(column)
    if column_at is None:
        return [("gone", "No such column now", None)]
    values = without_dictionary(table.values_at(column_at))
    if table.order is not None:
        values = values.take(rows_array(table.order))
    kind = values.type
    count, nulls = len(values), values.null_count
    figures: list[Figure] = [
        ("type", str(table.types[column_at]), None),
        ("rows", f"{count:,}" + (" shown" if count < table.frame_rows else ""), None),
        ("missing", _of(nulls, count), None),
    ]
    if pa.types.is_nested(kind) or count == nulls:
        return figures
    if pa.types.is_floating(kind):
        nan = int((np.isnan(as_numpy(values)) & ~missing(values)).sum())
        figures.append(("NaN", _of(nan, count), None))
    present = as_key(values).drop_null()  # without NaN; -0.0 becomes 0.0
    kind = present.type
    distinct = pc.value_counts(present)
    figures.append(("distinct", f"{len(distinct):,}", None))
    if not len(present):
        return figures
    if is_numeric(kind):
        figures += _numbers(present)
    elif pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        texts = _texts(_first_and_last(present))
        figures += [("first", texts[0], None), ("last", texts[1], None)]
    if is_numeric(kind) and len(distinct) > _FEW:
        return figures  # with many distinct numbers, the histogram says more
    return figures + _frequent(distinct, count)


def _first_and_last(values: pa.Array) -> pa.Array:
    numbers = as_numpy(time_arithmetic.whole(values))
    return values.take(rows_array(np.array([numbers.argmin(), numbers.argmax()], dtype=np.int64)))


def _of(part: int, count: int) -> str:
    return f"{part:,}" + (f"  {part / count:.1%}" if part and count else "")


def _texts(values: pa.Array, *, whole: bool = False) -> list[str]:
    """Return values as shown in the table; if `whole`, floats with all digits."""
    if whole and pa.types.is_floating(values.type):
        nearest = numpy_type(values.type).type
        return [
            NULL if value is None else str(nearest(value)).removesuffix(".0")
            for value in values.to_pylist()
        ]
    form = ColumnFormat(values.type)
    plain = form.values(values)
    form.measure(plain)
    return form.texts(plain)


def _numbers(values: pa.Array) -> list[Figure]:
    ends: tuple[Any, Any, Any, Any]
    if pa.types.is_floating(values.type):
        numbers = as_numpy(values).astype(float)
        with np.errstate(all="ignore"):  # sums may overflow to infinity
            ends = numbers.min(), numbers.max(), numbers.sum(), numbers.mean()
            quantiles = np.quantile(numbers, _QUANTILES).tolist()
        return _number_figures(numbers, 0, ends, quantiles, rough=False)
    # These numbers or their sum may not fit floats exactly, but differences from the least do.
    extremes = pc.min_max(values).as_py()
    least, total = Fraction(extremes["min"]), exact.total(values)
    numbers = exact.above(values, int(least) if pa.types.is_integer(values.type) else least)
    ends = least, Fraction(extremes["max"]), total, Fraction(total) / len(values)
    rough = pa.types.is_decimal(values.type) or float(numbers.max()) > 1 << 53
    return _number_figures(numbers, least, ends, _quantiles(values), rough=rough)


def _quantiles(values: pa.Array) -> list[Fraction]:
    """Return the quantiles of whole numbers or decimals, with linear interpolation."""
    order = pc.array_sort_indices(values)
    quantiles = []
    for share in _QUANTILES:
        place = Fraction(round(share * 100), 100) * (len(values) - 1)
        below = int(place)
        near = order.slice(below, 2)
        lower, *upper = (Fraction(value) for value in values.take(near).to_pylist())
        quantiles.append(lower + (place - below) * (upper[0] - lower) if upper else lower)
    return quantiles


def _number_figures(
    numbers: np.ndarray[Any, Any],
    least: Any,
    ends: tuple[Any, Any, Any, Any],
    quantiles: list[Any],
    *,
    rough: bool,
) -> list[Figure]:
    """Return the statistics of numbers.

    Args:
        numbers: The differences of the numbers from `least`.
        least: The number that the differences refer to.
        ends: Minimum, maximum, sum and mean.
        quantiles: The quantiles of `_QUANTILES`.
        rough: Whether the differences were rounded.
    """
    low, high, total, mean = ends
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a single number has no deviation
        deviation = numbers.std(ddof=1)
    figures: list[Figure] = [
        ("min", _number(low), None),
        ("max", _number(high), None),
        ("mean", _number(mean), None),
        ("std", _number(deviation, rough), None),
        ("sum", _number(total), None),
    ]
    for share, value in zip(_QUANTILES, quantiles, strict=True):
        figures.append((f"{share:.0%}", _number(value), None))
    numbers = numbers[np.isfinite(numbers)]
    try:
        counts, edges = np.histogram(numbers, _BINS)
    except ValueError:  # large numbers that differ too little for bins
        return figures
    highest = max(int(counts.max()), 1)
    figures.append(("", "", None))
    figures += [
        (f"from {_number(_from(least, edge))}", f"{int(number):,}", int(number) / highest)
        for edge, number in zip(edges, counts, strict=False)
    ]
    return figures


def _from(least: Any, above: Any) -> Any:
    """Return the number at a difference from the least."""
    return least + Fraction(float(above)) if least and math.isfinite(above) else float(above)


def _number(value: Any, rough: bool = False) -> str:
    """Return a number as text, with ``≈`` if it is rounded.

    Args:
        value: The number.
        rough: Whether it was computed from rounded numbers.
    """
    if isinstance(value, int | Fraction) and value == int(value):
        return f"{int(value):,}"
    number = float(value)
    if not math.isfinite(number):
        return "NaN" if number != number else f"{number}"
    if abs(number) < 1e15 and number == int(number) and number == value:
        text = f"{number:,.0f}"
    else:
        text = f"{number:,.1f}" if 1e6 <= abs(number) < 1e15 else f"{number:,.6g}"
    said = Decimal(text.replace(",", ""))
    is_it = Fraction(said) == value if isinstance(value, Fraction) else float(said) == number
    return SIGN + text if rough or not is_it else text


def _frequent(distinct: pa.StructArray, count: int) -> list[Figure]:
    counts = as_numpy(distinct.field("counts"))
    if counts.max() == 1:
        return []  # each value occurs once
    order = np.argsort(-counts, kind="stable")[:_TOP]
    texts = _texts(distinct.field("values").take(rows_array(order.astype(np.int64))), whole=True)
    most = int(counts[order[0]])
    figures: list[Figure] = [("", "", None)]
    figures += [
        (text, _of(int(counts[index]), count), int(counts[index]) / most)
        for text, index in zip(texts, order, strict=True)
    ]
    return figures
