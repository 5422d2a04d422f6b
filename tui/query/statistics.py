"""A column's figures: counts, quantiles, the values that are most frequent, a histogram. Pure."""

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
"""What it is, what it is as text, and how long a bar to draw for it: from 0 to 1."""

_TOP: Final = 8
_BINS: Final = 10
_FEW: Final = 20
_QUANTILES: Final = (0.01, 0.25, 0.5, 0.75, 0.99)


def figures_of(table: Table, column: ColumnRef) -> list[Figure]:
    """Return the figures of a column, of the rows that are shown."""
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
    present = as_key(values).drop_null()  # -0.0 is 0.0, and NaN is no value
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
        return figures  # of many numbers none is frequent; the histogram says more
    return figures + _frequent(distinct, count)


def _first_and_last(values: pa.Array) -> pa.Array:
    numbers = as_numpy(time_arithmetic.whole(values))
    return values.take(rows_array(np.array([numbers.argmin(), numbers.argmax()], dtype=np.int64)))


def _of(part: int, count: int) -> str:
    return f"{part:,}" + (f"  {part / count:.1%}" if part and count else "")


def _texts(values: pa.Array, *, whole: bool = False) -> list[str]:
    """Return values as they are in the table; if `whole`, floats with all of their digits."""
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
    if pa.types.is_floating(values.type):
        numbers = as_numpy(values).astype(float)
        with np.errstate(all="ignore"):  # what is too large for a float is infinite
            ends = numbers.min(), numbers.max(), numbers.sum(), numbers.mean()
            quantiles = np.quantile(numbers, _QUANTILES).tolist()
        return _number_figures(numbers, 0, ends, quantiles, rough=False)
    # Floats tell apart neither all of these nor their sum: only what is above the least is one.
    ends = pc.min_max(values).as_py()
    least, total = Fraction(ends["min"]), exact.total(values)
    numbers = exact.above(values, int(least) if pa.types.is_integer(values.type) else least)
    ends = least, Fraction(ends["max"]), total, Fraction(total) / len(values)
    rough = pa.types.is_decimal(values.type) or float(numbers.max()) > 1 << 53
    return _number_figures(numbers, least, ends, _quantiles(values), rough=rough)


def _quantiles(values: pa.Array) -> list[Fraction]:
    """Return the quantiles of whole numbers or decimals, between two of them on a straight line."""
    order = pc.array_sort_indices(values)
    quantiles = []
    for share in _QUANTILES:
        place = Fraction(round(share * 100), 100) * (len(values) - 1)
        below = int(place)
        near = order.slice(below, 2)
        one, *more = (Fraction(value) for value in values.take(near).to_pylist())
        quantiles.append(one + (place - below) * (more[0] - one) if more else one)
    return quantiles


def _number_figures(
    numbers: np.ndarray[Any, Any],
    least: Any,
    ends: tuple[Any, Any, Any, Any],
    quantiles: list[Any],
    *,
    rough: bool,
) -> list[Figure]:
    """Return figures of numbers.

    Args:
        numbers: By how much each is above `least`.
        least: What they are measured from.
        ends: The least, the largest, the sum and the mean.
        quantiles: Those of `_QUANTILES`.
        rough: Whether they were rounded.
    """
    low, high, total, mean = ends
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one number there is no deviation
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
    except ValueError:  # large numbers so near each other that nothing is between them
        return figures
    highest = max(int(counts.max()), 1)
    figures.append(("", "", None))
    figures += [
        (f"from {_number(_from(least, edges[at]))}", f"{int(number):,}", int(number) / highest)
        for at, number in enumerate(counts)
    ]
    return figures


def _from(least: Any, above: Any) -> Any:
    """Return a number by how much it is above the least."""
    return least + Fraction(float(above)) if least and math.isfinite(above) else float(above)


def _number(value: Any, rough: bool = False) -> str:
    """Return a number as text, with a sign if it is another one by its last digits.

    Args:
        value: The number.
        rough: Whether it was worked out of numbers that were rounded.
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
        return []  # each value once: none is more frequent
    order = np.argsort(-counts, kind="stable")[:_TOP]
    texts = _texts(distinct.field("values").take(rows_array(order.astype(np.int64))), whole=True)
    most = int(counts[order[0]])
    figures: list[Figure] = [("", "", None)]
    figures += [
        (text, _of(int(counts[at]), count), int(counts[at]) / most)
        for text, at in zip(texts, order, strict=True)
    ]
    return figures
