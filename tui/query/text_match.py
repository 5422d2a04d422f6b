"""Finds the rows that contain a text, in one or any column, as shown on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import as_numpy, indices_of, missing, texts, truth
from livetable.tui.model.table import Column
from livetable.tui.query import exact
from livetable.tui.query.comparison import compare
from livetable.tui.query.exact import Literal
from livetable.tui.query.time_arithmetic import whole
from livetable.tui.text.column_format import ColumnFormat, decimal_limit
from livetable.tui.text.times import UNITS, zone_text

Mask = np.ndarray[Any, Any]
FormOf = Callable[[int], ColumnFormat | None]
"""Returns a column's format on the screen, None if it is not shown."""

_IN_NUMBERS: Final = frozenset("0123456789.+-einfa∞")
"""Characters of numbers: a text with any other character is in no number."""

_IN_TIMES: Final = frozenset("0123456789-:. +day")
_DAY: Final = 86_400


def containing(
    word: str, columns: tuple[Column, ...], rows: int, forms: tuple[ColumnFormat | None, ...] = ()
) -> Mask:
    """Return which rows contain a text in one of these columns; case is ignored.

    Numbers and times are searched both in full and as rounded on the screen.

    Args:
        word: The text.
        columns: The columns to search.
        rows: Number of rows.
        forms: The columns' formats on the screen; the default format if empty.
    """
    mask = np.zeros(rows, dtype=bool)
    for number, column in enumerate(columns):
        values = column.values
        form = forms[number] if forms else None
        if values is not None and (found := _in_column(word, values, form)) is not None:
            mask |= found
    return mask


def _in_column(word: str, values: pa.Array, form: ColumnFormat | None) -> Mask | None:
    kind = values.type
    if pa.types.is_dictionary(kind):
        in_dictionary = _in_column(word, values.dictionary, form)
        if in_dictionary is None:
            return None
        at, there = indices_of(values)
        return in_dictionary[at] & there if len(in_dictionary) else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _matches(values, word)
    letters = set(word.lower())
    if pa.types.is_boolean(kind):
        in_true, in_false = word.lower() in "true", word.lower() in "false"
        if not (in_true or in_false):
            return None
        return ~missing(values) & np.where(truth(values), in_true, in_false)
    if form is not None and form.numeric and form.style.writes:
        return _either(_in_numbers(word, values, letters), _one_by_one(word, values, form))
    if exact.is_number(kind):
        return _in_numbers(word, values, letters)
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return None if not letters <= _IN_TIMES else _in_times(word, values)
    return _one_by_one(word, values)


def _matches(written: pa.Array, word: str) -> Mask:
    return truth(pc.match_substring(written, word, ignore_case=True))


def _either(first: Mask | None, second: Mask) -> Mask:
    return second if first is None else first | second


def _one_by_one(word: str, values: pa.Array, form: ColumnFormat | None = None) -> Mask:
    """Return where the formatted values contain the word; each distinct value is formatted once."""
    if pa.types.is_nested(values.type) or pa.types.is_null(values.type):
        return _in_texts(word, values, form)
    try:
        encoded = values.dictionary_encode()
    except (pa.ArrowException, NotImplementedError):
        return _in_texts(word, values, form)
    at, there = indices_of(encoded)
    found = _in_texts(word, encoded.dictionary, form)
    return found[at] & there if len(found) else np.zeros(len(values), dtype=bool)


def _in_texts(word: str, values: pa.Array, form: ColumnFormat | None) -> Mask:
    word = word.lower()
    if form is None:
        form = ColumnFormat(values.type)
        form.measure(form.values(values))
    plain = form.values(values)
    pairs = zip(plain, form.texts(plain), strict=True)
    return np.fromiter(
        (one is not None and word in text.lower() for one, text in pairs), dtype=bool
    )


# -- numbers -------------------------------------------------------------------------------------


def _in_numbers(word: str, values: pa.Array, letters: set[str]) -> Mask | None:
    if not letters <= _IN_NUMBERS:
        return None
    kind = values.type
    if pa.types.is_floating(kind):
        matches = _in_floats(word, values)
    else:
        written = values.cast(pa.string())
        matches = _matches(written, word)
        if pa.types.is_decimal(kind) and truth(pc.match_substring(written, "E")).any():
            matches = _one_by_one(word, values)
    number = _number(word)
    return matches if number is None else matches | truth(compare("equal", values, number))


