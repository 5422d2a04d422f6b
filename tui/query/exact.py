"""Exact numbers: nothing is converted to a float unless it is one. Pure.

Arrow's and NumPy's functions are used wherever their result is exact. Where they would round, wrap
around or fail, Python's numbers are used row by row: slower, but right.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import as_numpy, missing, numbers, rows_array, texts, truth

Number: TypeAlias = Any
"""An int, a float or a Fraction."""

DIGITS: Final = 76  # precision of Arrow's largest decimal
FLOAT_EXACT: Final = 1 << 53
INT64: Final = range(-(1 << 63), 1 << 63)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is the same for all rows.

    Attributes:
        value: A number, a text, True, False or None.
        exact: The number that was written where `value` is only the nearest float, e.g. 1/10.
    """

    value: Any
    exact: Fraction | None = None

    @property
    def type(self) -> pa.DataType:
        """The Arrow type of such values."""
        if self.value is None:
            return pa.null()
        if isinstance(self.value, bool):
            return pa.bool_()
        if isinstance(self.value, str):
            return pa.string()
        return pa.int64() if isinstance(self.value, int) else pa.float64()

    @property
    def number(self) -> Number:
        """The number as it was written."""
        value: Number = self.value if self.exact is None else self.exact
        return value


class Exact:
    """Numbers of any size, one per row.

    Args:
        values: Python's numbers, None for missing ones.
        kind: The Arrow type they would have if they fit.
    """

    __slots__ = ("type", "values")

    def __init__(self, values: list[Number | None], kind: pa.DataType) -> None:
        self.values = values
        self.type = kind

    def __len__(self) -> int:
        return len(self.values)

    def to_arrow(self) -> pa.Array:
        """Convert to Arrow; whole numbers beyond 64 bits become decimals."""
        kind = self.type
        if pa.types.is_floating(kind):
            return numbers(
                [None if one is None else to_float(one) for one in self.values], "float64"
            )
        if pa.types.is_decimal(kind):
            return decimals([_scaled(one, kind.scale) for one in self.values], kind)
        whole = [one if isinstance(one, int) else None for one in self.values]
        if all(one is None or one in INT64 for one in whole):
            return numbers(whole, "int64")
        return decimals(whole, pa.decimal256(DIGITS, 0))


Value: TypeAlias = Any
"""An Arrow array, `Exact` or `Literal`."""


def scalar(value: Any) -> pa.Scalar:
    """Return a Python value as an Arrow scalar, without loading pandas as `pa.scalar` does."""
    if value is None:
        return pa.nulls(1)[0]
    if isinstance(value, bool):
        return pa.Array.from_buffers(pa.bool_(), 1, [None, pa.py_buffer(bytes([value]))])[0]
    if isinstance(value, str):
        return texts([value])[0]
    if isinstance(value, int) and value in INT64:
        return rows_array(np.array([value]))[0]
    if isinstance(value, int) and abs(value) < 10**DIGITS:
        return decimals([value], pa.decimal256(DIGITS, 0))[0]
    return numbers([to_float(value)], "float64")[0]


def decimals(unscaled: list[int | None], kind: pa.DataType) -> pa.Array:
    """Return decimals from their unscaled digits; numbers that don't fit become missing."""
    most, size = 10**kind.precision, kind.bit_width // 8
    there = np.array([one is not None and -most < one < most for one in unscaled], dtype=bool)
    data = b"".join(
        (one if fits and one is not None else 0).to_bytes(size, "little", signed=True)
        for one, fits in zip(unscaled, there.tolist(), strict=True)
    )
    return pa.Array.from_buffers(kind, len(unscaled), [_bitmap(there), pa.py_buffer(data)])


def largest(values: pa.Array) -> Number:
    """Return the largest absolute value of whole numbers or decimals."""
    ends = pc.min_max(values).as_py()
    return max(Fraction(abs(ends["min"] or 0)), Fraction(abs(ends["max"] or 0)))


def total(values: pa.Array) -> Number:
    """Return the sum of whole numbers or decimals."""
    kind = values.type
    most = largest(values) * len(values)
    if pa.types.is_decimal(kind) and most < 10 ** (DIGITS - kind.scale):
        values = values.cast(pa.decimal256(DIGITS, kind.scale))
    elif pa.types.is_decimal(kind) or most >= 1 << 63:
        return sum(one for one in listed(values) if one is not None)
    found = pc.sum(values).as_py() or 0
    return Fraction(found) if pa.types.is_decimal(kind) else int(found)


def above(values: pa.Array, least: Number) -> np.ndarray[Any, Any]:
    """Return the differences of whole numbers or decimals from the least one, as floats.

    Converted to floats first, large numbers that differ little would become equal.
    """
    values = values.drop_null()
    if pa.types.is_integer(values.type):
        wide = np.uint64 if values.type == pa.uint64() else np.int64
        # Unsigned subtraction wraps around, so the difference is always right.
        differences: np.ndarray[Any, Any] = (
            as_numpy(values).astype(wide).view(np.uint64)
            - np.array(least % (1 << 64), dtype=np.uint64)
        ).astype(np.float64)
        return differences
    return np.array([to_float(one - least) for one in listed(values) if one is not None])


