"""What an expression gives for a table: one Arrow value a row, worked out by Arrow's functions.

Missing values are as in pandas: a comparison with one is false, and ``!=`` is true.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrays import numbers, rows_array, texts, truth, without_dictionary
from livetable.tui.expression import (
    PAST,
    BadExpression,
    Constant,
    Expression,
    Name,
    Node,
    Operation,
)
from livetable.tui.misfit import misfit, not_a_condition
from livetable.tui.model import Span
from livetable.tui.typenames import kind_of

Values = Any
"""An Arrow array with a value a row, or an Arrow scalar for all of them."""


class Columns(Protocol):
    """Where an expression finds its columns."""

    def values_of(self, title: str) -> pa.Array | None:
        """Return the values of the first column of that title, None if there is none."""
        ...

    def holds_quantities(self, title: str) -> bool:
        """Whether the first column of that title holds numbers with units, as texts."""
        ...

    def earlier(self, span: Span) -> tuple[Columns, float]:
        """Return the same rows as they were, and how many seconds that is ago."""
        ...


def mask_of(expression: Expression, columns: Columns, rows: int) -> np.ndarray[Any, Any]:
    """Return which rows an expression is true for; where it is unknown it is not.

    Args:
        expression: It must be one that is true or false.
        columns: Where its columns are.
        rows: Number of rows.

    Raises:
        BadExpression: it is a number or a text, or something in it can't be worked out.
    """
    values = evaluate(expression, columns)
    _check_truth(expression, values.type)
    if isinstance(values, pa.Scalar):
        return np.full(rows, bool(values.as_py()))
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return truth(values)


def check_condition(expression: Expression, columns: Columns) -> None:
    """Make sure that an expression is a condition, by the types of its columns.

    Args:
        expression: The expression.
        columns: Where its columns are; they may be empty.

    Raises:
        BadExpression: it is none, or something in it can't be worked out.
    """
    _check_truth(expression, evaluate(expression, columns).type)


def _check_truth(expression: Expression, kind: pa.DataType) -> None:
    if not pa.types.is_boolean(kind):
        said = not_a_condition(expression.text, expression.root, kind)
        raise BadExpression(said, 0, len(expression.text))


def evaluate(expression: Expression, columns: Columns) -> Values:
    """Return an expression's values.

    Raises:
        BadExpression: something in it can't be worked out; it says what and where.
    """
    try:
        return _value(expression.root, columns)
    except _Unfit as error:
        sentence = misfit(expression.text, error.node, error.kinds) or error.sentence
        raise BadExpression(sentence, error.start, error.end) from None


def scalar(value: Any) -> pa.Scalar:
    """Return a Python value as an Arrow scalar, without loading pandas as `pa.scalar` does."""
    if value is None:
        return pa.nulls(1)[0]
    if isinstance(value, bool):
        return pa.Array.from_buffers(pa.bool_(), 1, [None, pa.py_buffer(bytes([value]))])[0]
    if isinstance(value, str):
        return texts([value])[0]
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return rows_array(np.array([value]))[0]
    return numbers([float(value)], "float64")[0]


def _value(node: Node, columns: Columns) -> Values:
    if isinstance(node, Name):
        found = columns.values_of(node.title)
        if found is None:
            raise BadExpression(f"there is no column {node.title!r}", node.start, node.end)
        plain = without_dictionary(found)
        if pa.types.is_decimal(plain.type):
            plain = plain.cast(pa.float64())
        return plain
    if isinstance(node, Constant):
        if isinstance(node.value, tuple):
            raise BadExpression("a list stands behind in, or in isin(…)", node.start, node.end)
        return _guard(lambda: scalar(node.value), node)
    assert isinstance(node, Operation)
    if node.name in ("in", "not in", "isin"):
        return _membership(node, columns)
    if node.name in PAST:
        return _change(node, columns)
    function, least, most = _KERNELS[node.name]
    count = len(node.parts)
    if not least <= count <= most:
        takes = f"{least}" if least == most else f"{least} to {most}"
        raise BadExpression(f"{node.name} takes {takes} values, not {count}", node.start, node.end)
    if node.name in _SIZED and (sized := _sizes(node, columns)) is not None:
        return _guard(lambda: function(*sized), node, sized)
    parts = [_value(part, columns) for part in node.parts]
    return _guard(lambda: function(*parts), node, parts)


_SIZED: Final = frozenset(("==", "!=", "<", "<=", ">", ">=", "between", "+", "-", "*", "/"))
"""What is done with the sizes of quantities, not with their texts."""


def _sizes(node: Operation, columns: Columns) -> list[Values] | None:
    """Return an operation's parts as sizes, where one is a column of numbers with units.

    None where there is no such column, or a text among the parts is no quantity.
    """
    titles = [part.title for part in node.parts if isinstance(part, Name)]
    if not any(map(columns.holds_quantities, titles)):
        return None
    from livetable.feed.quantity import Family, in_family, sizes

    parts: list[Values] = []
    family = Family.PLAIN
    for part in node.parts:
        value = _value(part, columns)
        if isinstance(part, Name) and columns.holds_quantities(part.title):
            found = sizes(value)
            if found is None:
                return None
            each, family = found
            buffers = [None, pa.py_buffer(each)]
            value = pa.Array.from_buffers(pa.float64(), len(each), buffers)
            value = pc.if_else(pc.is_nan(value), pa.nulls(1, pa.float64())[0], value)
        parts.append(value)
    for at, value in enumerate(parts):
        if isinstance(value, pa.Scalar) and _is_text(value.type):
            size = in_family(str(value.as_py()), family)
            if size != size:
                return None
            parts[at] = scalar(size)
    return parts


def _change(node: Operation, columns: Columns) -> Values:
    """Return how values differ from what they were."""
    subject, span = node.parts
    assert isinstance(span, Constant)
    earlier, seconds = columns.earlier(span.value)
    now, then = _value(subject, columns), _value(subject, earlier)
    if node.name == "was":
        return then

    def work() -> Values:
        if pa.types.is_temporal(now.type):
            if node.name != "d":
                raise _NotFitting(f"{node.name} is for numbers; d gives a time's change")
            return pc.subtract(now, then)
        if not _is_number(now.type):
            raise _NotFitting(f"{node.name} is for numbers, not for {now.type}")
        # Floats, but for whole numbers that a float would round; unsigned ones can't go below 0.
        whole = node.name == "d" and pa.types.is_integer(now.type)
        kind = pa.int64() if whole else pa.float64()
        before = then.cast(kind)
        change = pc.subtract(now.cast(kind), before)
        if node.name == "pct":
            return pc.divide(change, pc.abs(before))
        return pc.divide(change, scalar(seconds)) if node.name == "rate" else change

    return _guard(work, node, [now])


def _guard(work: Callable[[], Values], node: Node, parts: list[Values] | None = None) -> Values:
    kinds = [part.type for part in parts or []]
    try:
        return work()
    except BadExpression:
        raise
    except _NotFitting as error:
        if error.is_whole or not isinstance(node, Operation):
            raise BadExpression(str(error), node.start, node.end) from None
        raise _Unfit(str(error), node, kinds) from None
    except Exception as error:  # of Arrow: a type without that function, an overflow
        said = str(error).split("\n")[0]
        if "no kernel" not in said or not isinstance(node, Operation):
            raise BadExpression(said[:200], node.start, node.end) from None
        named = " and ".join(map(kind_of, kinds))
        raise _Unfit(f"{node.name} can't be worked out for {named}", node, kinds) from None


class _NotFitting(Exception):
    """Two values that can't be compared or reckoned with.

    Attributes:
        is_whole: Whether it says all there is to say, whatever the types are.
    """

    def __init__(self, said: str, *, is_whole: bool = False) -> None:
        super().__init__(said)
        self.is_whole = is_whole


class _Unfit(BadExpression):
    """An operator that can't be applied to values of some types. What to say, the text tells."""

    def __init__(self, sentence: str, node: Operation, kinds: list[pa.DataType]) -> None:
        super().__init__(sentence, node.start, node.end)
        self.node = node
        self.kinds = kinds


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _fitted(left: Values, right: Values) -> tuple[Values, Values]:
    """Return two values in types that can be compared."""
    for one, other, swapped in ((left, right, False), (right, left, True)):
        if _is_text(other.type) and isinstance(other, pa.Scalar):
            if pa.types.is_temporal(one.type):
                other = _moment(other, one.type)
                return (other, one) if swapped else (one, other)
            if _is_number(one.type) or pa.types.is_boolean(one.type):
                what = "a number" if _is_number(one.type) else "true or false"
                raise _NotFitting(f"a column that is {what} can't be compared with a text")
        is_other = _is_number(other.type) or pa.types.is_boolean(other.type)
        if _is_text(one.type) and is_other and not isinstance(one, pa.Scalar):
            raise _NotFitting("a text can't be compared with a number: write it in quotes")
    return left, right


