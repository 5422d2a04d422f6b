"""Parses expressions in pandas' query syntax. They are never run as code.

An expression can only read the table: Python's parser makes a syntax tree, and any node that is not
handled here is refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

from livetable.tui.query.nodes import BadExpression, Constant, Name, Node, Operation
from livetable.tui.query.quoting import QUOTED, REPLACED, blanks_for

MAX_LENGTH: Final = 2_000
_MAX_NODES: Final = 500

FUNCTIONS: Final = frozenset(
    {
        "abs", "round", "floor", "ceil", "sqrt", "log", "log10", "exp", "sign",
        "lower", "upper", "len", "contains", "startswith", "endswith", "match", "fullmatch",
        "isna", "notna", "isnull", "notnull", "isin", "between", "d", "pct", "rate", "was",
    }
)  # fmt: skip
"""Functions, e.g. ``abs(x)`` or ``x.abs()``; text functions also as ``x.str.lower()``."""

_TEXT_FUNCTIONS: Final = frozenset(
    {"lower", "upper", "len", "contains", "startswith", "endswith", "match", "fullmatch"}
)
PAST: Final = frozenset({"d", "pct", "rate", "was"})
"""Functions that look back: ``d(x)`` by a frame, ``d(x, 10)`` by 10 s, ``d(x, mark)``."""

_OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "and", ast.BitOr: "or", ast.And: "and", ast.Or: "or",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Not: "not", ast.Invert: "not", ast.USub: "neg",
    ast.UAdd: "pos",
}  # fmt: skip
_OPTIONS: Final[dict[str, dict[str, type]]] = {
    "contains": {"case": bool, "regex": bool, "na": bool},
    "match": {"case": bool, "na": bool},
    "fullmatch": {"case": bool, "na": bool},
    "startswith": {"na": bool},
    "endswith": {"na": bool},
}
"""Keyword arguments of functions, as in pandas."""

_MOST_DIGITS: Final = 400  # digits, or power of ten, of a float that is kept exactly
_ALONE: Final = re.compile(r"(?<![<>=!])=(?!=)")
_BARE_DATE: Final = re.compile(
    r"(?<![\w.'\"])(?:\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d\d(?::\d\d)?)?|\d{1,2}:\d\d(?::\d\d)?)"
    r"(?![\w'\"])"
)
_INDEX: Final = "index"  # the name of an index without a name, as in pandas


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Attributes:
        text: Its text.
        root: The root node.
        titles: The columns it uses.
    """

    text: str
    root: Node
    titles: tuple[str, ...]

    @property
    def spans(self) -> tuple[float | Literal["mark"], ...]:
        """How far back it looks, without duplicates; empty if it does not look back."""
        return tuple(dict.fromkeys(_spans(self.root)))


def _spans(node: Node) -> Iterator[float | Literal["mark"]]:
    if not isinstance(node, Operation):
        return
    if node.name in PAST:
        span = node.parts[-1]
        assert isinstance(span, Constant)
        yield span.value
    for part in node.parts:
        yield from _spans(part)


def parse(text: str, titles: Sequence[str] | None) -> Expression:
    """Parse an expression.

    Args:
        text: The expression. A title that is not a plain name is put in backticks; a backtick in it
            is doubled.
        titles: The columns' titles; None: unknown, so any is accepted.

    Raises:
        BadExpression: it can't be parsed, or uses an unknown column.
    """
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"This expression has more than {MAX_LENGTH} characters")
    return _Reader(text, titles).read()


