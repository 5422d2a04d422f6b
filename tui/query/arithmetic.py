"""Arithmetic with numbers: floats as in NumPy, all others exactly. Pure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import as_numpy
from livetable.tui.query.exact import (
    DIGITS,
    FLOAT_EXACT,
    INT64,
    Exact,
    Literal,
    Number,
    Value,
    both,
    decimals,
    fits_float,
    from_numpy,
    listed,
    pairs,
    plain,
    scalar,
    scale_of,
    there,
    to_float,
)

_MOST_BITS: Final = 4096  # of a power that is computed exactly
_UFUNCS: Final[dict[str, Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide,
    "//": np.floor_divide, "%": np.mod, "**": np.power,
}  # fmt: skip
_CHECKED: Final = {"+": "add_checked", "-": "subtract_checked", "*": "multiply_checked"}


def calculate(sign: str, left: Value, right: Value) -> Value:
    """Calculate with numbers: with floats as NumPy does, with all others exactly.

    A quotient of whole numbers is the nearest float. Division by zero gives infinity or NaN.

    Args:
        sign: ``+ - * / // % **``.
        left: Numbers.
        right: Numbers.
    """
    if isinstance(left, Literal) and isinstance(right, Literal):
        return _folded(sign, left, right)
    ranks = _rank(left, right), _rank(right, left)
    if max(ranks) == _FLOAT:
        return _with_floats(sign, left, right)
    if max(ranks) == _DECIMAL:
        return _with_decimals(sign, left, right)
    return _with_whole(sign, left, right)


_WHOLE, _DECIMAL, _FLOAT = range(3)


def _rank(value: Value, other: Value) -> int:
    """Return how to calculate with a value, given the other operand."""
    kind = value.type
    if isinstance(value, Exact):
        return _WHOLE if pa.types.is_integer(kind) else _DECIMAL
    if isinstance(value, Literal) and value.exact is not None:
        beside = other.type
        is_exact = pa.types.is_decimal(beside) or (
            isinstance(other, Exact) and not pa.types.is_integer(beside)
        )
        return _DECIMAL if is_exact else _FLOAT
    if pa.types.is_floating(kind):
        return _FLOAT
    return _DECIMAL if pa.types.is_decimal(kind) else _WHOLE


def _folded(sign: str, left: Literal, right: Literal) -> Literal:
    first, second = left.value, right.value
    if isinstance(first, int) and isinstance(second, int):
        return Literal(_one_by_one(sign, int(first), int(second), exactly=False))
    with np.errstate(all="ignore"):
        result = float(_UFUNCS[sign](np.float64(to_float(first)), np.float64(to_float(second))))
    if sign in "+-*" and math.isfinite(result):
        exact = _EXACTLY[sign](Fraction(left.number), Fraction(right.number))
        if to_float(exact) == result:
            return Literal(result, exact)
    return Literal(result)


def _with_floats(sign: str, left: Value, right: Value) -> pa.Array:
    pair = (left, right)
    if (
        sign in _CHECKED
        and all(one.type == pa.float64() for one in pair)
        and not any(isinstance(one, Exact) for one in pair)
    ):  # Arrow's kernel gives the same result, faster
        name = _CHECKED[sign].removesuffix("_checked")
        return getattr(pc, name)(*map(_for_arrow, pair))
    (one, first), (other, second) = _as_floats(left), _as_floats(right)
    with np.errstate(all="ignore"):
        found = _UFUNCS[sign](one, other)
    return from_numpy(found, both(first, second))


def _as_floats(value: Value) -> tuple[Any, np.ndarray[Any, Any] | None]:
    """Return numbers for NumPy, in their own width, and which of them are not missing."""
    if isinstance(value, Literal):
        number = value.value
        fits = isinstance(number, int) and number in INT64
        return int(number) if fits else to_float(number), None
    if isinstance(value, Exact) or pa.types.is_decimal(value.type):
        found = list(listed(value))
        data = np.array([math.nan if one is None else to_float(one) for one in found], dtype=float)
        return data, np.array([one is not None for one in found], dtype=bool)
    value = plain(value)
    return as_numpy(value), there(value)


def _with_whole(sign: str, left: Value, right: Value) -> Value:
    sizes = [_int64(first) for first in (left, right)]
    first, second = sizes
    if first is None or second is None:
        found = _each(sign, left, right)
        return found.to_arrow() if sign == "/" else found
    if sign == "/":
        if _is_small(first) and _is_small(second):
            return _with_floats(sign, first, second)
        return _each(sign, left, right).to_arrow()
    if sign in ("//", "%"):
        return _floor_divided(sign, first, second) or _each(sign, left, right)
    if sign == "**" and isinstance(second, Literal) and second.value < 0:
        return _with_floats(sign, first, Literal(float(second.value)))
    try:
        name = _CHECKED.get(sign, "power_checked")
        return getattr(pc, name)(_for_arrow(first), _for_arrow(second))
    except pa.ArrowException:  # beyond 64 bits, or a negative power
        return _each(sign, left, right)


def _int64(value: Value) -> Value | None:
    """Return whole numbers as int64; None if any does not fit."""
    if isinstance(value, Exact):
        return None
    if isinstance(value, Literal):
        return Literal(int(value.value)) if value.value in INT64 else None
    value = plain(value)
    if pa.types.is_decimal(value.type):
        return None
    try:
        return value.cast(pa.int64())
    except pa.ArrowException:
        return None


def _is_small(value: Value) -> bool:
    if isinstance(value, Literal):
        return bool(abs(value.value) <= FLOAT_EXACT)
    return fits_float(value)


def _for_arrow(value: Value) -> Any:
    return scalar(value.value) if isinstance(value, Literal) else value


def _floor_divided(sign: str, left: Value, right: Value) -> pa.Array | None:
    """Return quotients or remainders; None if any does not fit int64."""
    (dividend, first), (divisor, second) = _as_floats(left), _as_floats(right)
    there = both(first, second)
    if second is not None:
        divisor = np.where(second, divisor, 1)  # a missing value's memory may contain 0
    if np.any(np.equal(divisor, 0)):
        return None
    if np.any(np.equal(divisor, -1)) and np.any(np.equal(dividend, -(1 << 63))):
        return None
    return from_numpy(_UFUNCS[sign](dividend, divisor), there)


def _with_decimals(sign: str, left: Value, right: Value) -> Value:
    if sign in _CHECKED and not isinstance(left, Exact) and not isinstance(right, Exact):
        parts = _decimal256(left), _decimal256(right)
        if None not in parts:
            try:
                return getattr(pc, _CHECKED[sign])(*parts)
            except pa.ArrowException:  # more digits than Arrow's largest type
                pass
    return _each(sign, left, right)


def _decimal256(value: Value) -> Any:
    """Return numbers as Arrow's largest decimals; None if they don't fit."""
    if isinstance(value, Literal):
        exact = Fraction(value.number)
        scale = 0
        while exact.denominator != 1 and scale < DIGITS:
            exact, scale = exact * 10, scale + 1
        if exact.denominator != 1 or abs(exact) >= 10**DIGITS:
            return None
        digits = max(len(str(abs(exact.numerator))), scale, 1)
        return decimals([exact.numerator], pa.decimal256(digits, scale))[0]
    value = plain(value)
    kind = value.type
    if pa.types.is_decimal(kind):
        return value.cast(pa.decimal256(kind.precision, kind.scale))
    return value.cast(pa.decimal256(20, 0))


def _each(sign: str, left: Value, right: Value) -> Exact:
    """Calculate row by row with Python's numbers."""
    ranks = _rank(left, right), _rank(right, left)
    exactly = max(ranks) == _DECIMAL
    numbers = [
        None if one is None or other is None else _one_by_one(sign, one, other, exactly=exactly)
        for one, other in pairs(left, right)
    ]
    return Exact(numbers, _kind(sign, left, right, exactly=exactly))


