"""Which rows contain a text: in one column or in any, whatever the column's type."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrays import indices_of, missing, numbers, truth
from livetable.tui.format import ColumnFormat
from livetable.tui.model import Column

Mask = np.ndarray[Any, Any]

_IN_NUMBERS: Final = frozenset("0123456789.+-einfa")
"""Characters that numbers are written with: another text is in none of them."""

_IN_TIMES: Final = frozenset("0123456789-:. t+z")
_SLOWLY: Final = 100_000  # values that are turned into text one by one, at most


def containing(word: str, columns: tuple[Column, ...], rows: int) -> Mask:
    """Return which rows have a text in one of these columns, upper and lower case alike.

    Numbers and times are looked at as Arrow writes them, in full, not as they are rounded on the
    screen.

    Args:
        word: The text.
        columns: Where to look.
        rows: Number of rows.
    """
    mask = np.zeros(rows, dtype=bool)
    for column in columns:
        values = column.values
        if values is not None and (found := _in_column(word, values)) is not None:
            mask |= found
    return mask


def _in_column(word: str, values: pa.Array) -> Mask | None:
    kind = values.type
    if pa.types.is_dictionary(kind):
        found = _in_column(word, values.dictionary)
        if found is None:
            return None
        at, there = indices_of(values)
        return found[at] & there if len(found) else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return truth(pc.match_substring(values, word, ignore_case=True))
    letters = set(word.lower())
    if pa.types.is_boolean(kind):
        in_true, in_false = word.lower() in "true", word.lower() in "false"
        if not (in_true or in_false):
            return None
        return ~missing(values) & np.where(truth(values), in_true, in_false)
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if (is_number or pa.types.is_decimal(kind)) and not letters <= _IN_NUMBERS:
        return None
    if pa.types.is_temporal(kind) and not letters <= _IN_TIMES:
        return None
    try:
        found = truth(pc.match_substring(values.cast(pa.string()), word, ignore_case=True))
        return found if not is_number else found | _equal(values, word)
    except (pa.ArrowException, NotImplementedError):
        form = ColumnFormat(kind)
        texts = form.texts(form.values(values.slice(0, _SLOWLY)))
        found = np.fromiter((word.lower() in text.lower() for text in texts), dtype=bool)
        return np.concatenate((found, np.zeros(len(values) - len(found), dtype=bool)))


def _equal(values: pa.Array, word: str) -> Mask:
    """Return which numbers are a number: ``2.0`` is what the screen shows of Arrow's ``2``."""
    try:
        number = float(word)
    except ValueError:
        return np.zeros(len(values), dtype=bool)
    return truth(pc.equal(values.cast(pa.float64()), numbers([number], "float64")[0]))
