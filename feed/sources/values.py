"""Texts as values: numbers, times, true and false, where each of a column's texts is one.

A value never changes by it: what a number could not hold exactly stays text, as do `00501`, `0x1F`
and `12e4567`. Pieces of a column may come one after the other: `Kind` says what those so far are.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.quantities import PATTERN as QUANTITY
from livetable.feed.errors import LivetableError

MISSING: Final = (
    "NA", "N/A", "NaN", "null", "None",
    "na", "n/a", "nan", "NAN", "NULL", "none", "<NA>", "NaT",
)  # fmt: skip
"""Words for a missing value, in a column whose other values are numbers or times."""


class Form(IntEnum):
    """What the texts of a column are."""

    EMPTY = 0
    """There is none yet."""
    WORDS = 1
    """Only words for missing values: text, unless numbers or times come."""
    INTEGER = 2
    LARGE = 3
    """Integers, some of them beyond 64 bits."""
    FLOAT = 4
    BOOLEAN = 5
    DATE = 6
    MOMENT = 7
    ZONED = 8
    TIME = 9
    QUANTITY = 10
    """Numbers with a unit, as `df -h` prints them; they stay as they are written."""
    TEXT = 11
    GIVEN = 12
    """Said on the command line."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column's texts are, as far as they are known.

    Attributes:
        form: What they are.
        type: Their Arrow type.
        comma: Whether a comma is the decimal sign.
        rounded: Whether some have more digits than a float holds.
    """

    form: Form = Form.EMPTY
    type: pa.DataType = pa.null()  # noqa: RUF009  (a constant)
    comma: bool = False
    rounded: bool = False


TEXT: Final = Kind(Form.TEXT, pa.string())


class NotFitting(LivetableError):
    """Texts that are not of the type that was given."""


def given(kind: pa.DataType) -> Kind:
    """Return the kind of a column whose type was said."""
    return Kind(Form.GIVEN, kind)


def read(
    texts: pa.StringArray, so_far: Kind, *, comma: bool = False, units: bool = False
) -> tuple[pa.Array, Kind]:
    """Return a column's texts as values, and what all of its texts are up to these.

    Where the kind is another one than `so_far`, the texts before these have to be read again.

    Args:
        texts: The texts; an empty one is a missing value.
        so_far: What those before were.
        comma: Whether `1,5` is a number.
        units: Whether `12G` is a quantity.

    Raises:
        NotFitting: they are not of the type that was given.
    """
    if so_far.form is Form.GIVEN:
        return _as_given(texts, so_far.type), so_far
    there = _without(texts, _EMPTY)
    if so_far.form is Form.TEXT:
        return there, TEXT
    kind = so_far
    for _ in Form:  # each turn makes it a wider one, or ends
        values, found = _found(there, kind, comma=comma, units=units)
        wider = _merged(kind, found)
        if (wider.form, wider.type) == (found.form, found.type):
            return values, wider
        kind = wider
    raise AssertionError("kinds that grow wider for ever")


def _found(
    texts: pa.StringArray, at_least: Kind, *, comma: bool, units: bool
) -> tuple[pa.Array, Kind]:
    """Return values of a kind that is at least as wide as another, if they are of such a one."""
    if at_least.form is Form.TEXT:
        return texts, TEXT
    said = _without(texts, _WORDS)
    has_words = said.null_count > texts.null_count
    if said.null_count == len(said):
        return _nothing(texts, at_least, has_words)
    if at_least.form is Form.QUANTITY:
        return (texts, at_least) if _all_match(texts, QUANTITY) else (texts, TEXT)
    first = said[said.is_valid().index(True).as_py()].as_py()
    for reads, looks in _READERS:
        if looks.match(first) is not None and (made := reads(said, at_least)) is not None:
            return made
    if comma and (made := _decimal_comma(said)) is not None:
        return made
    if not has_words and (made := _booleans(said)) is not None:
        return made
    if units and _all_match(texts, QUANTITY):
        return texts, _QUANTITY
    return texts, TEXT


def _nothing(texts: pa.StringArray, at_least: Kind, has_words: bool) -> tuple[pa.Array, Kind]:
    """Return texts that are all empty, or words for missing values."""
    if not has_words:
        return pa.nulls(len(texts), at_least.type), at_least
    if at_least.form in (*_NUMBERS, *_TIMES):
        return pa.nulls(len(texts), at_least.type), at_least
    return texts, _WORDS_ONLY if at_least.form <= Form.WORDS else TEXT


_WORDS_ONLY: Final = Kind(Form.WORDS, pa.string())
_QUANTITY: Final = Kind(Form.QUANTITY, pa.string())
_NUMBERS: Final = (Form.INTEGER, Form.LARGE, Form.FLOAT)


def _merged(one: Kind, other: Kind) -> Kind:
    """Return the kind of which both are."""
    narrow, wide = sorted((one, other), key=lambda kind: kind.form)
    rounded = one.rounded or other.rounded
    if narrow.form is Form.EMPTY or narrow == wide:
        return wide
    if narrow.form is wide.form:
        if narrow.comma != wide.comma:
            return TEXT  # 1.5 and 1,5 in one column
        return replace(wide, rounded=rounded, type=_wider_type(narrow.type, wide.type))
    if narrow.form is Form.WORDS:
        return wide if wide.form in (*_NUMBERS, *_TIMES) else TEXT
    if {narrow.form, wide.form} <= {*_NUMBERS, Form.QUANTITY}:
        return wide
    if (narrow.form, wide.form) == (Form.DATE, Form.MOMENT):
        return wide
    return TEXT


_TIMES: Final = (Form.DATE, Form.MOMENT, Form.ZONED, Form.TIME)
_UNITS: Final = ("s", "ms", "us", "ns")


def _wider_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(one):
        return max(one, other, key=lambda kind: _UNITS.index(kind.unit))
    if pa.types.is_decimal(one):
        return max(one, other, key=lambda kind: kind.precision)
    return one


_EMPTY: Final = pa.array([""])
_WORDS: Final = pa.array(MISSING)


def _without(texts: pa.StringArray, words: pa.StringArray) -> pa.StringArray:
    """Return texts, null where they are one of some words."""
    gone = pc.is_in(texts, words)
    if not pc.any(gone).as_py():
        return texts
    return pc.if_else(gone, pa.nulls(1, pa.string())[0], texts)


# -- numbers -------------------------------------------------------------------------------------

_LARGEST: Final = ((pa.decimal128(38, 0), 38), (pa.decimal256(76, 0), 76))
_INTEGER: Final = r"^[ \t]*(?:0|-?[1-9][0-9]*)[ \t]*$"
_FLOAT: Final = (
    r"^[ \t]*(?:[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?(?:0|[1-9][0-9]*)[eE][-+]?[0-9]+|-?(?:0|[1-9][0-9]*)|-?inf)[ \t]*$"
)
_FLOAT_DIGITS: Final = 15
"""Decimal digits up to which different numbers are different floats."""


def _all_match(texts: pa.StringArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern), min_count=0).as_py())


def _trimmed(texts: pa.StringArray) -> pa.StringArray:
    return pc.utf8_trim(texts, characters=" \t")


def _integers(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    try:
        numbers = texts.cast(pa.int64())
        exact = numbers.cast(pa.string()).equals(texts)
    except pa.ArrowInvalid:
        exact = False
    if exact:
        return _integers_as(numbers, at_least)
    if not _all_match(texts, _INTEGER):
        return None
    texts = _trimmed(texts)
    try:
        return _integers_as(texts.cast(pa.int64()), at_least)
    except pa.ArrowInvalid:
        pass
    if at_least.form is Form.FLOAT:
        return None
    for kind, digits in _LARGEST:
        if at_least.form is Form.LARGE and digits < at_least.type.precision:
            continue
        if pc.max(pc.utf8_length(pc.utf8_ltrim(texts, "-"))).as_py() <= digits:
            return texts.cast(kind), Kind(Form.LARGE, kind)
    return None  # more digits than any number here has: text


def _integers_as(numbers: pa.Int64Array, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    """Return integers in the column's wider kind, if it is one and holds them exactly."""
    if at_least.form is Form.LARGE:
        return numbers.cast(at_least.type), at_least
    if at_least.form is Form.FLOAT:
        try:
            return numbers.cast(pa.float64()), replace(at_least, rounded=False)
        except pa.ArrowInvalid:  # Arrow refuses what a float would round
            return None
    return numbers, Kind(Form.INTEGER, pa.int64())


