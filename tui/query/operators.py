"""Implements the operators and functions of expressions. Pure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import is_text
from livetable.tui.query import arithmetic, comparison, exact, time_arithmetic
from livetable.tui.query.arithmetic import absolute, calculate, negated
from livetable.tui.query.exact import Exact, Literal, Value, is_number

Values = Any
"""An Arrow array with one value per row, or an Arrow scalar for all rows."""


def for_arrow(value: Value) -> Values:
    """Convert a value to Arrow."""
    if isinstance(value, Literal):
        return exact.scalar(value.value)
    if isinstance(value, Exact):
        return value.to_arrow()
    return value.combine_chunks() if isinstance(value, pa.ChunkedArray) else value


class NotFitting(Exception):
    """An operator does not fit its operands.

    Attributes:
        is_whole: Whether the sentence is complete; if not, `misfit` may find a better one.
    """

    def __init__(self, said: str, *, is_whole: bool = False) -> None:
        super().__init__(said)
        self.is_whole = is_whole


def comparison_of(name: str) -> Callable[[Value, Value], Value]:
    def compare(left: Value, right: Value) -> Value:
        if _is_none(left) or _is_none(right):  # x == None tests whether x is missing
            absent = is_missing(left if _is_none(right) else right)
            if name in ("equal", "not_equal"):
                return absent if name == "equal" else inverted(absent)
        return _decided(_compared(name, left, right), name == "not_equal")

    return compare


def _compared(name: str, left: Value, right: Value) -> Value:
    """Compare values; the result is missing where a value is missing."""
    kinds = left.type, right.type
    if any(map(pa.types.is_null, kinds)):
        return _nothing(left, right)
    if all(map(is_number, kinds)):
        return comparison.compare(name, left, right)
    if all(map(is_text, kinds)) and isinstance(left, Literal) and isinstance(right, Literal):
        return Literal(getattr(pc, name)(*map(for_arrow, (left, right))).as_py())
    if all(map(pa.types.is_temporal, kinds)):
        return time_arithmetic.compare(name, left, right)
    for value, counterpart, mirrored in ((left, right, False), (right, left, True)):
        if isinstance(counterpart, Literal) and is_text(counterpart.type):
            if pa.types.is_temporal(value.type):
                return _with_time(
                    comparison.MIRRORED.get(name, name) if mirrored else name,
                    value,
                    counterpart.value,
                )
            if is_number(value.type):
                what = "true or false" if pa.types.is_boolean(value.type) else "a number"
                raise NotFitting(f"Can't compare {what} with text")
        if is_text(value.type) and is_number(counterpart.type) and not isinstance(value, Literal):
            raise NotFitting("Can't compare text with a number. Put the value in quotes")
    return getattr(pc, name)(for_arrow(left), for_arrow(right))


def _with_time(name: str, values: pa.Array, text: str) -> pa.Array:
    try:
        return time_arithmetic.against(name, values, text)
    except time_arithmetic.NoTime as error:
        raise NotFitting(str(error), is_whole=error.is_whole) from None


def _is_none(value: Value) -> bool:
    return isinstance(value, Literal) and value.value is None


def _nothing(*values: Value) -> Value:
    """Return a boolean that is missing in all rows."""
    rows = [len(value) for value in values if not isinstance(value, Literal)]
    return pa.nulls(rows[0], pa.bool_()) if rows else Literal(False)


def _decided(truth: Value, otherwise: bool) -> Value:
    """Replace missing results as in pandas: a missing value equals nothing."""
    if isinstance(truth, Literal) or not truth.null_count:
        return truth
    if otherwise:
        return pc.or_kleene(pc.is_null(truth), truth)
    return pc.and_kleene(pc.is_valid(truth), truth)


def logic_of(name: str) -> Callable[..., Value]:
    def combine(*parts: Value) -> Value:
        for part in parts:
            if not pa.types.is_boolean(part.type):
                raise NotFitting(f"Both sides of {name} must be conditions")
        if all(isinstance(part, Literal) for part in parts):
            return Literal((all if name == "and" else any)(part.value for part in parts))
        kernel = pc.and_kleene if name == "and" else pc.or_kleene
        return functools.reduce(kernel, map(for_arrow, parts))

    return combine


def _not(value: Value) -> Value:
    if not pa.types.is_boolean(value.type):
        raise NotFitting("not needs a condition")
    return inverted(value)


def inverted(value: Value) -> Value:
    return Literal(not value.value) if isinstance(value, Literal) else pc.invert(value)


def _arithmetic(sign: str) -> Callable[[Value, Value], Value]:
    def compute(left: Value, right: Value) -> Value:
        kinds = left.type, right.type
        if all(map(is_number, kinds)):
            return calculate(sign, left, right)
        if sign == "+" and all(map(is_text, kinds)):
            if isinstance(left, Literal) and isinstance(right, Literal):
                return Literal(left.value + right.value)
            kind = pa.large_string()
            parts = [for_arrow(one).cast(kind) for one in (left, right, Literal(""))]
            return pc.binary_join_element_wise(*parts)
        if any(map(pa.types.is_null, kinds)) and all(
            pa.types.is_null(kind) or is_number(kind) for kind in kinds
        ):
            return _nothing(left, right).cast(pa.float64())
        return time_arithmetic.calculate(sign, *map(for_arrow, (left, right)))

    return compute


def _on_numbers(
    function: Callable[..., Value], of_spans: Callable[[Any], Any] | None = None
) -> Callable[..., Value]:
    def apply(value: Value, *more: Value) -> Value:
        if of_spans is not None and pa.types.is_duration(value.type):
            return of_spans(for_arrow(value))
        if pa.types.is_null(value.type) and not isinstance(value, Literal):
            return value.cast(pa.float64())
        if not is_number(value.type):
            raise NotFitting(f"This only works on numbers, not on {value.type}")
        return function(value, *more)

    return apply


def _of_floats(name: str) -> Callable[..., Value]:
    return _on_numbers(lambda value: arithmetic.of_floats(getattr(np, name), value))


def _round(value: Value, digits: Value | None = None) -> Value:
    if digits is None:
        return arithmetic.rounded(value, 0)
    if not isinstance(digits, Literal) or type(digits.value) is not int or abs(digits.value) > 400:
        raise NotFitting("The number of digits must be a whole number: round(x, 2)", is_whole=True)
    return arithmetic.rounded(value, digits.value)


def _on_text(function: Callable[..., Values]) -> Callable[..., Value]:
    def apply(value: Value, *more: Value, **options: bool) -> Value:
        if pa.types.is_null(value.type) and not isinstance(value, Literal):
            value = value.cast(pa.string())
        if not is_text(value.type):
            raise NotFitting(f"This only works on text, not on {value.type}")
        words = []
        for argument in more:
            if not (isinstance(argument, Literal) and is_text(argument.type)):
                said = "Put the text to look for in quotes"
                raise NotFitting(said, is_whole=True)
            words.append(argument.value)
        found = function(for_arrow(value), *words, **options)
        return Literal(found.as_py()) if isinstance(found, pa.Scalar) else found

    return apply


def matching(function: Callable[..., Values]) -> Callable[..., Value]:
    """Return an operator that matches texts; missing values don't match."""

    def match(value: Values, word: str, *, na: bool = False, **options: bool) -> Values:
        try:
            return pc.fill_null(function(value, word, **options), exact.scalar(na))
        except pa.ArrowInvalid as error:
            said = str(error).partition(": ")[2] or str(error)
            raise NotFitting(f"Can't match {word[:40]!r}: {said:.100}", is_whole=True) from None

    return _on_text(match)


