"""Sorts rows by one or more columns: stable, missing values last."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import (
    as_numpy,
    indices_of,
    missing,
    texts,
    truth,
    without_dictionary,
)
from livetable.feed.arrow.quantities import sizes
from livetable.feed.errors import LivetableError

Rows = np.ndarray[Any, Any]
"""Row numbers in some order."""

_MOST_ROWS: Final = 1 << 40
_EXACT_DIGITS: Final = 15  # decimal digits that a float represents exactly
_DIGITS: Final = re.compile(r"([0-9]{1,4000})")  # `int` refuses more digits
_NUMBER: Final = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


class NotSortable(LivetableError):
    """Values that have no order."""


class Sortable:
    """A column prepared for sorting: a rank for each value.

    Args:
        values: The column.
        mixed: Whether its texts stand for values of mixed types: numbers are sorted first, by size.
        quantity: Whether its texts are numbers with units.
        categories: Its texts in their own order; empty if they have none.
        natural: Whether to sort ``item2`` before ``item10``.

    Raises:
        NotSortable: the column holds lists or dicts.
    """

    def __init__(
        self,
        values: pa.Array,
        *,
        mixed: bool = False,
        quantity: bool = False,
        categories: tuple[str, ...] = (),
        natural: bool = False,
    ) -> None:
        magnitudes = sizes(without_dictionary(values)) if quantity else None
        if magnitudes is not None:
            values = pa.Array.from_buffers(
                pa.float64(), len(magnitudes[0]), [None, pa.py_buffer(magnitudes[0])]
            )
        if categories:
            values = category_places(without_dictionary(values), categories)
        self.ranks, self.last = _ranks(values, _numeric_first if mixed else (
            _natural_places if natural else _text_ranks))  # fmt: skip

    def sort(self, rows: Rows, *, descending: bool, settle: bool = False) -> Rows:
        """Return rows sorted by their values; ties keep the order of `rows`.

        Missing values come last in both directions, NaN just before them. Nearly sorted rows are
        sorted several times faster.

        Args:
            rows: The rows.
            descending: Whether to sort descending.
            settle: Whether ties are sorted by row number instead: `rows` is in an earlier order,
                which must not show.
        """
        if self.last is not None:
            last = self.last.take(rows)
            if last.any():
                there, nan, gone = (rows.take(np.flatnonzero(last == kind)) for kind in range(3))
                if settle:
                    nan, gone = np.sort(nan, kind="stable"), np.sort(gone, kind="stable")
                there = self._sort_present(there, descending, settle)
                return np.concatenate((there, nan, gone))
        return self._sort_present(rows, descending, settle)

    def _sort_present(self, rows: Rows, descending: bool, settle: bool) -> Rows:
        # `take` releases the interpreter lock; indexing would not, and keys would wait.
        ranks = self.ranks.take(rows)
        if descending:
            # Sort the reversed rows and reverse the result: so descending is stable, too.
            order = len(rows) - 1 - np.argsort(ranks[::-1], kind="stable")[::-1]
        else:
            order = np.argsort(ranks, kind="stable")
        rows = rows.take(order)
        if settle and len(rows) > 1:
            _settle(rows, ranks.take(order))
        return rows


def _settle(rows: Rows, ranks: Rows) -> None:
    """Put rows of the same rank in the order of their numbers, in place."""
    same = ranks[1:] == ranks[:-1]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
        run = np.cumsum(np.insert(~same, 0, True)).take(tied)
        some = rows.take(tied)
        rows[tied] = some.take(np.argsort(run * _MOST_ROWS + some, kind="stable"))


Ranking = Callable[[pa.Array], Rows]
"""Returns each value's rank; equal values have the same rank."""


def category_places(values: pa.Array, categories: tuple[str, ...]) -> pa.Array:
    """Return the ranks of texts or whole numbers among categories; all others come last.

    Args:
        values: The values.
        categories: The categories in order; numbers as text.
    """
    places = pc.index_in(values, value_set=texts(categories).cast(values.type))
    if places.null_count == values.null_count:
        return places
    known, others = ~missing(places), ~missing(values) & missing(places)
    all_places = np.where(known, as_numpy(places), 0).astype(np.int64)
    odd = values.filter(pc.and_(pc.is_valid(values), pc.is_null(places)))
    rank = as_numpy(pc.rank(odd)) if pa.types.is_integer(odd.type) else _text_ranks(odd)
    all_places[others] = len(categories) + rank
    there = known | others
    packed = pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), len(all_places), [packed, pa.py_buffer(all_places)])


