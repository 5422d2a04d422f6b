"""Compares and calculates with times, dates and durations, exactly. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import as_numpy, missing
from livetable.feed.errors import LivetableError
from livetable.tui.query import arithmetic, comparison
from livetable.tui.query.exact import Literal, from_numpy
from livetable.tui.text.time_reader import instant, read_moment, read_span, read_time
from livetable.tui.text.times import UNITS
from livetable.tui.text.type_names import kind_of

_DAY: Final = 86_400


class NoTime(LivetableError):
    """A text is not a time of a column's type.

    Attributes:
        is_whole: Whether the sentence is complete.
    """

    def __init__(self, said: str, *, is_whole: bool = False) -> None:
        super().__init__(said)
        self.is_whole = is_whole


def against(name: str, values: pa.Array, text: str) -> pa.Array:
    """Compare times with a time in a text.

    Args:
        name: The comparison, by Arrow's name.
        values: The times.
        text: The text.

    Raises:
        NoTime: the text is not a time.
    """
    bound = _read(text, values.type) / _unit(values.type)
    return comparison.whole_against(name, whole(values), bound)


def compare(name: str, left: Any, right: Any) -> pa.Array:
    """Compare times of the same kind, in any units."""
    kinds = left.type, right.type
    if left.type == right.type:
        return getattr(pc, name)(left, right)
    units = [_unit(kind) for kind in kinds]
    families = [_family(kind) for kind in kinds]
    if None in families or families[0] != families[1]:
        raise pa.ArrowNotImplementedError("no kernel")
    finest = Fraction(1, 1_000_000_000)
    first, second = (
        arithmetic.calculate("*", whole(values), Literal(int(unit / finest)))
        for values, unit in zip((left, right), units, strict=True)
    )
    return comparison.compare(name, first, second)


def calculate(sign: str, left: Any, right: Any) -> Any:
    """Calculate with times and durations."""
    kinds = left.type, right.type
    if sign == "/" and all(map(pa.types.is_duration, kinds)):
        return _quotient(left, right)
    if sign in ("//", "%") and pa.types.is_duration(kinds[0]):
        return _floor_divided(sign, left, right)
    name = {"+": "add_checked", "-": "subtract_checked", "*": "multiply_checked",
            "/": "divide_checked"}.get(sign)  # fmt: skip
    if name is None:
        raise pa.ArrowNotImplementedError("no kernel")
    return getattr(pc, name)(_cleared(left), _cleared(right))


def is_akin(first: pa.DataType, second: pa.DataType) -> bool:
    """Tell whether times of two types can be compared: only if both or neither have a zone."""
    family = _family(first)
    return family is not None and family == _family(second)


def _cleared(values: Any) -> Any:
    """Return values with zeros where they are missing: the memory there may cause an overflow."""
    if not isinstance(values, pa.Array) or not values.null_count or _family(values.type) is None:
        return values
    numbers, gone = whole(values), missing(values)
    kept = np.where(gone, 0, as_numpy(numbers)).astype(f"int{values.type.bit_width}")
    return from_numpy(kept, ~gone).view(values.type)


def whole(values: pa.Array) -> pa.Array:
    """Return times as whole numbers of their unit."""
    return values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())


def _quotient(left: Any, right: Any) -> Any:
    units = _unit(left.type) / _unit(right.type)
    dividend, divisor = (
        whole(values) if isinstance(values, pa.Array) else Literal(values.value)
        for values in (left, right)
    )
    dividend = arithmetic.calculate("*", dividend, Literal(units.numerator))
    return arithmetic.calculate(
        "/", dividend, arithmetic.calculate("*", divisor, Literal(units.denominator))
    )


def _floor_divided(sign: str, left: Any, right: Any) -> Any:
    """Return ``//`` or ``%`` of a duration by a duration or a whole number.

    Division by zero gives a missing value, as in pandas; ``//`` by a zero duration gives infinity.
    """
    by_span = pa.types.is_duration(right.type)
    if not by_span and (sign == "%" or not pa.types.is_integer(right.type)):
        raise pa.ArrowNotImplementedError("no kernel")
    kind = left.type
    if by_span:  # convert both to the finer unit
        kind = min(left.type, right.type, key=lambda dividend: _unit(dividend))
        left, right = left.cast(kind), right.cast(kind)
    dividend, divisor = map(_numbers, (left, right))
    if by_span and sign == "//":
        return arithmetic.calculate(sign, dividend, divisor)
    if isinstance(divisor, Literal):
        if not divisor.value:
            return (
                pa.nulls(len(left), kind) if isinstance(left, pa.Array) else pa.scalar(None, kind)
            )
    else:
        divisor = pc.if_else(pc.equal(divisor, 0), pa.scalar(None, divisor.type), divisor)
    return _as_spans(arithmetic.calculate(sign, dividend, divisor), kind)


def negated(values: Any) -> Any:
    """Return durations with the other sign."""
    return _as_spans(arithmetic.negated(_numbers(values)), values.type)


def absolute(values: Any) -> Any:
    """Return durations without a sign."""
    return _as_spans(arithmetic.absolute(_numbers(values)), values.type)


def _numbers(values: Any) -> Any:
    """Return durations or whole numbers as operands for `arithmetic`."""
    if isinstance(values, pa.Array):
        return whole(values) if pa.types.is_duration(values.type) else values
    return Literal(values.value if pa.types.is_duration(values.type) else values.as_py())


def _as_spans(numbers: Any, kind: pa.DataType) -> Any:
    if isinstance(numbers, Literal):
        return pa.scalar(int(numbers.value), pa.int64()).cast(kind)
    if isinstance(numbers, pa.Array) and pa.types.is_integer(numbers.type):
        return numbers.cast(pa.int64()).view(kind)
    raise pa.ArrowInvalid("a duration beyond 64 bits")


def _unit(kind: pa.DataType) -> Fraction:
    """Return the length of a type's unit in seconds."""
    if pa.types.is_date(kind):
        return Fraction(_DAY) if pa.types.is_date32(kind) else Fraction(1, 1000)
    if pa.types.is_interval(kind):
        raise pa.ArrowNotImplementedError("no kernel for intervals")
    return Fraction(1, UNITS[kind.unit])


def _family(kind: pa.DataType) -> str | None:
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        return "moment"
    if pa.types.is_timestamp(kind):
        return "moment of a zone"
    return "time" if pa.types.is_time(kind) else "span" if pa.types.is_duration(kind) else None


def _read(text: str, kind: pa.DataType) -> Fraction:
    """Parse a text as a time of a column's type; return it in seconds."""
    seconds: Fraction | None = None
    if pa.types.is_duration(kind):
        seconds = read_span(text)
    elif pa.types.is_time(kind):
        seconds = read_time(text)
    elif not pa.types.is_interval(kind) and (moment := read_moment(text)) is not None:
        clock, offset = moment
        if pa.types.is_timestamp(kind) and kind.tz:  # in the column's own zone, as it is shown
            seconds = instant(clock, offset, kind.tz)
        elif offset is not None:
            said = f"This {kind_of(kind).removeprefix('a ')} has no zone: leave it out of {text!r}"
            raise NoTime(said[:120], is_whole=True)
        else:
            seconds = clock
    if seconds is None:
        raise NoTime(f"Can't read {text!r:.40} as {kind_of(kind)}")
    return seconds