def contains(value: Values, word: str, *, case: bool = True, regex: bool = True) -> Values:
    # A plain word needs no regex, which would take twice the time.
    kernel = pc.match_substring_regex if regex and not word.isalnum() else pc.match_substring
    return kernel(value, word, ignore_case=not case)


def _match(value: Values, word: str, *, case: bool = True) -> Values:
    return pc.match_substring_regex(value, f"^(?:{word})", ignore_case=not case)


def _fullmatch(value: Values, word: str, *, case: bool = True) -> Values:
    return pc.match_substring_regex(value, f"^(?:{word})$", ignore_case=not case)


def _between(value: Value, low: Value, high: Value) -> Value:
    return logic_of("and")(
        comparison_of("greater_equal")(value, low), comparison_of("less_equal")(value, high)
    )


def is_missing(value: Value) -> Value:
    if isinstance(value, Literal):
        return Literal(value.value is None or value.value != value.value)
    if isinstance(value, Exact):
        gone = [one is None or one != one for one in value.values]
        return exact.truths(np.array(gone, dtype=bool), None)
    return pc.is_null(value, nan_is_null=pa.types.is_floating(value.type))


def _is_there(value: Value) -> Value:
    return inverted(is_missing(value))


KERNELS: Final[dict[str, tuple[Callable[..., Value], int, int]]] = {
    "and": (logic_of("and"), 2, 500),
    "or": (logic_of("or"), 2, 500),
    "not": (_not, 1, 1),
    "neg": (_on_numbers(negated, time_arithmetic.negated), 1, 1),
    "pos": (lambda value: value, 1, 1),
    "==": (comparison_of("equal"), 2, 2),
    "!=": (comparison_of("not_equal"), 2, 2),
    "<": (comparison_of("less"), 2, 2),
    "<=": (comparison_of("less_equal"), 2, 2),
    ">": (comparison_of("greater"), 2, 2),
    ">=": (comparison_of("greater_equal"), 2, 2),
    **{sign: (_arithmetic(sign), 2, 2) for sign in ("+", "-", "*", "/", "//", "%", "**")},
    "abs": (_on_numbers(absolute, time_arithmetic.absolute), 1, 1),
    "sign": (_on_numbers(arithmetic.signs), 1, 1),
    "round": (_on_numbers(_round), 1, 2),
    "floor": (_on_numbers(arithmetic.floors), 1, 1),
    "ceil": (_on_numbers(arithmetic.ceilings), 1, 1),
    "sqrt": (_of_floats("sqrt"), 1, 1),
    "log": (_of_floats("log"), 1, 1),
    "log10": (_of_floats("log10"), 1, 1),
    "exp": (_of_floats("exp"), 1, 1),
    "lower": (_on_text(lambda value: pc.utf8_lower(value)), 1, 1),
    "upper": (_on_text(lambda value: pc.utf8_upper(value)), 1, 1),
    "len": (_on_text(lambda value: pc.utf8_length(value)), 1, 1),
    "contains": (matching(contains), 2, 2),
    "startswith": (matching(lambda value, word: pc.starts_with(value, word)), 2, 2),
    "endswith": (matching(lambda value, word: pc.ends_with(value, word)), 2, 2),
    "match": (matching(_match), 2, 2),
    "fullmatch": (matching(_fullmatch), 2, 2),
    "isna": (is_missing, 1, 1),
    "isnull": (is_missing, 1, 1),
    "notna": (_is_there, 1, 1),
    "notnull": (_is_there, 1, 1),
    "between": (_between, 3, 3),
}