def _ranks(values: pa.Array, rank: Ranking) -> tuple[Rows, Rows | None]:
    """Return each row's rank, and 1 for NaN, 2 for missing, else 0 (None if all are 0)."""
    if pa.types.is_dictionary(values.type):
        return _through(rank(_plain_texts(values.dictionary)), values)
    kind = values.type
    if pa.types.is_null(kind):
        return np.zeros(len(values), dtype=np.int8), np.full(len(values), 2, dtype=np.int8)
    last = None
    if values.null_count:
        last = missing(values).astype(np.int8) * 2
    if pa.types.is_floating(kind):
        floats = as_numpy(values)
        if np.isnan(floats).any():
            nan = np.isnan(floats).astype(np.int8)
            last = nan if last is None else np.maximum(last, nan)
        return floats, last
    if pa.types.is_boolean(kind):
        return truth(values), last
    if pa.types.is_integer(kind):
        return as_numpy(values), last
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return as_numpy(values.view(pa.int32() if kind.bit_width == 32 else pa.int64())), last
    if pa.types.is_nested(kind):
        raise NotSortable("lists and dicts have no order")
    values = without_dictionary(values)
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    # With few distinct texts, rank these and look up each row: several times faster.
    if is_text and len(values) > 1000 and len(values.slice(0, 1000).unique()) < 500:
        encoded = values.dictionary_encode()
        return _through(rank(encoded.dictionary), encoded)
    return rank(values), last


def _plain_texts(values: pa.Array) -> pa.Array:
    # Few Arrow functions support views, which polars has in its dictionaries.
    return without_dictionary(values)


def _text_ranks(values: pa.Array) -> Rows:
    """Return each value's rank; equal values have the same rank."""
    try:
        ranks: Rows = as_numpy(pc.rank(values, sort_keys="ascending", tiebreaker="dense"))
    except (pa.ArrowException, NotImplementedError) as error:
        raise NotSortable(f"{values.type} values have no order") from error
    return ranks


def _natural_places(values: pa.Array) -> Rows:
    """Return each text's rank in natural order: numbers in texts are compared by size."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return _text_ranks(values)
    listed = ["" if text is None else text for text in values.to_pylist()]
    places = {text: place for place, text in enumerate(sorted(set(listed), key=_natural))}
    return np.array([places[text] for text in listed], dtype=np.int64)


def _natural(text: str) -> tuple[list[str | int], str]:
    parts = _DIGITS.split(text)  # always text, number, text, …: so two results can be compared
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], text


def _numeric_first(values: pa.Array) -> Rows:
    """Return each text's rank; numbers come first, by size."""
    ranks = _text_ranks(values)
    numeric = pc.match_substring_regex(values, _NUMBER)
    is_number = truth(numeric)
    if not is_number.any():
        return ranks
    placed: Rows = ranks.astype(np.int64) + len(values)
    placed[is_number] = _number_ranks(pc.utf8_trim_whitespace(values.filter(numeric)))
    return placed


def _number_ranks(written: pa.Array) -> Rows:
    """Return each number's rank; equal numbers have the same rank."""
    if pc.max(pc.utf8_length(written)).as_py() <= _EXACT_DIGITS:
        numbers = written.cast(pa.float64())
        return as_numpy(pc.rank(numbers, sort_keys="ascending", tiebreaker="dense"))
    from decimal import Decimal  # late: importing it would delay the first row

    numbers = list(map(Decimal, written.to_pylist()))
    places = {number: place for place, number in enumerate(sorted(set(numbers)))}
    return np.array([places[number] for number in numbers], dtype=np.int64)


def _through(ranks: Rows, values: pa.DictionaryArray) -> tuple[Rows, Rows | None]:
    codes, there = indices_of(values)
    if not len(ranks):  # only missing ones
        ranks = np.zeros(1, dtype=np.int64)
    ranked: Rows = ranks.take(codes)
    return ranked, None if there.all() else np.where(there, 0, 2).astype(np.int8)