def nearest_quotients(left: pa.Array, right: pa.Array) -> pa.Array:
    """Return quotients of whole numbers, rounded half to even."""
    pairs = zip(listed(left), listed(right), strict=True)
    found = [None if one is None or not other else round(Fraction(one, other))
             for one, other in pairs]  # fmt: skip
    return Exact(found, pa.int64()).to_arrow()


def fitted(values: pa.Array, kind: pa.DataType) -> tuple[pa.Array, int]:
    """Return numbers cast to a type, and how many don't fit and became missing."""
    if values.type == kind:
        return values, 0
    try:
        return values.cast(kind), 0
    except (pa.ArrowException, NotImplementedError):
        pass
    if pa.types.is_integer(kind) and pa.types.is_decimal(values.type):
        low, high = range_of(kind)
        whole = [None if one is None else int(one) for one in listed(values)]
        kept = [one if one is not None and low <= one <= high else None for one in whole]
        return numbers(kept, "int64").cast(kind), kept.count(None) - values.null_count
    return values.cast(kind, safe=False), 0


def truths(true: np.ndarray[Any, Any], there: np.ndarray[Any, Any] | None) -> pa.Array:
    """Convert booleans to Arrow.

    Args:
        true: Which are true.
        there: Which are not missing; None for all.
    """
    return pa.Array.from_buffers(
        pa.bool_(), len(true), [None if there is None else _bitmap(there), _bitmap(true)]
    )


def from_numpy(data: np.ndarray[Any, Any], there: np.ndarray[Any, Any] | None) -> pa.Array:
    """Convert NumPy numbers to Arrow without copying; `there` as in `truths`."""
    kind = _ARROW.get(data.dtype.name) or getattr(pa, data.dtype.name)()
    buffers = [None if there is None else _bitmap(there), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(kind, len(data), buffers)


_ARROW: Final = {"float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64()}


def _bitmap(flags: np.ndarray[Any, Any]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a type is numeric; true and false count as 1 and 0."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
    )


def plain(values: pa.Array) -> pa.Array:
    """Return booleans as 1 and 0, other values unchanged."""
    return values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values


def there(values: pa.Array) -> np.ndarray[Any, Any] | None:
    """Return which values are not missing, None if none is missing."""
    return ~missing(values) if values.null_count else None


def both(
    first: np.ndarray[Any, Any] | None, second: np.ndarray[Any, Any] | None
) -> np.ndarray[Any, Any] | None:
    """Combine two results of `there`: which rows are missing in neither."""
    if first is None or second is None:
        return second if first is None else first
    together: np.ndarray[Any, Any] = first & second
    return together


def listed(value: Value) -> Iterable[Number | None]:
    """Return the numbers as Python numbers."""
    if isinstance(value, Literal):
        return itertools.repeat(value.number)
    if isinstance(value, Exact):
        return value.values
    if pa.types.is_boolean(value.type):
        return truth(value).astype(int).tolist() if not value.null_count else [
            None if one is None else int(one) for one in value.to_pylist()
        ]  # fmt: skip
    listed: list[Any] = value.to_pylist()
    if not pa.types.is_decimal(value.type):
        return listed
    if is_whole(value.type):
        return [None if one is None else int(one) for one in listed]
    return [None if one is None else Fraction(one) for one in listed]


def pairs(left: Value, right: Value) -> Iterable[tuple[Any, Any]]:
    """Return the pairs of numbers of two operands, row by row; at most one may be a literal."""
    # A literal repeats without end: the other operand, an array, ends the zip.
    return zip(listed(left), listed(right), strict=False)


def to_float(number: Number) -> float:
    """Return the nearest float; infinity beyond the largest one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _scaled(number: Number | None, scale: int) -> int | None:
    if number is None or (isinstance(number, float) and not math.isfinite(number)):
        return None
    scaled: int = round(Fraction(number) * 10**scale)
    return scaled


def range_of(kind: pa.DataType) -> tuple[int, int]:
    """Return the smallest and largest whole number of a type; for decimals, the unscaled digits."""
    if pa.types.is_decimal(kind):
        most = 10**kind.precision - 1
        return -most, most
    bits = kind.bit_width
    signed = pa.types.is_signed_integer(kind)
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def scale_of(kind: pa.DataType) -> int:
    """Return a type's number of decimals."""
    return int(kind.scale) if pa.types.is_decimal(kind) else 0


def fits_float(values: pa.Array) -> bool:
    """Tell whether these numbers can be converted to floats exactly."""
    if not pa.types.is_integer(values.type):
        return False
    if values.type.bit_width < 64 or len(values) == values.null_count:
        return True
    ends = pc.min_max(values).as_py()
    return bool(ends["min"] >= -FLOAT_EXACT and ends["max"] <= FLOAT_EXACT)


def is_whole(kind: pa.DataType) -> bool:
    """Tell whether a decimal type only holds whole numbers."""
    return bool(pa.types.is_decimal(kind) and kind.scale <= 0)