class _Reader:
    """Parses one expression."""

    def __init__(self, text: str, titles: Sequence[str] | None) -> None:
        self._text = text
        self._titles = None if titles is None else frozenset(titles)
        self._used: dict[str, None] = {}
        self._quoted: list[str] = []
        self._placeholder = "_column_"
        while self._placeholder in text:  # a column may have this name
            self._placeholder = f"_{self._placeholder}"
        self._shifts: list[tuple[int, int]] = []  # positions in the source, and length differences
        self._source = self._for_python(text)
        # Leading blanks would be an indentation error.
        self._lead = len(self._source) - len(self._source.lstrip(" \t"))

    def read(self) -> Expression:
        try:
            tree = ast.parse(self._source[self._lead :], mode="eval")
        except SyntaxError as error:
            position = self._place(error.offset - 1 if error.offset else len(self._source.encode()))
            if bare := _BARE_DATE.search(QUOTED.sub(blanks_for, self._text)):
                start, end = bare.span()
                quoted = f"{self._text[:start]}'{bare[0]}'{self._text[end:]}"
                said = f"Put dates and times in quotes: {quoted.strip()[:80]}"
                raise BadExpression(said, start, end) from None
            if alone := _ALONE.search(self._text):
                raise BadExpression("Compare with == instead of =", alone.start()) from None
            raise BadExpression(_plain_words(error), position) from None
        except (ValueError, RecursionError, MemoryError):
            raise BadExpression("Can't parse this as an expression") from None
        if sum(1 for _ in ast.walk(tree)) > _MAX_NODES:
            raise BadExpression("This expression has too many parts")
        try:
            root = self._node(tree.body)
        except RecursionError:
            raise BadExpression("This expression is nested too deeply") from None
        return Expression(self._text, root, tuple(self._used))

    def _for_python(self, text: str) -> str:
        out: list[str] = []
        length = 0
        last = 0
        for match in REPLACED.finditer(text):
            out.append(text[last : match.start()])
            length += match.start() - last
            last = match.end()
            if match[1] is not None:
                word = match[1]
            elif match[3] is not None:
                word = " and " if match[3] == "&" else " or "
            elif match[4] is not None and match[4].isascii():
                word = match[4]
            else:
                word = f"{self._placeholder}{len(self._quoted)}_"
                title = match[2].replace("``", "`") if match[4] is None else match[4]
                self._quoted.append(title)
            self._shifts.append((length, len(word) - len(match[0])))
            out.append(word)
            length += len(word)
        out.append(text[last:])
        # A line break would end the expression. A space keeps the positions.
        return "".join(out).replace("\n", " ").replace("\r", " ")

    def _place(self, byte: int) -> int:
        byte = max(0, byte) + self._lead
        at = len(self._source.encode()[:byte].decode("utf-8", "ignore"))
        shift = sum(by for start, by in self._shifts if start < at)
        return max(0, min(at - shift, len(self._text)))

    def _span(self, node: ast.expr) -> tuple[int, int]:
        start = self._place(node.col_offset)
        end = self._place(node.end_col_offset or node.col_offset + 1)
        return start, max(end, start + 1)

    def _node(self, node: ast.expr) -> Node:
        start, end = self._span(node)
        reader: Callable[..., Node] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if reader is None:
            raise BadExpression("Can't use this in an expression", start, end)
        return reader(node, start, end)

    def _name(self, node: ast.Name, start: int, end: int) -> Node:
        title = self._title(node)
        if self._titles is not None and title not in self._titles:
            if title != _INDEX or "" not in self._titles:
                raise BadExpression(f"No column {title!r}", start, end)
            title = ""  # the index that has no name
        self._used[title] = None
        return Name(start, end, title)

    def _title(self, node: ast.Name) -> str:
        """Return a name as it was before `_for_python`."""
        if node.id.startswith(self._placeholder):
            return self._quoted[int(node.id[len(self._placeholder) : -1])]
        return node.id

    def _constant(self, node: ast.Constant, start: int, end: int) -> Node:
        if isinstance(node.value, float):
            return Constant(start, end, node.value, self._as_written(node))
        if isinstance(node.value, (bool, int, str)) or node.value is None:
            return Constant(start, end, node.value)
        raise BadExpression("Use a number, text in quotes, True, False or None", start, end)

    def _as_written(self, node: ast.Constant) -> Fraction | None:
        """Return a float literal as an exact number, None if it has absurdly many digits."""
        source = self._source[self._lead :].encode()
        text = source[node.col_offset : node.end_col_offset].decode().replace("_", "")
        digits, _, power = text.lower().partition("e")
        if len(digits) > _MOST_DIGITS or len(power) > 4 or abs(int(power or 0)) > _MOST_DIGITS:
            return None
        return Fraction(text)

    def _list(self, node: ast.List | ast.Tuple | ast.Set, start: int, end: int) -> Node:
        values, exact = [], []
        for element in node.elts:
            part = self._node(element)
            if isinstance(part, Operation) and part.name == "neg":
                (inner,) = part.parts
                if isinstance(inner, Constant) and type(inner.value) in (int, float):
                    written = None if inner.exact is None else -inner.exact
                    part = Constant(part.start, part.end, -inner.value, written)
            if not isinstance(part, Constant):
                raise BadExpression("A list can only hold numbers and texts", part.start, part.end)
            values.append(part.value)
            exact.append(part.exact)
        return Constant(start, end, tuple(values), tuple(exact))

    _tuple = _set = _list

    def _boolop(self, node: ast.BoolOp, start: int, end: int) -> Node:
        parts = tuple(map(self._node, node.values))
        return Operation(start, end, _OPERATORS[type(node.op)], parts)

    def _binop(self, node: ast.BinOp, start: int, end: int) -> Node:
        name = _OPERATORS.get(type(node.op))
        if name is None:
            raise BadExpression("Can't use this operator in an expression", start, end)
        return Operation(start, end, name, (self._node(node.left), self._node(node.right)))

    def _unaryop(self, node: ast.UnaryOp, start: int, end: int) -> Node:
        return Operation(start, end, _OPERATORS[type(node.op)], (self._node(node.operand),))

    def _compare(self, node: ast.Compare, start: int, end: int) -> Node:
        self._look_for_quotes(node)
        operands = [self._node(node.left), *map(self._node, node.comparators)]
        compared = []
        for at, operator in enumerate(node.ops):
            compared.append(self._compared(operator, operands[at], operands[at + 1]))
        if len(compared) == 1:
            return compared[0]
        return Operation(start, end, "and", tuple(compared))

    def _compared(self, operator: ast.cmpop, left: Node, right: Node) -> Node:
        start, end = left.start, right.end
        name = _OPERATORS.get(type(operator))
        if name is None:
            if not (isinstance(right, Constant) and right.value is None):
                raise BadExpression("Use == instead of is", start, end)
            return Operation(
                start, end, "isna" if isinstance(operator, ast.Is) else "notna", (left,)
            )
        if name in ("==", "!="):
            if _is_list(left) and not _is_list(right):
                left, right = right, left
            if _is_list(right):  # as in pandas: equals any of them
                name = "in" if name == "==" else "not in"
        return Operation(start, end, name, (left, right))

    def _look_for_quotes(self, node: ast.Compare) -> None:
        """Report a text without quotes: ``sector == tech``."""
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.Eq | ast.NotEq) and isinstance(right, ast.Name):
                title = self._title(right)
                in_backticks = right.id != title and not title.isidentifier()
                known = self._titles is None or title in self._titles or in_backticks
                if not known and not (title == _INDEX and "" in (self._titles or ())):
                    what = f"No column {title!r}. For text, use quotes: '{title}'"
                    raise BadExpression(what, *self._span(right))

    def _call(self, node: ast.Call, start: int, end: int) -> Node:
        subject: list[Node] = []
        called = node.func
        if isinstance(called, ast.Attribute):
            name = called.attr
            of = called.value
            if isinstance(of, ast.Attribute) and of.attr == "str" and name in _TEXT_FUNCTIONS:
                of = of.value
            subject = [self._node(of)] if name in FUNCTIONS else []
        else:
            name = called.id if isinstance(called, ast.Name) else ""
        if name not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            what = f"No function {name!r}" if name else "Can't call this"
            raise BadExpression(f"{what}. Functions: {known}", start, end)
        options = self._options(name, node)
        if name in PAST:
            return self._past(name, subject, node, start, end)
        return Operation(start, end, name, (*subject, *map(self._node, node.args)), options)

    def _options(self, name: str, node: ast.Call) -> tuple[tuple[str, Any], ...]:
        """Return a function's keyword arguments."""
        known = _OPTIONS.get(name, {})
        options = []
        for keyword in node.keywords:
            value = keyword.value
            if keyword.arg not in known:
                takes = f"only takes the keywords {', '.join(known)}" if known else (
                    "takes no keywords")  # fmt: skip
                raise BadExpression(f"{name} {takes}", *self._span(value))
            if not isinstance(value, ast.Constant) or type(value.value) is not known[keyword.arg]:
                said = f"{keyword.arg} must be True or False, e.g. {keyword.arg}=False"
                raise BadExpression(said, *self._span(value))
            options.append((keyword.arg, value.value))
        return tuple(options)

    def _past(
        self, name: str, subject: list[Node], node: ast.Call, start: int, end: int
    ) -> Operation:
        """Parse a function that looks back: its second argument is a span, not a column."""
        arguments = list(node.args)
        if not subject and arguments:
            subject = [self._node(arguments.pop(0))]
        if not subject or len(arguments) > 1:
            raise BadExpression(f"Use {name}(column) or {name}(column, seconds)", start, end)
        span = self._since(arguments[0]) if arguments else Constant(end, end, 0.0)
        return Operation(start, end, name, (*subject, span))

    def _since(self, node: ast.expr) -> Constant:
        start, end = self._span(node)
        if isinstance(node, ast.Name) and node.id == "mark":
            return Constant(start, end, "mark")
        seconds = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
            raise BadExpression("Use a number of seconds, e.g. 10, or mark", start, end)
        return Constant(start, end, float(seconds))


def _is_list(node: Node) -> bool:
    return isinstance(node, Constant) and isinstance(node.value, tuple)


def _plain_words(error: SyntaxError) -> str:
    """Return a sentence for a syntax error, without Python's terms."""
    said = (error.msg or "").lower()
    if "never closed" in said or "unmatched" in said or "does not match" in said:
        return f"A bracket is missing: {said}"
    if "unterminated" in said:
        return "The closing quote of a text is missing"
    return "Can't parse this. Example: price > 100 and name == 'x'"
