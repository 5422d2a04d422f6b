"""What an expression gives for a table: one Arrow value a row, as pandas and arithmetic have it.

Missing values are as in pandas: a comparison with one is false, and ``!=`` is true.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import is_text, truth, without_dictionary
from livetable.tui.model.table import Table
from livetable.tui.query import arithmetic, comparison, exact, time_arithmetic
from livetable.tui.query.arithmetic import absolute, calculate, negated
from livetable.tui.query.exact import Exact, Literal, Value, is_number
from livetable.tui.query.expression import (
    PAST,
    BadExpression,
    Constant,
    Expression,
    Name,
    Node,
    Operation,
)
from livetable.tui.query.sort import category_places
from livetable.tui.query.table_columns import Columns, columns_of
from livetable.tui.query.type_errors import misfit, not_a_condition
from livetable.tui.text.type_names import kind_of

Values = Any
"""An Arrow array with a value a row, or an Arrow scalar for all of them."""


def mask_of(expression: Expression, columns: Columns | Table, rows: int) -> np.ndarray[Any, Any]:
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


def evaluate(expression: Expression, columns: Columns | Table) -> Values:
    """Return an expression's values.

    Args:
        expression: The expression.
        columns: Where its columns are; a table for all of its rows, whatever is shown of them.

    Raises:
        BadExpression: something in it can't be worked out; it says what and where.
    """
    if isinstance(columns, Table):
        columns = columns_of(columns)
    try:
        return _for_arrow(_value(expression.root, columns))
    except _Unfit as error:
        sentence = misfit(expression.text, error.node, error.kinds) or error.sentence
        raise BadExpression(sentence, error.start, error.end) from None


def _for_arrow(value: Value) -> Values:
    """Return a value as Arrow has it."""
    if isinstance(value, Literal):
        return exact.scalar(value.value)
    if isinstance(value, Exact):
        return value.to_arrow()
    return value.combine_chunks() if isinstance(value, pa.ChunkedArray) else value


def _value(node: Node, columns: Columns) -> Value:
    if isinstance(node, Name):
        found = columns.values_of(node.title)
        if found is None:
            raise BadExpression(f"there is no column {node.title!r}", node.start, node.end)
        return _as_reckoned(without_dictionary(found))
    if isinstance(node, Constant):
        if isinstance(node.value, tuple):
            raise BadExpression("a list stands behind in, or in isin(…)", node.start, node.end)
        return Literal(node.value, node.exact)
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
    if node.name in _PLACED and (placed := _places(node, columns)) is not None:
        return _guard(lambda: function(*placed), node, placed)
    parts = [_value(part, columns) for part in node.parts]
    return _guard(lambda: function(*parts, **dict(node.options)), node, parts)


def _as_reckoned(values: pa.Array) -> pa.Array:
    """Return a column in a type that Arrow's functions take."""
    kind = values.type
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return values.cast(pa.decimal128(kind.precision, kind.scale))
    return values


_SIZED: Final = frozenset(("==", "!=", "<", "<=", ">", ">=", "between", "+", "-", "*", "/"))
"""What is done with the sizes of quantities, not with their texts."""


def _sizes(node: Operation, columns: Columns) -> list[Value] | None:
    """Return an operation's parts as sizes, where one is a column of numbers with units.

    None where there is no such column, or a text among the parts is no quantity.
    """
    titles = [part.title for part in node.parts if isinstance(part, Name)]
    if not any(map(columns.holds_quantities, titles)):
        return None
    from livetable.feed.arrow.quantities import Family, in_family, sizes

    parts: list[Value] = []
    family = Family.PLAIN
    for part in node.parts:
        value = _value(part, columns)
        if isinstance(part, Name) and columns.holds_quantities(part.title):
            found = sizes(value)
            if found is None:
                return None
            each, family = found
            value = exact.from_numpy(each, ~np.isnan(each))
        parts.append(value)
    for at, value in enumerate(parts):
        if isinstance(value, Literal) and isinstance(value.value, str):
            size = in_family(value.value, family)
            if size != size:
                return None
            parts[at] = Literal(size)
    return parts


_PLACED: Final = frozenset(("<", "<=", ">", ">=", "between"))
"""What is asked of the places of ordered categories, not of their texts."""


