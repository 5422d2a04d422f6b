"""What an expression means, row by row, in Python's numbers: slow and plain.

Numbers are `int`, `Fraction` (decimals) or NumPy's floats. What is missing is None. An Oddity is
noted where `DataFrame.query` is known to say something else.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd

from livetable.tui.query.nodes import Constant, Name, Node, Operation
from tests.differential_query.frames import CATEGORIES

COMPARED: Final[dict[str, Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_FLOATS: Final[dict[str, Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": np.true_divide,
    "//": np.floor_divide, "%": np.mod, "**": np.power,
}  # fmt: skip


class Unknown(Exception):
    """The reference does not know what this means."""


@dataclass(frozen=True, slots=True)
class Written:
    """A float as it stands in an expression."""

    value: float
    exact: Fraction


class Weak(int):
    """A whole number as it stands in an expression: NumPy fits it to what is beside it."""


@dataclass
class Reference:
    """Works expressions out for one row after the other.

    Attributes:
        frame: The rows.
        oddities: Why pandas may say something else, by the table in docs/expressions.md.
    """

    frame: pd.DataFrame
    oddities: set[str] = field(default_factory=set)

    def rows(self, node: Node) -> list[bool]:
        """Return for which rows an expression is true."""
        with np.errstate(all="ignore"):
            return [self._of(node, row) is True for row in range(len(self.frame))]

    def _of(self, node: Node, row: int) -> Any:
        if isinstance(node, Constant):
            if isinstance(node.value, float) and node.exact is not None:
                return Written(node.value, node.exact)
            return Weak(node.value) if type(node.value) is int else node.value
        if isinstance(node, Name):
            return self._cell(node.title, row)
        assert isinstance(node, Operation)
        name = node.name
        if name in ("and", "or", "not"):
            if not all(map(_has_column, node.parts)):
                self.oddities.add("conditions without a column")
            return self._logic(name, [self._of(part, row) for part in node.parts])
        if name in ("isna", "notna", "isnull", "notnull"):
            value = self._of(node.parts[0], row)
            gone = value is None or _is_nan(value)
            return gone == (name in ("isna", "isnull"))
        if name in ("in", "not in", "isin"):
            return self._membership(node, row)
        if name == "between":
            value, low, high = (self._placed(node, part, row) for part in node.parts)
            both = self._compared(">=", value, low), self._compared("<=", value, high)
            return all(both)
        if name in COMPARED:
            left, right = (self._placed(node, part, row) for part in node.parts)
            return self._compared(name, left, right)
        parts = [self._of(part, row) for part in node.parts]
        if name in _FLOATS:
            return self._calculated(name, *parts)
        return self._function(node, parts)

    def _cell(self, title: str, row: int) -> Any:
        series = self.frame[title]
        value = series.iloc[row]
        dtype = str(series.dtype)
        if dtype in ("Int64", "boolean"):
            self.oddities.add("missing values of nullable columns")
        if value is None or value is pd.NaT or value is pd.NA:
            return None
        if isinstance(value, float) and value != value and dtype in ("str", "object", "category"):
            return None
        if isinstance(value, np.bool_):
            return bool(value)
        if isinstance(value, Decimal):
            return Fraction(value)
        if dtype == "object" and type(value) is int:  # as decimals beyond 64 bits
            return Fraction(value)
        return int(value) if isinstance(value, np.integer) else value

    def _placed(self, node: Operation, part: Node, row: int) -> Any:
        """Return a value: of an ordered category its place."""
        value = self._of(part, row)
        named = [one.title for one in node.parts if isinstance(one, Name)]
        is_ordered = any(
            getattr(self.frame[title].dtype, "ordered", False) for title in named
        ) and node.name not in ("==", "!=")
        return CATEGORIES.index(value) if is_ordered and value is not None else value

    def _logic(self, name: str, parts: list[Any]) -> bool | None:
        if name == "not":
            return None if parts[0] is None else not parts[0]
        decisive = name == "or"
        if any(part is decisive for part in parts):
            return decisive
        return None if any(part is None for part in parts) else not decisive

    def _membership(self, node: Operation, row: int) -> bool:
        subject, listed = node.parts
        assert isinstance(listed, Constant)
        value, found = self._of(subject, row), False
        for one, exact in zip(listed.value, listed.exact, strict=True):
            if one is None:
                found = found or value is None or _is_nan(value)
            else:
                wanted = one if exact is None else Written(one, exact)
                found = found or self._compared("==", value, wanted)
        if isinstance(value, (np.float16, np.float32)):
            self.oddities.add("lists of floats")
        return found != (node.name == "not in")

    def _compared(self, name: str, left: Any, right: Any) -> bool:
        if left is None or right is None or _is_nan(left) or _is_nan(right):
            return name == "!="
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (int, Fraction)) and not isinstance(one, bool):
                if isinstance(one, Fraction) and isinstance(other, (Written, float)):
                    self.oddities.add("decimals and floats")
                if _is_large(one):
                    self.oddities.add("numbers that floats do not tell apart")
        left, right = _beside(left, right), _beside(right, left)
        found: bool = COMPARED[name](left, right)
        return found

    def _calculated(self, sign: str, left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if isinstance(left, str) or isinstance(right, str):
            if sign == "+" and isinstance(left, str) and isinstance(right, str):
                return left + right
            raise Unknown
        if isinstance(left, bool) or isinstance(right, bool):
            self.oddities.add("true and false as numbers")
        decimal = isinstance(left, Fraction) or isinstance(right, Fraction)
        if decimal:
            self.oddities.add("decimals and floats")
            left, right = (one.exact if isinstance(one, Written) else one for one in (left, right))
        written = all(isinstance(one, Weak | Written) for one in (left, right))
        left, right = (one.value if isinstance(one, Written) else one for one in (left, right))
        if isinstance(left, float | np.floating) or isinstance(right, float | np.floating):
            if any(_is_large(one) and isinstance(one, int) for one in (left, right)):
                raise Unknown  # NumPy rounds by the type of the column, which a cell does not have
            if any(map(_is_narrow, (left, right))) and any(map(_is_of_column, (left, right))):
                raise Unknown
            found = _FLOATS[sign](_as_float(left), _as_float(right))
            if written and math.isfinite(found):
                return Written(float(found), Fraction(float(found)))
            return float(found) if written else found
        self.oddities.add("whole numbers have no end")
        if sign in "/%//" and not right:
            return math.nan if sign == "%" or not left else math.copysign(math.inf, left)
        if sign == "/":
            found = Fraction(left) / Fraction(right)
            return found if decimal else float(found)
        if sign == "**":
            if right != int(right) or right < 0 or right > 60 or decimal:
                raise Unknown
            return left ** int(right)
        made = Weak if written else int
        exactly: dict[str, Any] = {**_FLOATS, "//": operator.floordiv, "%": operator.mod}
        exact = exactly[sign](left, right)
        return exact if decimal else made(exact)

    def _function(self, node: Operation, parts: list[Any]) -> Any:
        name, value = node.name, parts[0]
        if value is None:
            return {"contains": False, "startswith": False, "endswith": False, "match": False,
                    "fullmatch": False}.get(name)  # fmt: skip
        options = dict(node.options)
        if isinstance(value, str):
            return _of_text(name, value, parts[1:], options)
        if isinstance(value, Written):
            if name == "neg" or (name == "abs" and value.value < 0):
                return Written(-value.value, -value.exact)
            if name in ("abs", "pos"):
                return value
            found = self._function(node, [np.float64(value.value), *parts[1:]])
            fits = isinstance(found, float) and math.isfinite(found)
            return Written(float(found), Fraction(float(found))) if fits else found
        if name in ("neg", "abs", "sign") and isinstance(value, int):
            self.oddities.add("whole numbers have no end")
        if name == "neg" and isinstance(value, Weak):
            return Weak(-value)
        if name == "neg":
            return -value if not isinstance(value, bool) else -int(value)
        if name == "pos":
            return value
        if name == "abs":
            return abs(value)
        if name in ("sqrt", "exp", "log", "log10"):
            wide = value if isinstance(value, np.floating) else np.float64(value)
            return getattr(np, name)(wide)
        if isinstance(value, float | np.floating):
            if name == "sign":
                return np.sign(value)
            if name in ("floor", "ceil"):
                return getattr(np, name)(value)
            if name == "round":
                return np.round(value, *(parts[1:] or [0]))
        if name == "sign":
            return (value > 0) - (value < 0)
        if name in ("floor", "ceil"):
            return getattr(math, name)(value)
        if name == "round":
            return round(value, *(parts[1:] or [0]))
        raise Unknown


def _of_text(name: str, value: str, more: list[Any], options: dict[str, Any]) -> Any:
    flags = 0 if options.get("case", True) else re.IGNORECASE
    if name == "contains":
        word = more[0] if options.get("regex", True) else re.escape(more[0])
        return re.search(word, value, flags) is not None
    if name == "match":
        return re.match(more[0], value, flags) is not None
    if name == "fullmatch":
        return re.fullmatch(more[0], value, flags) is not None
    if name == "len":
        return len(value)
    found = getattr(value, name)(*more)
    return found


def _has_column(node: Node) -> bool:
    if isinstance(node, Operation):
        return any(map(_has_column, node.parts))
    return isinstance(node, Name)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(value != value)


def _is_large(value: Any) -> bool:
    return isinstance(value, int | Fraction) and not -(2**53) <= value <= 2**53


def _is_narrow(value: Any) -> bool:
    return isinstance(value, np.float16 | np.float32)


def _is_of_column(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, Weak)


def _as_float(value: Any) -> Any:
    if isinstance(value, Fraction):
        return np.float64(float(value))
    return int(value) if isinstance(value, int) else value


def _beside(value: Any, other: Any) -> Any:
    """Return a number as it is compared with another one."""
    if isinstance(value, Written):
        if isinstance(other, np.floating) and other.dtype.itemsize < 8:
            near = type(other)(value.value)
            return float(near) if np.isfinite(near) else value.value
        return value.value if isinstance(other, float | np.floating | Written) else value.exact
    return float(value) if isinstance(value, np.floating) else value