def _floats(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    if at_least.comma or not _all_match(texts, _FLOAT):
        return None
    return _exact_floats(_trimmed(texts) if _has_blanks(texts) else texts, comma=False)


def _decimal_comma(texts: pa.StringArray) -> tuple[pa.Array, Kind] | None:
    if not _all_match(texts, r"^[ \t]*-?(?:0|[1-9][0-9]*)(?:,[0-9]+)?[ \t]*$"):
        return None
    return _exact_floats(pc.replace_substring(_trimmed(texts), ",", "."), comma=True)


def _has_blanks(texts: pa.StringArray) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, r"^[ \t]|[ \t]$"), min_count=0).as_py())


def _exact_floats(texts: pa.StringArray, *, comma: bool) -> tuple[pa.Array, Kind] | None:
    """Return texts of numbers as floats; None where a float would be another number.

    Other decimals are rounded, and said to be; integers are not.
    """
    floats = texts.cast(pa.float64())
    infinite = pc.is_inf(floats)
    if pc.any(infinite, min_count=0).as_py() and (
        pc.all(infinite).as_py() or not _all_match(texts.filter(infinite), "inf$")
    ):
        return None  # 12e4567, or a column of the word
    zero = texts.filter(pc.equal(floats, 0.0))
    if len(zero) and not _all_match(zero, r"^[-+]?[0.]+(?:[eE]|$)"):
        return None  # 1e-400
    rounded = False
    long = pc.greater(pc.binary_length(texts), _FLOAT_DIGITS)
    if pc.any(long, min_count=0).as_py():
        suspects, numbers = texts.filter(long), floats.filter(long)
        # What Arrow writes of the float is mostly the text itself.
        other = pc.not_equal(numbers.cast(pa.string()), suspects)
        for text in suspects.filter(other).to_pylist():
            number = float(text)
            if math.isinf(number) or Decimal(text) == Decimal(repr(number)):
                continue
            if text.lstrip("-").isdigit():
                return None  # an integer: never another one
            rounded = True
    return floats, Kind(Form.FLOAT, pa.float64(), comma=comma, rounded=rounded)


