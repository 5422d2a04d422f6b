"""Evaluates an expression for a table: one Arrow value per row.

Missing values behave as in pandas: comparing with one is false, and ``!=`` is true.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import truth, without_dictionary
from livetable.tui.model.table import Table
from livetable.tui.query import exact, time_arithmetic
from livetable.tui.query.arithmetic import absolute, calculate
from livetable.tui.query.exact import Literal, Value, is_number
from livetable.tui.query.expression import PAST, Expression
from livetable.tui.query.nodes import BadExpression, Constant, Name, Node, Operation
from livetable.tui.query.operators import (
    KERNELS,
    NotFitting,
    Values,
    comparison_of,
    contains,
    for_arrow,
    inverted,
    logic_of,
    matching,
)
from livetable.tui.query.sort import category_places
from livetable.tui.query.table_columns import Columns, columns_of
from livetable.tui.query.type_errors import misfit, not_a_condition
from livetable.tui.text.type_names import kind_of


def mask_of(expression: Expression, columns: Columns | Table, rows: int) -> np.ndarray[Any, Any]:
    """Return which rows match a condition; unknown counts as false.

    Args:
        expression: The condition.
        columns: Provides its columns.
        rows: Number of rows.

    Raises:
        BadExpression: it is not a condition, or can't be computed.
    """
    values = evaluate(expression, columns)
    _check_truth(expression, values.type)
    if isinstance(values, pa.Scalar):
        return np.full(rows, bool(values.as_py()))
    return truth(values)


def check_condition(expression: Expression, columns: Columns) -> None:
    """Check that an expression is a condition, by the types of its columns.

    Args:
        expression: The expression.
        columns: Provides its columns, which may be empty.

    Raises:
        BadExpression: it is not a condition, or can't be computed.
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
        columns: Provides its columns; a table stands for all of its rows, shown or not.

    Raises:
        BadExpression: it can't be computed.
    """
    if isinstance(columns, Table):
        columns = columns_of(columns)
    try:
        return for_arrow(_value(expression.root, columns))
    except _Unfit as error:
        sentence = misfit(expression.text, error.node, error.kinds) or error.sentence
        raise BadExpression(sentence, error.start, error.end) from None


def _value(node: Node, columns: Columns) -> Value:
    if isinstance(node, Name):
        values = columns.values_of(node.title)
        if values is None:
            raise BadExpression(f"No column {node.title!r}", node.start, node.end)
        return _for_kernels(without_dictionary(values))
    if isinstance(node, Constant):
        if isinstance(node.value, tuple):
            raise BadExpression("Use a list only after in, or in isin(…)", node.start, node.end)
        return Literal(node.value, node.exact)
    assert isinstance(node, Operation)
    if node.name in ("in", "not in", "isin"):
        return _membership(node, columns)
    if node.name in PAST:
        return _change(node, columns)
    function, least, most = KERNELS[node.name]
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


def _for_kernels(values: pa.Array) -> pa.Array:
    """Return a column in a type that Arrow's functions support."""
    kind = values.type
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return values.cast(pa.decimal128(kind.precision, kind.scale))
    return values


_SIZED: Final = frozenset(("==", "!=", "<", "<=", ">", ">=", "between", "+", "-", "*", "/"))
"""Operators that use the sizes of quantities instead of their texts."""


def _sizes(node: Operation, columns: Columns) -> list[Value] | None:
    """Return an operation's operands as sizes if one is a column of quantities.

    None if there is no such column, or if a text among the operands is not a quantity.
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
            sized = sizes(value)
            if sized is None:
                return None
            each, family = sized
            value = exact.from_numpy(each, ~np.isnan(each))
        parts.append(value)
    for index, value in enumerate(parts):
        if isinstance(value, Literal) and isinstance(value.value, str):
            size = in_family(value.value, family)
            if size != size:
                return None
            parts[index] = Literal(size)
    return parts


_PLACED: Final = frozenset(("<", "<=", ">", ">=", "between"))
"""Operators that use the order of ordered categories instead of their texts."""


def _places(node: Operation, columns: Columns) -> list[Value] | None:
    """Return an operation's operands as positions among ordered categories, None if unordered."""
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
                said = f"{named[0].title} has no category {part.value!r:.40}. It has {known}"
                raise BadExpression(said[:200], part.start, part.end)
            parts.append(Literal(order.index(str(part.value))))
        else:
            return None
    return parts


def _change(node: Operation, columns: Columns) -> Value:
    """Return earlier values, or how much values have changed since."""
    subject, span = node.parts
    assert isinstance(span, Constant)
    earlier, seconds = columns.earlier(span.value)
    now, then = _value(subject, columns), _value(subject, earlier)
    if node.name == "was":
        return then

    def work() -> Value:
        if pa.types.is_temporal(now.type):
            if node.name != "d":
                raise NotFitting(f"{node.name} only works on numbers. For times, use d")
            return time_arithmetic.calculate("-", now, then)
        if not is_number(now.type) or pa.types.is_boolean(now.type):
            raise NotFitting(f"{node.name} only works on numbers, not on {now.type}")
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
    except NotFitting as error:
        if error.is_whole or not isinstance(node, Operation):
            raise BadExpression(str(error), node.start, node.end) from None
        raise _Unfit(str(error), node, kinds) from None
    except Exception as error:  # from Arrow: an unsupported type, an overflow
        said = str(error).split("\n")[0]
        if "no kernel" not in said or not isinstance(node, Operation):
            raise BadExpression(said[:200], node.start, node.end) from None
        named = " and ".join(map(kind_of, kinds))
        raise _Unfit(f"Can't apply {node.name} to {named}", node, kinds) from None


class _Unfit(BadExpression):
    """An operator can't be applied to these types. `misfit` makes the sentence from the text."""

    def __init__(self, sentence: str, node: Operation, kinds: list[pa.DataType]) -> None:
        super().__init__(sentence, node.start, node.end)
        self.node = node
        self.kinds = kinds


def _membership(node: Operation, columns: Columns) -> Value:
    subject, *wanted = node.parts
    if node.name != "isin" and not isinstance(wanted[0], Constant):
        # 'x' in column, which pandas does not support: tells whether the text contains 'x'.
        return _guard_in(node, subject, wanted[0], columns)
    listed = wanted[0] if wanted and isinstance(wanted[0], Constant) else None
    if listed is None or len(wanted) != 1 or not isinstance(listed.value, tuple):
        raise BadExpression("Use a list: ['a', 'b']", node.start, node.end)
    equal = Operation(node.start, node.end, "==", (subject, listed))
    each = [
        Constant(listed.start, listed.end, one, written)
        for one, written in zip(listed.value, listed.exact, strict=True)
    ]
    value = _value(subject, columns)

    def work() -> Value:
        result: Value = None
        for one in each:
            sized = _sizes(replace(equal, parts=(subject, one)), columns)
            same = comparison_of("equal")(*(sized or (value, Literal(one.value, one.exact))))
            result = same if result is None else logic_of("or")(result, same)
        return Literal(False) if result is None else result

    kinds: list[Value] = [Literal(one.value) for one in each[:1]]
    result = _guard(work, node, [value, *kinds])
    return inverted(result) if node.name == "not in" else result


def _guard_in(node: Operation, subject: Node, within: Node, columns: Columns) -> Value:
    text, value = _value(subject, columns), _value(within, columns)
    is_in = matching(functools.partial(contains, regex=False))
    result = _guard(lambda: is_in(value, text), node, [text, value])
    return inverted(result) if node.name == "not in" else result
