"""The common type of two types: numbers widen, dates become times, nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.errors import BadFrame

_INT64_DIGITS: Final = 20


def wider(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    """Return the type that holds the values of both, None if there is none.

    A value may still not fit, e.g. an integer above 2⁵³ in a float: the cast finds that out.
    """
    if left == right:
        return left
    for is_one, join in _JOINS:
        if is_one(left) and is_one(right):
            return join(left, right)
    if pa.types.is_null(left) or pa.types.is_null(right):
        return right if pa.types.is_null(left) else left
    return None


def cast_exactly(values: pa.Array, kind: pa.DataType, *, rounds: bool = False) -> pa.Array | None:
    """Return values in another type, None if that would change some of them.

    Args:
        values: The values.
        kind: The type.
        rounds: Whether floats may be rounded to a narrower type (but not to infinity).
    """
    types = pa.types
    before = values.type
    if types.is_timestamp(before) and types.is_timestamp(kind) and bool(before.tz) != bool(kind.tz):
        return None  # with a zone it would be another moment
    if types.is_floating(before) and not types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), pa.nulls(1, before)[0], values)  # pandas' missing
    try:
        cast = values.cast(kind)
        if not _may_lose(before, kind):
            return cast
        if rounds and types.is_floating(before):
            same = pc.or_(pc.is_finite(cast), pc.invert(pc.is_finite(values)))
        else:
            same = pc.equal(cast.cast(before), values)
            if types.is_floating(before):
                same = pc.or_(same, pc.is_nan(values))
        return cast if pc.all(same).as_py() in (True, None) else None
    except pa.ArrowException:
        return None


def _may_lose(before: pa.DataType, kind: pa.DataType) -> bool:
    """Tell whether Arrow's safe cast may silently change values."""
    if pa.types.is_timestamp(before) and pa.types.is_date(kind):
        return True
    if pa.types.is_float16(kind) and not pa.types.is_null(before):
        return True
    floats = pa.types.is_floating(before) and pa.types.is_floating(kind)
    return bool(floats and kind.bit_width < before.bit_width)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numbers(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    floats = [kind for kind in (left, right) if pa.types.is_floating(kind)]
    if len(floats) == 2:
        return max(floats, key=lambda kind: kind.bit_width)
    if floats:
        return pa.float64()
    signed = [pa.types.is_signed_integer(kind) for kind in (left, right)]
    width = max(left.bit_width, right.bit_width)
    if signed[0] == signed[1]:
        return left if left.bit_width == width else right
    unsigned = left if not signed[0] else right
    width = max(width, 2 * unsigned.bit_width)
    return pa.decimal256(76, 0) if width > 64 else getattr(pa, f"int{width}")()


def _is_exact(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _decimals(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    scales = [kind.scale if pa.types.is_decimal(kind) else 0 for kind in (left, right)]
    before = [
        kind.precision - kind.scale if pa.types.is_decimal(kind) else _INT64_DIGITS
        for kind in (left, right)
    ]
    precision = max(scales) + max(before)
    if precision > 76:
        return pa.decimal256(76, max(scales)) if max(scales) <= 76 else None
    make = pa.decimal128 if precision <= 38 else pa.decimal256
    return make(precision, max(scales))


def _is_day_or_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


_UNITS: Final = ("s", "ms", "us", "ns")


def _times(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    stamps = [kind for kind in (left, right) if pa.types.is_timestamp(kind)]
    if not stamps:
        return pa.date64() if pa.date64() in (left, right) else left
    if any(kind.tz is not None for kind in stamps) and len(stamps) < 2:
        return None  # a date has no zone to take its midnight from
    if len(stamps) == 2 and (stamps[0].tz is None) != (stamps[1].tz is None):
        return None
    unit = max((kind.unit for kind in stamps), key=_UNITS.index)
    return pa.timestamp(unit, stamps[0].tz)


def _units(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    unit = max(left.unit, right.unit, key=_UNITS.index)
    return left if left.unit == unit else right


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _lists(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    inner = wider(left.value_type, right.value_type)
    if inner is None:
        return None
    is_large = pa.types.is_large_list(left) or pa.types.is_large_list(right)
    return pa.large_list(inner) if is_large else pa.list_(inner)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


_JOINS: Final = (
    (_is_number, _numbers),
    (_is_exact, _decimals),
    (_is_day_or_time, _times),
    (pa.types.is_duration, _units),
    (pa.types.is_time, _units),
    (_is_list, _lists),
    (_is_text, lambda one, other: one),
    (_is_bytes, lambda one, other: one),
)


def named_type(given: Any) -> pa.DataType:
    """Return the Arrow type that `schema=` names.

    Args:
        given: A type of Python (``float``), NumPy, pandas (``"Int64"``) or Arrow.

    Raises:
        BadFrame: it is not a type.
    """
    import datetime
    import decimal

    if isinstance(given, pa.DataType):
        return given
    plain: Mapping[Any, pa.DataType] = {
        float: pa.float64(), int: pa.int64(), bool: pa.bool_(), str: pa.large_string(),
        bytes: pa.large_binary(), datetime.datetime: pa.timestamp("us"),
        datetime.date: pa.date32(), datetime.time: pa.time64("us"),
        datetime.timedelta: pa.duration("us"), decimal.Decimal: pa.decimal128(38, 9),
    }  # fmt: skip
    try:
        if given in plain:
            return plain[given]
        names = {"float": float, "int": int, "bool": bool, "str": str, "string": str}
        if given in names:
            return plain[names[given]]
        if isinstance(given, str):
            try:
                return pa.type_for_alias(given)
            except ValueError:
                given = given.lower()
        import numpy as np

        return pa.from_numpy_dtype(np.dtype(given))
    except Exception:
        raise BadFrame(
            f"schema: {given!r:.60} is not a type: use float, int, str, bool or a pyarrow type"
        ) from None
