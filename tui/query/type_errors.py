"""Sentences for operators and functions that can't be applied: what is wrong, and an example.

They use the columns and values of the person's own expression.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from livetable.tui.query.nodes import Constant, Name, Node, Operation
from livetable.tui.text.type_names import kind_of

_COMPARISONS: Final = frozenset(("==", "!=", "<", "<=", ">", ">="))
_DATE: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_NUMBER: Final = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
_ON_TEXT: Final = frozenset(
    ("lower", "upper", "len", "contains", "startswith", "endswith", "match")
)
_ON_NUMBERS: Final = frozenset(
    ("abs", "round", "floor", "ceil", "sqrt", "log", "log10", "exp", "sign", "pct", "rate", "d")
)
_LONGEST: Final = 60  # characters of an example: it must fit on the prompt's line


def misfit(text: str, node: Operation, kinds: Sequence[pa.DataType]) -> str | None:
    """Return why an operation can't be applied to its operands' types, None if types don't tell.

    Args:
        text: The expression.
        node: The operation.
        kinds: The operands' types.
    """
    parts = node.parts
    if node.name in ("in", "not in") and len(kinds) == 2 and not isinstance(parts[1], Constant):
        return _only(text, parts[1], kinds[1], node.name, "text")
    if node.name in ("isin", "in", "not in", "between") and kinds:
        for other, kind in zip(parts[1:], kinds[1:], strict=False):
            if said := _compared(text, node, (parts[0], other), (kinds[0], kind)):
                return said
        return None
    if node.name in _COMPARISONS and len(kinds) == 2:
        return _compared(text, node, parts, kinds)
    if node.name in ("and", "or", "not"):
        for part, kind in zip(parts, kinds, strict=True):
            if not pa.types.is_boolean(kind):
                return not_a_condition(text, part, kind)
        return None
    if node.name in _ON_TEXT and kinds:
        return _only(text, parts[0], kinds[0], node.name, "text")
    if node.name in _ON_NUMBERS and kinds:
        return _only(text, parts[0], kinds[0], node.name, "numbers")
    for part, kind in zip(parts, kinds, strict=False):
        if kind_of(kind) != "a number":
            return f"Can't calculate {_of(text, node)}: {_of(text, part)} is {kind_of(kind)}"
    return None


def not_a_condition(text: str, node: Node, kind: pa.DataType) -> str:
    """Return a sentence for a value where a condition is expected."""
    written = _of(text, node)
    example = "price > 100"
    if _columns(node):
        example = {
            "a number": f"{written} > 100",
            "text": f"{written} == 'x'",
            "a time": f"{written} > '2026-01-31 14:00'",
            "a date": f"{written} > '2026-01-31'",
        }.get(kind_of(kind), f"{written}.notna()")
    what = "This" if (node.start, node.end) == (0, len(text)) else written
    return f"{what} is not a condition. Example: {example}"


def _only(text: str, part: Node, kind: pa.DataType, name: str, what: str) -> str | None:
    if kind_of(kind) == ("text" if what == "text" else "a number"):
        return None
    return f"{name} only works on {what} ({_of(text, part)} is {kind_of(kind)})"


def _compared(
    text: str, node: Operation, parts: Sequence[Node], kinds: Sequence[pa.DataType]
) -> str | None:
    # Long, as it is a list: one pair of types after the other.
    left, right = parts[0], parts[1]
    column, value, kind, other = left, right, kinds[0], kinds[1]
    if not _columns(left) and _columns(right):
        column, value, kind, other = right, left, kinds[1], kinds[0]
    name, is_what, what = _of(text, column), kind_of(kind), kind_of(other)
    raw = _of(text, value)
    constant = value.value if isinstance(value, Constant) else None
    if isinstance(constant, tuple) and constant:  # for a list, use its first value
        constant = constant[0]
        raw = repr(constant)
    literal = isinstance(constant, str)

    def example(written: str) -> str:
        if node.name == "between":
            return f"{name}.between({written}, {written})"
        if node.name not in _COMPARISONS:
            return f"{name} in [{written}]"
        operator = node.name
        if column is right:
            return f"{written} {operator} {name}"
        return f"{name} {operator} {written}"

    if _columns(value) or is_what == what:
        if is_what == what:
            return None
        return f"Can't compare {name} ({is_what}) with {raw} ({what})"
    if is_what in ("a time", "a date", "a time of day", "a duration"):
        given = raw if _DATE.fullmatch(raw) else "2026-01-31"
        given = {"a time of day": "14:00", "a duration": "1h30m"}.get(is_what, given)
        if literal:
            moment = "2026-01-31 14:00" if is_what == "a time" else given
            return f"Can't read {raw[:30]} as {is_what}. Example: {example(repr(moment))}"
        which = {"a time of day": "the time", "a duration": "it"}.get(is_what, "the date")
        return f"{name} is {is_what}: put {which} in quotes, {example(repr(given))}"
    if is_what == "a number" and literal:
        inside = str(constant).strip()
        if _NUMBER.fullmatch(inside):
            return f"{name} is a number: leave out the quotes, {example(inside)}"
        return f"{name} is a number: compare it with a number, {example('100')}"
    if is_what == "text":
        return f"{name} is text: put the value in quotes, {example(repr(raw))}"
    if is_what == "true or false":
        return f"{name} is true or false: write {name}, or not {name}"
    return f"Can't compare {name} ({is_what}) with {raw} ({what})"


def _columns(node: Node) -> bool:
    """Tell whether a part of an expression uses a column."""
    if isinstance(node, Operation):
        return any(map(_columns, node.parts))
    return isinstance(node, Name)


def _of(text: str, node: Node) -> str:
    """Return the text of a part of an expression."""
    written = " ".join(text[node.start : node.end].split())
    return written if len(written) <= _LONGEST else f"{written[: _LONGEST - 1]}…"