def _moment(text: pa.Scalar, kind: pa.DataType) -> pa.Scalar:
    plain = pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind
    try:
        moment = text.cast(plain)
        # In the column's own zone, as it is shown there.
        if pa.types.is_timestamp(kind) and kind.tz:
            moment = pc.assume_timezone(moment, kind.tz)
    except (pa.ArrowException, ValueError):
        raise _NotFitting(f"{text.as_py()!r:.40} is no {kind}: write it as 2026-01-31 14:00") from (
            None
        )
    return moment


def _comparison(name: str) -> Callable[[Values, Values], Values]:
    def compare(left: Values, right: Values) -> Values:
        if pa.types.is_null(left.type) or pa.types.is_null(right.type):
            other = right if pa.types.is_null(left.type) else left
            if name in ("equal", "not_equal"):  # x == None asks whether it is missing
                missing = _is_missing(other)
                return missing if name == "equal" else pc.invert(missing)
        left, right = _fitted(left, right)
        return _decided(getattr(pc, name)(left, right), name == "not_equal")

    return compare


def _decided(truth: Values, otherwise: bool) -> Values:
    """Return comparisons as pandas has them: what is missing equals nothing, so it differs."""
    if isinstance(truth, pa.Scalar):
        return truth if truth.is_valid else scalar(otherwise)
    if not truth.null_count:
        return truth
    if otherwise:
        return pc.or_kleene(pc.is_null(truth), truth)
    return pc.and_kleene(pc.is_valid(truth), truth)


