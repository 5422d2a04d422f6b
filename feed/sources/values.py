"""Converts a column's texts to numbers, times or booleans, if each of its texts is one.

Conversion never changes a value: texts that a number can't hold exactly stay text, e.g. `00501`,
`0x1F` and `12e4567`. A column can arrive in pieces; `Kind` describes the pieces so far.
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
    """The form of a column's texts."""

    EMPTY = 0
    """No text yet."""
    WORDS = 1
    """Only words for missing values: text, unless numbers or times follow."""
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
    """Numbers with a unit, e.g. from `df -h`. They stay text."""
    TEXT = 11
    GIVEN = 12
    """Given on the command line."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The form and type of the texts of a column so far.

    Attributes:
        form: Their form.
        type: Their Arrow type.
        comma: Whether a comma is the decimal sign.
        rounded: Whether some texts have more digits than a float can hold.
    """

    form: Form = Form.EMPTY
    type: pa.DataType = pa.null()  # noqa: RUF009  (a constant)
    comma: bool = False
    rounded: bool = False


TEXT: Final = Kind(Form.TEXT, pa.string())


class NotFitting(LivetableError):
    """Texts that are not of the type that was given."""


def given(kind: pa.DataType) -> Kind:
    """Return the kind of a column whose type was given."""
    return Kind(Form.GIVEN, kind)


def read(
    texts: pa.StringArray, so_far: Kind, *, comma: bool = False, units: bool = False
) -> tuple[pa.Array, Kind]:
    """Convert a column's next texts; return the values and the kind of all texts so far.

    If the kind differs from `so_far`, read the earlier texts again.

    Args:
        texts: The texts; an empty text is a missing value.
        so_far: The kind of the earlier texts.
        comma: Whether `1,5` is a number.
        units: Whether `12G` is a quantity.

    Raises:
        NotFitting: they are not of the type that was given.
    """
    if so_far.form is Form.GIVEN:
        return _as_given(texts, so_far.type), so_far
    filled = _without(texts, _EMPTY)
    if so_far.form is Form.TEXT:
        return filled, TEXT
    kind = so_far
    for _ in Form:  # each turn widens the kind, or ends
        values, detected = _detected(filled, kind, comma=comma, units=units)
        wider = _merged(kind, detected)
        if (wider.form, wider.type) == (detected.form, detected.type):
            return values, wider
        kind = wider
    raise AssertionError("the kind never stops widening")


def _detected(
    texts: pa.StringArray, at_least: Kind, *, comma: bool, units: bool
) -> tuple[pa.Array, Kind]:
    """Return the values and their kind, which is at least as wide as `at_least`; else the texts."""
    if at_least.form is Form.TEXT:
        return texts, TEXT
    present = _without(texts, _WORDS)
    has_words = present.null_count > texts.null_count
    if present.null_count == len(present):
        return _nothing(texts, at_least, has_words)
    if at_least.form is Form.QUANTITY:
        return (texts, at_least) if _all_match(texts, QUANTITY) else (texts, TEXT)
    first = present[present.is_valid().index(True).as_py()].as_py()
    for reads, looks in _READERS:
        if looks.match(first) is not None and (result := reads(present, at_least)) is not None:
            return result
    if comma and (result := _decimal_comma(present)) is not None:
        return result
    if not has_words and (result := _booleans(present)) is not None:
        return result
    if units and _all_match(texts, QUANTITY):
        return texts, _QUANTITY
    return texts, TEXT


def _nothing(texts: pa.StringArray, at_least: Kind, has_words: bool) -> tuple[pa.Array, Kind]:
    """Return the values of texts that are all empty or words for missing values."""
    if not has_words:
        return pa.nulls(len(texts), at_least.type), at_least
    if at_least.form in (*_NUMBERS, *_TIMES):
        return pa.nulls(len(texts), at_least.type), at_least
    return texts, _WORDS_ONLY if at_least.form <= Form.WORDS else TEXT


_WORDS_ONLY: Final = Kind(Form.WORDS, pa.string())
_QUANTITY: Final = Kind(Form.QUANTITY, pa.string())
_NUMBERS: Final = (Form.INTEGER, Form.LARGE, Form.FLOAT)