# -- times, true and false -----------------------------------------------------------------------

_DAY: Final = (
    r"^(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"  # no year 0
)
_CLOCK: Final = r"[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_DATES: Final = _DAY + "$"
_MOMENTS: Final = rf"{_DAY}(?:{_CLOCK})?$"
_ZONED_MOMENTS: Final = rf"{_DAY}{_CLOCK}(?:Z|[-+][0-9]{{2}}(?::?[0-9]{{2}})?)$"


def _dates(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    if at_least.form is Form.MOMENT or not _all_match(texts, _DATES):
        return None
    return _cast(texts, Kind(Form.DATE, pa.date32()))


def _moments(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    if not _all_match(texts, _MOMENTS):
        return None
    return _in_a_unit(texts, at_least, Form.MOMENT, None)


def _zoned(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    if not _all_match(texts, _ZONED_MOMENTS):
        return None
    return _in_a_unit(texts, at_least, Form.ZONED, "UTC")


def _in_a_unit(
    texts: pa.StringArray, at_least: Kind, form: Form, zone: str | None
) -> tuple[pa.Array, Kind] | None:
    """Return moments in the widest unit that all of them have."""
    same = at_least.form is form and pa.types.is_timestamp(at_least.type)
    units = _UNITS[_UNITS.index(at_least.type.unit) :] if same else _UNITS
    for unit in units:
        made = _cast(texts, Kind(form, pa.timestamp(unit, zone)))
        if made is not None:
            return made
    return None


def _times(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    if not _all_match(texts, r"^[0-9]{2}:[0-9]{2}:[0-9]{2}$"):
        return None
    # Arrow reads no times by themselves from texts.
    day = pc.binary_join_element_wise("1970-01-01", texts, " ")
    made = _cast(day, Kind(Form.TIME, pa.timestamp("s")))
    kind = pa.time32("s")
    return None if made is None else (made[0].cast(kind), Kind(Form.TIME, kind))


def _cast(texts: pa.StringArray, kind: Kind) -> tuple[pa.Array, Kind] | None:
    try:
        return texts.cast(kind.type), kind
    except pa.ArrowException:  # the 30th of February
        return None


def _booleans(texts: pa.StringArray) -> tuple[pa.Array, Kind] | None:
    said = pc.is_in(texts, _TRUE_OR_FALSE)
    if not pc.all(pc.or_(said, texts.is_null())).as_py():
        return None
    return texts.cast(pa.bool_()), Kind(Form.BOOLEAN, pa.bool_())


_TRUE_OR_FALSE: Final = pa.array(["true", "false", "True", "False", "TRUE", "FALSE"])

_READERS: Final = (
    (_integers, re.compile(r"[ \t]*-?[0-9]+[ \t]*$")),
    (_floats, re.compile(r"[ \t]*[-+]?(?:[0-9.]|inf)")),
    (_dates, re.compile(_DATES)),
    (_moments, re.compile(_MOMENTS)),
    (_zoned, re.compile(_ZONED_MOMENTS)),
    (_times, re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}$")),
)
"""What reads which texts, and what the first one of these looks like."""


# -- as was said ---------------------------------------------------------------------------------


def _as_given(texts: pa.StringArray, kind: pa.DataType) -> pa.Array:
    said = _without(texts, _EMPTY)
    if pa.types.is_string(kind):
        return said
    said = _trimmed(_without(said, _WORDS))
    try:
        return said.cast(kind)
    except pa.ArrowException:
        for row, text in enumerate(said.to_pylist()):
            try:
                pa.array([text], pa.string()).cast(kind)
            except pa.ArrowException:
                raise NotFitting(f"row {row + 1} of these holds {text!r:.40}, not {kind}") from None
        raise