def _places(node: Operation, columns: Columns) -> list[Value] | None:
    """Return an operation's parts as places among categories, None where they have no order."""
    named = [part for part in node.parts if isinstance(part, Name)]
    orders = {columns.categories_of(part.title) for part in named}
    if len(orders) != 1 or not (order := orders.pop()):
        return None
    parts: list[Value] = []
    for part in node.parts:
        if isinstance(part, Name):
            parts.append(category_places(_value(part, columns), order))
        elif isinstance(part, Constant) and isinstance(part.value, (str, int)):
            if str(part.value) not in order:
                known = ", ".join(map(repr if isinstance(part.value, str) else str, order[:8]))
                said = f"{named[0].title} has no category {part.value!r:.40}; it has {known}"
                raise BadExpression(said[:200], part.start, part.end)
            parts.append(Literal(order.index(str(part.value))))
        else:
            return None
    return parts


def _change(node: Operation, columns: Columns) -> Value:
    """Return how values differ from what they were."""
    subject, span = node.parts
    assert isinstance(span, Constant)
    earlier, seconds = columns.earlier(span.value)
    now, then = _value(subject, columns), _value(subject, earlier)
    if node.name == "was":
        return then

    def work() -> Value:
        if pa.types.is_temporal(now.type):
            if node.name != "d":
                raise _NotFitting(f"{node.name} is for numbers; d gives a time's change")
            return time_arithmetic.calculate("-", now, then)
        if not is_number(now.type) or pa.types.is_boolean(now.type):
            raise _NotFitting(f"{node.name} is for numbers, not for {now.type}")
        change = calculate("-", now, then)
        if node.name == "pct":
            return calculate("/", change, absolute(then))
        return calculate("/", change, Literal(seconds)) if node.name == "rate" else change

    return _guard(work, node, [now])


def _guard(work: Callable[[], Value], node: Node, parts: list[Value] | None = None) -> Value:
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


# -- comparisons ---------------------------------------------------------------------------------


def _comparison(name: str) -> Callable[[Value, Value], Value]:
    def compare(left: Value, right: Value) -> Value:
        if _is_none(left) or _is_none(right):  # x == None asks whether it is missing
            absent = _is_missing(left if _is_none(right) else right)
            if name in ("equal", "not_equal"):
                return absent if name == "equal" else _inverted(absent)
        return _decided(_compared(name, left, right), name == "not_equal")

    return compare


def _compared(name: str, left: Value, right: Value) -> Value:
    """Compare values, missing where one is missing."""
    kinds = left.type, right.type
    if any(map(pa.types.is_null, kinds)):
        return _nothing(left, right)
    if all(map(is_number, kinds)):
        return comparison.compare(name, left, right)
    if all(map(is_text, kinds)) and isinstance(left, Literal) and isinstance(right, Literal):
        return Literal(getattr(pc, name)(*map(_for_arrow, (left, right))).as_py())
    if all(map(pa.types.is_temporal, kinds)):
        return time_arithmetic.compare(name, left, right)
    for one, other, mirrored in ((left, right, False), (right, left, True)):
        if isinstance(other, Literal) and is_text(other.type):
            if pa.types.is_temporal(one.type):
                return _with_time(
                    comparison.MIRRORED.get(name, name) if mirrored else name, one, other.value
                )
            if is_number(one.type):
                what = "true or false" if pa.types.is_boolean(one.type) else "a number"
                raise _NotFitting(f"a column that is {what} can't be compared with a text")
        if is_text(one.type) and is_number(other.type) and not isinstance(one, Literal):
            raise _NotFitting("a text can't be compared with a number: write it in quotes")
    return getattr(pc, name)(_for_arrow(left), _for_arrow(right))


def _with_time(name: str, values: pa.Array, text: str) -> pa.Array:
    try:
        return time_arithmetic.against(name, values, text)
    except time_arithmetic.NoTime as error:
        raise _NotFitting(str(error), is_whole=error.is_whole) from None


def _is_none(value: Value) -> bool:
    return isinstance(value, Literal) and value.value is None


def _nothing(*values: Value) -> Value:
    """Return a truth that is missing for all rows."""
    rows = [len(value) for value in values if not isinstance(value, Literal)]
    return pa.nulls(rows[0], pa.bool_()) if rows else Literal(False)


