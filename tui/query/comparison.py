"""Compares numbers exactly: none is converted to a float unless it is one. Pure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import missing, numpy_type
from livetable.tui.query.exact import (
    Exact,
    Literal,
    Value,
    decimals,
    fits_float,
    from_numpy,
    pairs,
    plain,
    range_of,
    scalar,
    scale_of,
    to_float,
    truths,
)

_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "equal": operator.eq, "not_equal": operator.ne, "less": operator.lt,
    "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip
MIRRORED: Final = {
    "less": "greater", "less_equal": "greater_equal",
    "greater": "less", "greater_equal": "less_equal",
}  # fmt: skip


def compare(name: str, left: Value, right: Value) -> Value:
    """Compare numbers exactly.

    Args:
        name: The comparison, by Arrow's name.
        left: Numbers.
        right: Numbers.

    Returns:
        Booleans, missing where a number is missing; a `Literal` if both operands are.
    """
    if isinstance(left, Literal):
        if isinstance(right, Literal):
            return Literal(_COMPARED[name](left.number, right.number))
        return _against(MIRRORED.get(name, name), right, left)
    if isinstance(right, Literal):
        return _against(name, left, right)
    return _row_by_row(name, left, right)


def _against(name: str, values: Value, literal: Literal) -> pa.Array:
    if isinstance(values, Exact):
        return _each_compared(name, values, literal)
    values = plain(values)
    kind = values.type
    if pa.types.is_floating(kind):
        return _floats_against(name, values, literal)
    number = literal.number
    if isinstance(number, float):
        if number != number:
            return _all(name == "not_equal", values)
        if math.isinf(number):
            return _all(_COMPARED[name](0.0, number), values)
    return whole_against(name, values, Fraction(number) * 10 ** scale_of(kind))


def whole_against(name: str, values: pa.Array, bound: Fraction) -> pa.Array:
    """Compare whole numbers, or the unscaled digits of decimals, with any number."""
    floor = math.floor(bound)
    if bound != floor:
        if name in ("equal", "not_equal"):
            return _all(name == "not_equal", values)
        name = "less_equal" if name in ("less", "less_equal") else "greater"
    low, high = range_of(values.type)
    if floor < low:
        return _all(name in ("not_equal", "greater", "greater_equal"), values)
    if floor > high:
        return _all(name in ("not_equal", "less", "less_equal"), values)
    return getattr(pc, name)(values, _scalar_of(floor, values.type))


def _floats_against(name: str, values: pa.Array, literal: Literal) -> pa.Array:
    value = literal.value
    if values.type.bit_width < 64:
        if isinstance(value, float):
            # The float32 that is shown as 0.1 must equal 0.1.
            with np.errstate(over="ignore"):
                near = float(numpy_type(values.type).type(value))
            if math.isinf(near) == math.isinf(value):
                value = near
        values = values.cast(pa.float64())
    if isinstance(value, float):
        return getattr(pc, name)(values, scalar(value))
    near = to_float(int(value))
    if near != value:  # the number lies between two floats
        if name in ("equal", "not_equal"):
            return _all(name == "not_equal", values)
        low = name in ("less", "less_equal")
        if near < value:
            name = "less_equal" if low else "greater"
        else:
            name = "less" if low else "greater_equal"
    return getattr(pc, name)(values, scalar(near))


def _row_by_row(name: str, left: Value, right: Value) -> pa.Array:
    if isinstance(left, Exact) or isinstance(right, Exact):
        return _each_compared(name, left, right)
    left, right = plain(left), plain(right)
    kinds = (left.type, right.type)
    floats = [pa.types.is_floating(kind) for kind in kinds]
    if kinds[0] == kinds[1] and not pa.types.is_float16(kinds[0]):
        return getattr(pc, name)(left, right)
    if any(floats):
        if not all(floats) and not fits_float(right if floats[0] else left):
            return _each_compared(name, left, right)
        return getattr(pc, name)(left.cast(pa.float64()), right.cast(pa.float64()))
    if all(map(pa.types.is_integer, kinds)):
        wide = pa.decimal128(20, 0) if pa.uint64() in kinds else pa.int64()
        return getattr(pc, name)(left.cast(wide), right.cast(wide))
    try:
        return getattr(pc, name)(left, right)
    except pa.ArrowException:  # together they have too many digits for Arrow's types
        return _each_compared(name, left, right)


def _each_compared(name: str, left: Value, right: Value) -> pa.Array:
    compared = _COMPARED[name]
    known = list(pairs(left, right))
    true = [one is not None and other is not None and compared(one, other) for one, other in known]
    present = [one is not None and other is not None for one, other in known]
    return truths(np.array(true, dtype=bool), np.array(present, dtype=bool))


def _all(true: bool, values: pa.Array) -> pa.Array:
    """Return the same truth for all values that are not missing."""
    there = ~missing(values)
    return truths(np.full(len(values), true), there)


def _scalar_of(whole: int, kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_decimal(kind):
        return decimals([whole], kind)[0]
    return from_numpy(np.array([whole], dtype=numpy_type(kind)), None)[0].cast(kind)
