"""A column's figures: counts, quantiles, the values that are most frequent, a histogram. Pure."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrays import as_numpy, numpy_type, rows_array, without_dictionary
from livetable.tui.format import NULL, ColumnFormat
from livetable.tui.grouping import is_numeric
from livetable.tui.model import ColumnRef, Table
from livetable.tui.rounding import SIGN

Figure = tuple[str, str, float | None]
"""What it is, what it is as text, and how long a bar to draw for it: from 0 to 1."""

_TOP: Final = 8
_BINS: Final = 10
_FEW: Final = 20
_QUANTILES: Final = (0.01, 0.25, 0.5, 0.75, 0.99)


def figures_of(table: Table, column: ColumnRef) -> list[Figure]:
    """Return the figures of a column, of the rows that are shown."""
    at = table.column_at(column)
    if at is None:
        return [("gone", "there is no such column now", None)]
    values = without_dictionary(table.values_at(at))
    if table.order is not None:
        values = values.take(rows_array(table.order))
    kind = values.type
    exactly = values
    count, nulls = len(values), values.null_count
    figures: list[Figure] = [
        ("type", str(table.types[at]), None),
        ("rows", f"{count:,}" + (" shown" if count < table.frame_rows else ""), None),
        ("missing", _of(nulls, count), None),
    ]
    if pa.types.is_nested(kind) or count == nulls:
        return figures
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):  # few of Arrow's functions take it
        values = values.cast(pa.float64())
        kind = values.type
    if pa.types.is_floating(kind):
        nan = int(pc.sum(pc.is_nan(values)).as_py() or 0)
        figures.append(("NaN", _of(nan, count), None))
    distinct = pc.value_counts(exactly if pa.types.is_decimal(exactly.type) else values)
    figures.append(("distinct", f"{len(distinct):,}", None))
    if is_numeric(kind):
        figures += _numbers(values, exactly)
    elif pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        texts = _texts(_first_and_last(values.drop_null()))
        figures += [("first", texts[0], None), ("last", texts[1], None)]
    if is_numeric(kind) and len(distinct) > _FEW:
        return figures  # of many numbers none is frequent; the histogram says more
    return figures + _frequent(distinct, count)


def _first_and_last(values: pa.Array) -> pa.Array:
    kind = values.type
    numbers = as_numpy(values.view(pa.int32() if kind.bit_width == 32 else pa.int64()))
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


def _numbers(values: pa.Array, exactly: pa.Array) -> list[Figure]:
    numbers = as_numpy(values.drop_null()).astype(float)
    numbers = numbers[np.isfinite(numbers)]
    if not numbers.size:
        return []
    with np.errstate(all="ignore"):  # what is too large for a float is infinite
        return _number_figures(numbers, exactly)


def _number_figures(numbers: np.ndarray[Any, Any], exactly: pa.Array) -> list[Figure]:
    least, most, total = numbers.min(), numbers.max(), numbers.sum()
    kind = exactly.type
    rough = pa.types.is_decimal(kind)
    if rough or pa.types.is_integer(kind):  # floats tell apart neither all of these nor their sum
        ends = pc.min_max(exactly).as_py()
        least, most = ends["min"], ends["max"]
        rough = rough or max(abs(least), abs(most)) > 1 << 53
        wide = exactly.cast(pa.decimal128(38, 0)) if pa.types.is_integer(kind) else exactly
        total = pc.sum(wide).as_py()
    figures: list[Figure] = [
        ("min", _number(least), None),
        ("max", _number(most), None),
        ("mean", _number(numbers.mean(), rough), None),
        ("std", _number(numbers.std(), rough), None),
        ("sum", _number(total), None),
    ]
    for share, value in zip(_QUANTILES, np.quantile(numbers, _QUANTILES), strict=True):
        figures.append((f"{share:.0%}", _number(value, rough), None))
    try:
        counts, edges = np.histogram(numbers, _BINS)
    except ValueError:  # large numbers so near each other that nothing is between them
        return figures
    highest = int(counts.max())
    figures.append(("", "", None))
    figures += [
        (f"from {_number(edges[at])}", f"{int(number):,}", int(number) / highest)
        for at, number in enumerate(counts)
    ]
    return figures


def _number(value: Any, rough: bool = False) -> str:
    """Return a number as text, with a sign if it is another one by its last digits.

    Args:
        value: The number.
        rough: Whether it was worked out of numbers that were rounded.
    """
    if isinstance(value, int | Decimal) and value == int(value):
        return f"{int(value):,}"
    number = float(value)
    if not math.isfinite(number):
        return f"{number}"
    if abs(number) < 1e15 and number == int(number):
        text = f"{number:,.0f}"
    else:
        text = f"{number:,.1f}" if 1e6 <= abs(number) < 1e15 else f"{number:,.6g}"
    said = Decimal(text.replace(",", ""))
    is_it = said == value if isinstance(value, Decimal) else float(said) == number
    return SIGN + text if rough or not is_it else text


def _frequent(distinct: pa.StructArray, count: int) -> list[Figure]:
    counts = as_numpy(distinct.field("counts"))
    if len(counts) == count:
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