def _decided(truth: Value, otherwise: bool) -> Value:
    """Return comparisons as pandas has them: what is missing equals nothing, so it differs."""
    if isinstance(truth, Literal) or not truth.null_count:
        return truth
    if otherwise:
        return pc.or_kleene(pc.is_null(truth), truth)
    return pc.and_kleene(pc.is_valid(truth), truth)


def _logic(name: str) -> Callable[..., Value]:
    def combine(*parts: Value) -> Value:
        for part in parts:
            if not pa.types.is_boolean(part.type):
                raise _NotFitting(f"both sides of {name} must be true or false")
        if all(isinstance(part, Literal) for part in parts):
            return Literal((all if name == "and" else any)(part.value for part in parts))
        kernel = pc.and_kleene if name == "and" else pc.or_kleene
        return functools.reduce(kernel, map(_for_arrow, parts))

    return combine


def _not(value: Value) -> Value:
    if not pa.types.is_boolean(value.type):
        raise _NotFitting("not needs something that is true or false")
    return _inverted(value)


def _inverted(value: Value) -> Value:
    return Literal(not value.value) if isinstance(value, Literal) else pc.invert(value)


# -- calculations ----------------------------------------------------------------------------------


def _reckoning(sign: str) -> Callable[[Value, Value], Value]:
    def reckon(left: Value, right: Value) -> Value:
        kinds = left.type, right.type
        if all(map(is_number, kinds)):
            return calculate(sign, left, right)
        if sign == "+" and all(map(is_text, kinds)):
            if isinstance(left, Literal) and isinstance(right, Literal):
                return Literal(left.value + right.value)
            kind = pa.large_string()
            parts = [_for_arrow(one).cast(kind) for one in (left, right, Literal(""))]
            return pc.binary_join_element_wise(*parts)
        if any(map(pa.types.is_null, kinds)) and all(
            pa.types.is_null(kind) or is_number(kind) for kind in kinds
        ):
            return _nothing(left, right).cast(pa.float64())
        return time_arithmetic.calculate(sign, *map(_for_arrow, (left, right)))

    return reckon


def _on_numbers(
    function: Callable[..., Value], of_spans: Callable[[Any], Any] | None = None
) -> Callable[..., Value]:
    def apply(value: Value, *more: Value) -> Value:
        if of_spans is not None and pa.types.is_duration(value.type):
            return of_spans(_for_arrow(value))
        if pa.types.is_null(value.type) and not isinstance(value, Literal):
            return value.cast(pa.float64())
        if not is_number(value.type):
            raise _NotFitting(f"this is for numbers, not for {value.type}")
        return function(value, *more)

    return apply


def _of_floats(name: str) -> Callable[..., Value]:
    return _on_numbers(lambda value: arithmetic.of_floats(getattr(np, name), value))


def _round(value: Value, digits: Value | None = None) -> Value:
    if digits is None:
        return arithmetic.rounded(value, 0)
    if not isinstance(digits, Literal) or type(digits.value) is not int or abs(digits.value) > 400:
        raise _NotFitting("write the digits as a number: round(x, 2)", is_whole=True)
    return arithmetic.rounded(value, digits.value)


# -- texts -----------------------------------------------------------------------------------------


def _on_text(function: Callable[..., Values]) -> Callable[..., Value]:
    def apply(value: Value, *more: Value, **options: bool) -> Value:
        if pa.types.is_null(value.type) and not isinstance(value, Literal):
            value = value.cast(pa.string())
        if not is_text(value.type):
            raise _NotFitting(f"this is for texts, not for {value.type}")
        words = []
        for one in more:
            if not (isinstance(one, Literal) and is_text(one.type)):
                said = "put the text to look for in quotes"
                raise _NotFitting(said, is_whole=True)
            words.append(one.value)
        found = function(_for_arrow(value), *words, **options)
        return Literal(found.as_py()) if isinstance(found, pa.Scalar) else found

    return apply


def _matching(function: Callable[..., Values]) -> Callable[..., Value]:
    """Return what tells whether texts match: what is missing does not."""

    def match(value: Values, word: str, *, na: bool = False, **options: bool) -> Values:
        try:
            return pc.fill_null(function(value, word, **options), exact.scalar(na))
        except pa.ArrowInvalid as error:
            said = str(error).partition(": ")[2] or str(error)
            raise _NotFitting(f"{word[:40]!r} can't be matched: {said:.100}", is_whole=True) from (
                None
            )

    return _on_text(match)