def _kind(sign: str, left: Value, right: Value, *, exactly: bool) -> pa.DataType:
    whole = all(scale_of(one.type) <= 0 for one in (left, right))
    if sign == "/" or (sign == "**" and exactly and not whole):
        return pa.float64()
    if any(isinstance(one, Exact) and pa.types.is_floating(one.type) for one in (left, right)):
        return pa.float64()
    if exactly and sign != "//":
        scales = [scale_of(one.type) for one in (left, right)]
        return pa.decimal256(DIGITS, min(sum(scales) if sign == "*" else max(scales), DIGITS))
    small = all(pa.types.is_integer(one.type) or pa.types.is_boolean(one.type)
                for one in (left, right))  # fmt: skip
    return pa.int64() if small else pa.decimal256(DIGITS, 0)


_EXACTLY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


def _one_by_one(sign: str, left: Number, right: Number, *, exactly: bool) -> Number:
    """Calculate with two numbers.

    Args:
        sign: The operator.
        left: The first number.
        right: The second number.
        exactly: Whether a quotient is a fraction, not the nearest float.
    """
    if isinstance(left, float) or isinstance(right, float):
        with np.errstate(all="ignore"):
            return float(_UFUNCS[sign](np.float64(to_float(left)), np.float64(to_float(right))))
    if sign in "//%" and not right:
        return math.nan if sign == "%" or not left else math.copysign(math.inf, left)
    if sign == "/":
        return Fraction(left) / right if exactly else to_float(Fraction(left) / right)
    if sign == "**":
        return _power(left, right)
    found: Number = _EXACTLY[sign](left, right)
    return found