def _logic(name: str) -> Callable[..., Values]:
    def combine(*parts: Values) -> Values:
        for part in parts:
            if not pa.types.is_boolean(part.type):
                raise _NotFitting(f"both sides of {name} must be true or false")
        kernel = pc.and_kleene if name == "and" else pc.or_kleene
        return functools.reduce(kernel, parts)

    return combine


def _not(value: Values) -> Values:
    if not pa.types.is_boolean(value.type):
        raise _NotFitting("not needs something that is true or false")
    return pc.invert(value)


def _reckoning(name: str) -> Callable[[Values, Values], Values]:
    def reckon(left: Values, right: Values) -> Values:
        if name == "divide" or name == "power":
            left, right = (
                # Rounded beyond 2**53, as in pandas: times in nanoseconds are there.
                one.cast(pa.float64(), safe=False) if pa.types.is_integer(one.type) else one
                for one in (left, right)
            )
            # Beyond all numbers is infinite, as in pandas; an exception is nobody's answer.
            return getattr(pc, name)(left, right)
        if name == "add" and _is_text(left.type) and _is_text(right.type):
            kind = pa.large_string()
            parts = left.cast(kind), right.cast(kind), texts([""])[0].cast(kind)
            return pc.binary_join_element_wise(*parts)
        return getattr(pc, f"{name}_checked")(left, right)

    return reckon


def _floor_divide(left: Values, right: Values) -> Values:
    return pc.floor(_reckoning("divide")(left, right))


def _modulo(left: Values, right: Values) -> Values:
    return pc.subtract(left, pc.multiply(right, _floor_divide(left, right)))


def _on_text(function: Callable[..., Values]) -> Callable[..., Values]:
    def apply(value: Values, *more: Values) -> Values:
        if not _is_text(value.type):
            raise _NotFitting(f"this is for texts, not for {value.type}")
        words = []
        for one in more:
            if not (isinstance(one, pa.Scalar) and _is_text(one.type)):
                said = "put the text to look for in quotes"
                raise _NotFitting(said, is_whole=True)
            words.append(one.as_py())
        return function(value, *words)

    return apply


def _round(value: Values, digits: Values | None = None) -> Values:
    return pc.round(value, ndigits=0 if digits is None else int(digits.as_py()))


