"""Parses JSON: integers of any size, and floats that know whether they were rounded."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final

from livetable.feed.errors import LivetableError

MAX_DEPTH: Final = 60
"""The most nested objects and lists. Deeper ones cost Arrow gigabytes to find a type."""

FLOAT_DIGITS: Final = 15
"""A float of at most this many digits is exact."""


class BadJson(LivetableError):
    """Text that is not a table in JSON."""


class Rounded(float):
    """A float whose text has more digits than a float holds."""


class _Beyond(str):
    """The text of a number that no float can hold."""

    __slots__ = ()


def _float(text: str) -> Any:
    number = float(text)
    if math.isinf(number) or (number == 0.0 and re.match(r"-?[0.]*[1-9]", text)):
        return _Beyond(text)
    if len(text) > FLOAT_DIGITS and Decimal(text) != Decimal(repr(number)):
        return Rounded(number)
    return number


def loads(text: str | bytes) -> Any:
    """Return a JSON text's value.

    Raises:
        BadJson: it is none, or nested too deeply.
    """
    try:
        value = json.loads(text, parse_float=_float)
        if _may_be_deep(text) and is_deep(value):
            raise BadJson(_DEEP)
        escapes = _HALF if isinstance(text, str) else _HALF_BYTES
        return _with_whole_characters(value) if escapes.search(text) else value  # type: ignore[arg-type]
    except RecursionError:
        raise BadJson(_DEEP) from None
    except UnicodeDecodeError:
        raise BadJson("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from (
            None
        )
    except ValueError as error:  # more digits than Python parses
        raise BadJson(f"is not JSON: {error}") from None


_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_HALF_BYTES: Final = re.compile(_HALF.pattern.encode())


def _with_whole_characters(value: Any) -> Any:
    """Return a value with lone surrogates, which no table can hold, as their escapes."""
    if isinstance(value, str):
        whole = value.encode("utf-8", "backslashreplace").decode()
        return value if whole == value else whole
    if isinstance(value, list):
        return [_with_whole_characters(part) for part in value]
    if isinstance(value, dict):
        return {
            _with_whole_characters(name): _with_whole_characters(part)
            for name, part in value.items()
        }
    return value


_DEEP: Final = f"is nested too deeply: the limit is {MAX_DEPTH} levels"


_BESIDE_BRACKETS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[^][{}"]+', re.DOTALL)


def is_deep_text(text: bytes) -> bool:
    """Tell whether a text is nested beyond `MAX_DEPTH`: Arrow's reader dies of 20,000 levels."""
    lines = text.count(b"}\n") + text.count(b"}\r\n") + text.endswith(b"}")
    if not text.count(b"[") and lines == text.count(b"{") == text.count(b"}"):
        return False  # each line is an object that ends with it
    import numpy as np

    brackets = np.frombuffer(_BESIDE_BRACKETS.sub(b"", text), np.uint8)
    opens = np.isin(brackets, np.frombuffer(b"[{", np.uint8))
    depths = np.cumsum(np.where(opens, 1, -1))
    return bool(len(depths)) and int((depths - np.minimum.accumulate(depths)).max()) >= MAX_DEPTH


def _may_be_deep(text: str | bytes) -> bool:
    if isinstance(text, str):
        return text.count("[") + text.count("{") > MAX_DEPTH
    return text.count(b"[") + text.count(b"{") > MAX_DEPTH


def is_deep(value: Any) -> bool:
    """Tell whether a value is nested beyond `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [value for value in level if isinstance(value, (dict, list))]
        if not level:
            return False
        level = [
            part
            for value in level
            for part in (value.values() if isinstance(value, dict) else value)
        ]
    return True