def _power(base: Number, exponent: Number) -> Number:
    if exponent == int(exponent):
        power = int(exponent)
        whole = Fraction(base)
        bits = max(abs(whole.numerator).bit_length(), whole.denominator.bit_length())
        if bits * abs(power) <= _MOST_BITS and (base or power >= 0):
            return base**power if power >= 0 else to_float(Fraction(base) ** power)
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(to_float(base)), np.float64(to_float(exponent))))


# -- one operand -----------------------------------------------------------------------------------


def negated(value: Value) -> Value:
    """Return the numbers with the other sign."""
    if isinstance(value, Literal):
        exact = None if value.exact is None else -value.exact
        return Literal(-value.value, exact)
    if isinstance(value, Exact):
        return Exact([None if one is None else -one for one in value.values], value.type)
    if pa.types.is_floating(value.type):
        return from_numpy(-as_numpy(value), there(value))
    if pa.types.is_decimal(value.type):
        return pc.negate(value)
    return calculate("-", Literal(0), value)


def absolute(value: Value) -> Value:
    """Return the numbers without a sign."""
    if isinstance(value, Literal):
        return negated(value) if value.value < 0 else value
    if isinstance(value, Exact):
        return Exact([None if one is None else abs(one) for one in value.values], value.type)
    value = plain(value)
    kind = value.type
    if pa.types.is_floating(kind):
        return from_numpy(np.abs(as_numpy(value)), there(value))
    if pa.types.is_decimal(kind) or pa.types.is_unsigned_integer(kind):
        return pc.abs(value)
    try:
        return pc.abs_checked(value.cast(pa.int64()))
    except pa.ArrowException:  # -2**63 has no positive int64
        return Exact([None if one is None else abs(one) for one in listed(value)], pa.int64())


def signs(value: Value) -> Value:
    """Return the signs: -1, 0 or 1; NaN for NaN."""
    if isinstance(value, Literal):
        return Literal(int(np.sign(to_float(value.value))))
    if isinstance(value, Exact):
        numbers = [
            one if one is None or one != one else (one > 0) - (one < 0) for one in value.values
        ]
        return Exact(numbers, pa.int64())
    value = plain(value)
    if pa.types.is_floating(value.type):
        return from_numpy(np.sign(as_numpy(value)), there(value))
    return pc.sign(value)


def rounded(value: Value, digits: int) -> Value:
    """Return the numbers rounded to a number of decimals, half to even."""
    return _rounded(value, digits, lambda one: round(one, digits), _round_floats, (digits,))


def _round_floats(values: Any, digits: int) -> Any:
    # NumPy multiplies by a power of ten, which overflows for large numbers: these stay unchanged.
    found = np.round(values, digits)
    lost = ~np.isfinite(found) & np.isfinite(values)
    return np.where(lost, values if digits > 0 else values * 0, found) if np.any(lost) else found


def floors(value: Value) -> Value:
    """Return the numbers rounded down."""
    return _rounded(value, 0, math.floor, np.floor, ())


def ceilings(value: Value) -> Value:
    """Return the numbers rounded up."""
    return _rounded(value, 0, math.ceil, np.ceil, ())


def _rounded(
    value: Value, digits: int, one_by_one: Callable[[Any], Any], ufunc: Any, more: tuple[int, ...]
) -> Value:
    if isinstance(value, Literal):
        if isinstance(value.value, float):
            with np.errstate(all="ignore"):
                return Literal(float(ufunc(np.float64(value.value), *more)))
        return Literal(one_by_one(int(value.value)))
    if not isinstance(value, Exact):
        value = plain(value)
        if pa.types.is_floating(value.type):
            with np.errstate(all="ignore"):
                return from_numpy(ufunc(as_numpy(value), *more), there(value))
        if digits >= scale_of(value.type):
            return value
    numbers = [
        one if one is None or not math.isfinite(one) else one_by_one(one) for one in listed(value)
    ]
    kind = value.type
    return Exact(numbers, pa.int64() if pa.types.is_integer(kind) else kind)


def of_floats(ufunc: Any, value: Value) -> Value:
    """Apply a NumPy function that gives floats."""
    data, there = _as_floats(value)
    with np.errstate(all="ignore"):
        if isinstance(value, Literal):
            return Literal(float(ufunc(np.float64(data))))
        wide = data if data.dtype.kind == "f" else data.astype(np.float64)
        return from_numpy(ufunc(wide), there)