def _between(value: Values, low: Values, high: Values) -> Values:
    return pc.and_kleene(
        _comparison("greater_equal")(value, low), _comparison("less_equal")(value, high)
    )


def _is_missing(value: Values) -> Values:
    return pc.is_null(value, nan_is_null=pa.types.is_floating(value.type))


def _membership(node: Operation, columns: Columns) -> Values:
    subject, *wanted = node.parts
    if node.name != "isin" and not isinstance(wanted[0], Constant):
        # "x" in column: pandas has no such thing; people mean that the text contains it.
        return _guard_in(node, subject, wanted[0], columns)
    listed = wanted[0].value if wanted and isinstance(wanted[0], Constant) else None
    if not isinstance(listed, tuple):
        raise BadExpression("write a list: ['a', 'b']", node.start, node.end)
    value = _value(subject, columns)

    def work() -> Values:
        found = None
        for one in listed:
            same = _comparison("equal")(value, scalar(one))
            found = same if found is None else pc.or_kleene(found, same)
        return scalar(False) if found is None else found

    listed_kinds = [scalar(one) for one in listed[:1]]
    result = _guard(work, node, [value, *listed_kinds])
    return pc.invert(result) if node.name == "not in" else result


def _guard_in(node: Operation, subject: Node, within: Node, columns: Columns) -> Values:
    text, value = _value(subject, columns), _value(within, columns)
    result = _guard(
        lambda: _on_text(lambda one, word: pc.match_substring(one, word))(value, text),
        node,
        [text, value],
    )
    return pc.invert(result) if node.name == "not in" else result


_KERNELS: Final[dict[str, tuple[Callable[..., Values], int, int]]] = {
    "and": (_logic("and"), 2, 500),
    "or": (_logic("or"), 2, 500),
    "not": (_not, 1, 1),
    "neg": (lambda value: pc.negate(value), 1, 1),
    "pos": (lambda value: value, 1, 1),
    "==": (_comparison("equal"), 2, 2),
    "!=": (_comparison("not_equal"), 2, 2),
    "<": (_comparison("less"), 2, 2),
    "<=": (_comparison("less_equal"), 2, 2),
    ">": (_comparison("greater"), 2, 2),
    ">=": (_comparison("greater_equal"), 2, 2),
    "+": (_reckoning("add"), 2, 2),
    "-": (_reckoning("subtract"), 2, 2),
    "*": (_reckoning("multiply"), 2, 2),
    "/": (_reckoning("divide"), 2, 2),
    "//": (_floor_divide, 2, 2),
    "%": (_modulo, 2, 2),
    "**": (_reckoning("power"), 2, 2),
    "abs": (lambda value: pc.abs(value), 1, 1),
    "sign": (lambda value: pc.sign(value), 1, 1),
    "round": (_round, 1, 2),
    "floor": (lambda value: pc.floor(value), 1, 1),
    "ceil": (lambda value: pc.ceil(value), 1, 1),
    "sqrt": (lambda value: pc.sqrt(value), 1, 1),
    "log": (lambda value: pc.ln(value), 1, 1),
    "log10": (lambda value: pc.log10(value), 1, 1),
    "exp": (lambda value: pc.exp(value), 1, 1),
    "lower": (_on_text(lambda value: pc.utf8_lower(value)), 1, 1),
    "upper": (_on_text(lambda value: pc.utf8_upper(value)), 1, 1),
    "len": (_on_text(lambda value: pc.utf8_length(value)), 1, 1),
    "contains": (_on_text(lambda value, word: pc.match_substring(value, word)), 2, 2),
    "startswith": (_on_text(lambda value, word: pc.starts_with(value, word)), 2, 2),
    "endswith": (_on_text(lambda value, word: pc.ends_with(value, word)), 2, 2),
    "match": (_on_text(lambda value, word: pc.match_substring_regex(value, word)), 2, 2),
    "isna": (_is_missing, 1, 1),
    "isnull": (_is_missing, 1, 1),
    "notna": (lambda value: pc.invert(_is_missing(value)), 1, 1),
    "notnull": (lambda value: pc.invert(_is_missing(value)), 1, 1),
    "between": (_between, 3, 3),
}