def _contains(value: Values, word: str, *, case: bool = True, regex: bool = True) -> Values:
    # A word without any of a pattern's signs is found in half the time as such.
    kernel = pc.match_substring_regex if regex and not word.isalnum() else pc.match_substring
    return kernel(value, word, ignore_case=not case)


def _match(value: Values, word: str, *, case: bool = True) -> Values:
    return pc.match_substring_regex(value, f"^(?:{word})", ignore_case=not case)


def _fullmatch(value: Values, word: str, *, case: bool = True) -> Values:
    return pc.match_substring_regex(value, f"^(?:{word})$", ignore_case=not case)


def _between(value: Value, low: Value, high: Value) -> Value:
    return _logic("and")(
        _comparison("greater_equal")(value, low), _comparison("less_equal")(value, high)
    )


def _is_missing(value: Value) -> Value:
    if isinstance(value, Literal):
        return Literal(value.value is None or value.value != value.value)
    if isinstance(value, Exact):
        gone = [one is None or one != one for one in value.values]
        return exact.truths(np.array(gone, dtype=bool), None)
    return pc.is_null(value, nan_is_null=pa.types.is_floating(value.type))


def _is_there(value: Value) -> Value:
    return _inverted(_is_missing(value))


def _membership(node: Operation, columns: Columns) -> Value:
    subject, *wanted = node.parts
    if node.name != "isin" and not isinstance(wanted[0], Constant):
        # "x" in column: pandas has no such thing; people mean that the text contains it.
        return _guard_in(node, subject, wanted[0], columns)
    listed = wanted[0] if wanted and isinstance(wanted[0], Constant) else None
    if listed is None or len(wanted) != 1 or not isinstance(listed.value, tuple):
        raise BadExpression("write a list: ['a', 'b']", node.start, node.end)
    equal = Operation(node.start, node.end, "==", (subject, listed))
    each = [
        Constant(listed.start, listed.end, one, written)
        for one, written in zip(listed.value, listed.exact, strict=True)
    ]
    value = _value(subject, columns)

    def work() -> Value:
        found: Value = None
        for one in each:
            sized = _sizes(replace(equal, parts=(subject, one)), columns)
            same = _comparison("equal")(*(sized or (value, Literal(one.value, one.exact))))
            found = same if found is None else _logic("or")(found, same)
        return Literal(False) if found is None else found

    kinds: list[Value] = [Literal(one.value) for one in each[:1]]
    result = _guard(work, node, [value, *kinds])
    return _inverted(result) if node.name == "not in" else result


def _guard_in(node: Operation, subject: Node, within: Node, columns: Columns) -> Value:
    text, value = _value(subject, columns), _value(within, columns)
    contains = _matching(functools.partial(_contains, regex=False))
    result = _guard(lambda: contains(value, text), node, [text, value])
    return _inverted(result) if node.name == "not in" else result


_KERNELS: Final[dict[str, tuple[Callable[..., Value], int, int]]] = {
    "and": (_logic("and"), 2, 500),
    "or": (_logic("or"), 2, 500),
    "not": (_not, 1, 1),
    "neg": (_on_numbers(negated, time_arithmetic.negated), 1, 1),
    "pos": (lambda value: value, 1, 1),
    "==": (_comparison("equal"), 2, 2),
    "!=": (_comparison("not_equal"), 2, 2),
    "<": (_comparison("less"), 2, 2),
    "<=": (_comparison("less_equal"), 2, 2),
    ">": (_comparison("greater"), 2, 2),
    ">=": (_comparison("greater_equal"), 2, 2),
    **{sign: (_reckoning(sign), 2, 2) for sign in ("+", "-", "*", "/", "//", "%", "**")},
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
    "contains": (_matching(_contains), 2, 2),
    "startswith": (_matching(lambda value, word: pc.starts_with(value, word)), 2, 2),
    "endswith": (_matching(lambda value, word: pc.ends_with(value, word)), 2, 2),
    "match": (_matching(_match), 2, 2),
    "fullmatch": (_matching(_fullmatch), 2, 2),
    "isna": (_is_missing, 1, 1),
    "isnull": (_is_missing, 1, 1),
    "notna": (_is_there, 1, 1),
    "notnull": (_is_there, 1, 1),
    "between": (_between, 3, 3),
}