def _number(word: str) -> Literal | None:
    """Parse a number: searching for ``2.0`` must also find 2."""
    try:
        value = float(word)
        if value - value != 0 or len(word) > 400 or abs(value) > 1e300 or 0 < abs(value) < 1e-300:
            return None
        number = Fraction(word)
    except (ValueError, OverflowError):
        return None
    return Literal(int(number)) if number.denominator == 1 else Literal(value, number)


def _in_floats(word: str, values: pa.Array) -> Mask:
    """Return where floats contain a word, in full or with the digits shown on the screen."""
    if pa.types.is_float16(values.type):
        values = values.cast(pa.float32())
    matches = _matches(values.cast(pa.string()), word)
    data = as_numpy(values).astype(np.float64)
    with np.errstate(all="ignore"):
        size = np.abs(data)
        digits = _decimals(size[np.isfinite(size)])
        fixed = (size < _FIXED_BELOW) & ((size > 0.5 * 10.0**-digits) | (size == 0))
        # Arrow writes small decimals in scientific form.
        fixed &= (size >= 1e-5) | (size == 0)
    rest = ~fixed & ~missing(values) if values.null_count else ~fixed
    if rest.any():
        rest_rows = np.flatnonzero(rest)
        form = ColumnFormat(pa.float64())
        form.measure([10.0**-digits])
        matches[rest_rows] |= _in_texts(word, exact.from_numpy(data[rest_rows], None), form)
    plain = exact.from_numpy(np.where(fixed, data, 0.0), fixed)
    shown = plain.cast(pa.decimal128(_FIXED_DIGITS + digits, digits), safe=False)
    return matches | _matches(shown.cast(pa.string()), word)


_FIXED_DIGITS: Final = 16
_FIXED_BELOW: Final = 1e15


def _decimals(sizes: np.ndarray[Any, Any]) -> int:
    """Return how many decimals the screen shows, like `decimals_for` but vectorised."""
    if not sizes.size:
        return 1
    limit = decimal_limit(float(sizes.max()))
    sizes = np.round(sizes[sizes < _FIXED_BELOW], limit)
    enough = (digits for digits in range(1, limit) if (np.round(sizes, digits) == sizes).all())
    return next(enough, limit)


# -- times ---------------------------------------------------------------------------------------


def _in_times(word: str, values: pa.Array) -> Mask:
    kind = values.type
    if pa.types.is_duration(kind):
        return _one_by_one(word, values)
    try:
        mask = np.zeros(len(values), dtype=bool)
        for written in _time_texts(values):
            mask |= _matches(written, word)
        return mask
    except (pa.ArrowException, NotImplementedError):  # a zone that this machine does not know
        return _one_by_one(word, values)


def _time_texts(values: pa.Array) -> Iterator[pa.Array]:
    """Yield times as shown on the screen."""
    kind = values.type
    if pa.types.is_date(kind):
        yield values.cast(pa.string())
        return
    numbers = as_numpy(whole(values))
    numbers = numbers[~missing(values)] if values.null_count else numbers
    per_second = UNITS[kind.unit]
    unit = next(
        (unit for unit, size in UNITS.items() if size <= per_second
         and not (numbers % (per_second // size)).any()), kind.unit)  # fmt: skip
    if pa.types.is_time(kind):
        shown = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
        yield values.cast(shown, safe=False).cast(pa.string())
    elif kind.tz is None:
        written = values.cast(pa.timestamp(unit), safe=False).cast(pa.string())
        if not (numbers % (_DAY * per_second)).any():
            written = pc.utf8_slice_codeunits(written, 0, len("2026-01-31"))
        yield written
    else:
        yield _with_zone(values, unit)


def _with_zone(values: pa.Array, unit: str) -> pa.Array:
    local = pc.local_timestamp(values)
    there = ~missing(values)
    offsets = (as_numpy(whole(local)) - as_numpy(whole(values))) // UNITS[values.type.unit]
    each, at = np.unique(np.where(there, offsets, 0), return_inverse=True)
    zones = pa.DictionaryArray.from_arrays(
        exact.from_numpy(at.astype(np.int32), there),
        texts([zone_text(one) for one in each.tolist()]),
    )
    clock = local.cast(pa.timestamp(unit), safe=False).cast(pa.string())
    return pc.binary_join_element_wise(clock, zones.cast(pa.string()), exact.scalar(""))