def _merged(first: Kind, second: Kind) -> Kind:
    """Return the narrowest kind that includes both."""
    narrow, wide = sorted((first, second), key=lambda kind: kind.form)
    rounded = first.rounded or second.rounded
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


def _wider_type(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(first):
        return max(first, second, key=lambda kind: _UNITS.index(kind.unit))
    if pa.types.is_decimal(first):
        return max(first, second, key=lambda kind: kind.precision)
    return first


_EMPTY: Final = pa.array([""])
_WORDS: Final = pa.array(MISSING)


def _without(texts: pa.StringArray, words: pa.StringArray) -> pa.StringArray:
    """Return texts with null in place of these words."""
    missing = pc.is_in(texts, words)
    if not pc.any(missing).as_py():
        return texts
    return pc.if_else(missing, pa.nulls(1, pa.string())[0], texts)


# -- numbers -------------------------------------------------------------------------------------

_LARGEST: Final = ((pa.decimal128(38, 0), 38), (pa.decimal256(76, 0), 76))
_INTEGER: Final = r"^[ \t]*(?:0|-?[1-9][0-9]*)[ \t]*$"
_FLOAT: Final = (
    r"^[ \t]*(?:[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?(?:0|[1-9][0-9]*)[eE][-+]?[0-9]+|-?(?:0|[1-9][0-9]*)|-?inf)[ \t]*$"
)
_FLOAT_DIGITS: Final = 15
"""Numbers of at most this many decimal digits are all different floats."""


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
    return None  # more digits than the widest decimal: text


def _integers_as(numbers: pa.Int64Array, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    """Return integers in the column's wider kind; None if that can't hold them exactly."""
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
    """Return texts of numbers as floats, None if a float would change an integer.

    Other decimals are rounded, and the kind says so.
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
        # Fast path: Arrow mostly prints the float as the original text.
        other = pc.not_equal(numbers.cast(pa.string()), suspects)
        for text in suspects.filter(other).to_pylist():
            number = float(text)
            if math.isinf(number) or Decimal(text) == Decimal(repr(number)):
                continue
            if text.lstrip("-").isdigit():
                return None  # never change an integer
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
    """Return moments in the coarsest unit that is exact for all of them."""
    same = at_least.form is form and pa.types.is_timestamp(at_least.type)
    units = _UNITS[_UNITS.index(at_least.type.unit) :] if same else _UNITS
    for unit in units:
        moments = _cast(texts, Kind(form, pa.timestamp(unit, zone)))
        if moments is not None:
            return moments
    return None


def _times(texts: pa.StringArray, at_least: Kind) -> tuple[pa.Array, Kind] | None:
    if not _all_match(texts, r"^[0-9]{2}:[0-9]{2}:[0-9]{2}$"):
        return None
    # Arrow can't cast texts to times without a date.
    day = pc.binary_join_element_wise("1970-01-01", texts, " ")
    moments = _cast(day, Kind(Form.TIME, pa.timestamp("s")))
    kind = pa.time32("s")
    return None if moments is None else (moments[0].cast(kind), Kind(Form.TIME, kind))


def _cast(texts: pa.StringArray, kind: Kind) -> tuple[pa.Array, Kind] | None:
    try:
        return texts.cast(kind.type), kind
    except pa.ArrowException:  # e.g. 30 February
        return None


def _booleans(texts: pa.StringArray) -> tuple[pa.Array, Kind] | None:
    is_boolean = pc.is_in(texts, _TRUE_OR_FALSE)
    if not pc.all(pc.or_(is_boolean, texts.is_null())).as_py():
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
"""The readers, each with a pattern for the first text that it may read."""


# -- a given type --------------------------------------------------------------------------------


def _as_given(texts: pa.StringArray, kind: pa.DataType) -> pa.Array:
    present = _without(texts, _EMPTY)
    if pa.types.is_string(kind):
        return present
    present = _trimmed(_without(present, _WORDS))
    try:
        return present.cast(kind)
    except pa.ArrowException:
        for row, text in enumerate(present.to_pylist()):
            try:
                pa.array([text], pa.string()).cast(kind)
            except pa.ArrowException:
                raise NotFitting(f"row {row + 1} of these holds {text!r:.40}, not {kind}") from None
        raise
