"""What is in a CSV: Python's `csv`, and the rules of types written down once more.

Written from the rules alone, in pure Python; nothing of livetable is used. The rules (issue 15):

- Integers are exact at any size, without a leading zero or `+`.
- Fractions are in decimal or exponent form and finite as a float.
- true, false, True, False are booleans; ISO dates and times are times.
- Empty, NA, N/A, NaN, null, None are missing among numbers and times; in a column of text only
  the empty cell is, and a column of nothing else is text.
- A column with any other text is text.
- A row with another number of fields than the header is left out, and counted.

Where they leave something open, each of the answers is accepted: `agrees` says which.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.printed import instant

csv.field_size_limit(sys.maxsize)

MISSING: Final = frozenset({"", "NA", "N/A", "NaN", "null", "None"})
BOOLEANS: Final = {"true": True, "false": False, "True": True, "False": False}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_FRACTION: Final = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_LEADING_ZERO: Final = re.compile(r"-?0[0-9]")
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<zone>Z|[+-]\d\d(?::?\d\d)?)?)?\Z"
)
_DECIMAL_COMMA: Final = re.compile(r"-?(?:[0-9]+(?:,[0-9]+)?|[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]+)\Z")
_SEPARATORS: Final = ",;\t|"


class Number(str):
    """A number as it is written in JSON."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Table:
    """What `csv` reads.

    Attributes:
        names: The header.
        rows: The rows that have as many fields as it.
        left_out: How many have not.
        labelled: Whether each row has one field more than the header, as R and pandas write
            labels: their column has no name then; to leave all rows out is right, too.
        separator: What stands between two fields.
        open_quote: Whether the text ends within quotes.
        kinds: The columns' types.
    """

    names: list[str]
    rows: list[list[str]]
    left_out: int
    separator: str
    open_quote: bool = False
    labelled: bool = False
    kinds: list[str] = field(default_factory=list)


def is_integer(text: str) -> bool:
    """Tell whether a cell is an integer by the rules."""
    return _INTEGER.match(text) is not None


def is_number(text: str) -> bool:
    """Tell whether a cell is a number by the rules."""
    if _INTEGER.match(text):
        return True
    if not _FRACTION.match(text) or _LEADING_ZERO.match(text):
        return False
    if re.fullmatch(r"-?[0-9]+", text):
        return False
    return abs(float(text)) != float("inf")


def is_time(text: str) -> bool:
    """Tell whether a cell is an ISO date or time."""
    return _TIME.match(text) is not None and instant(_micro(text)) is not None


def kind_of(cells: Iterable[str]) -> str:
    """Return a column's type: number, boolean, time or text; `+` after it where text will do, too.

    Args:
        cells: All of its cells.
    """
    unlike = set(cells)
    there = unlike - MISSING
    if not there:
        return "text"
    if all(map(is_number, there)):
        # A float does not hold these; whether it is text then or wider numbers is open.
        exact = all(len(one.lstrip("-")) < 16 or not is_integer(one) for one in there)
        return "number" if exact else "number+"
    if there <= BOOLEANS.keys():
        # Of booleans with NA among them the rules say nothing.
        return "boolean" if unlike <= {"", *BOOLEANS} else "boolean+"
    if all(map(is_time, there)):
        zones = {bool(_zone(one)) for one in there}
        return "time" if len(zones) == 1 else "time+"
    stripped = {cell.strip(" \t") for cell in there} - MISSING
    if stripped and all(map(_like_a_number, stripped)):
        return "text+"
    if stripped <= BOOLEANS.keys() or all(map(is_time, stripped)):
        return "text+"
    return "text"


def _like_a_number(text: str) -> bool:
    """Tell whether a cell may be taken for a number where the rules are silent: 00.5, +1.5."""
    if is_number(text):
        return True
    return "." in text and is_number(re.sub(r"^\+?(-?)0*(?=[0-9])", r"\1", text))


def _zone(text: str) -> str | None:
    found = _TIME.match(text)
    return found["zone"] if found else None


def _micro(text: str) -> str:
    """Return a time without what is behind its microseconds."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def separator_of(first: str) -> str:
    """Return what stands between the fields of a header."""
    counts = {one: len(next(csv.reader([first], delimiter=one), [])) for one in _SEPARATORS}
    return "," if counts[","] > 1 else max(_SEPARATORS, key=lambda one: counts[one])


def decode(data: bytes) -> str:
    """Return text as its bytes say: by its mark, UTF-8, else Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read(text: str, separator: str | None = None) -> Table:
    """Return what `csv` reads of a text.

    Args:
        text: With its line ends.
        separator: What stands between two fields; None to find out by the header.
    """
    if separator is None:
        lines = io.StringIO(text, newline=None)
        separator = separator_of(next((line for line in lines if line.strip()), ""))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = [row for row in reader if row]
    open_quote = bool(rows) and _ends_open(text, separator)
    names, rows = (rows[0], rows[1:]) if rows else ([], [])
    labelled = bool(rows) and all(len(row) == len(names) + 1 for row in rows)
    if labelled:
        names = ["", *names]
    whole = [row for row in rows if len(row) == len(names)]
    kinds = [kind_of(row[at] for row in whole) for at in range(len(names))]
    return Table(names, whole, len(rows) - len(whole), separator, open_quote, labelled, kinds)


def _ends_open(text: str, separator: str) -> bool:
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def agrees(value: Any, text: str, kind: str, *, decimal_comma: bool = False) -> bool:
    """Tell whether a value is what a cell says.

    Args:
        value: A `Number`, a text, a bool, None; or a value of Arrow's.
        text: The cell.
        kind: Its column's type.
        decimal_comma: Whether `1,5` may be a number, too.
    """
    open_, kind = kind.endswith("+"), kind.rstrip("+")
    if value is None or (isinstance(value, float) and value != value):
        if text == "":
            return True
        return (kind != "text" or open_) and text.strip(" \t") in MISSING
    if type(value) is str and value == text:
        # The text itself is never a wrong value, but numbers are to be numbers. A time in JSON
        # can't be told from its text.
        return kind == "text" or open_ or (kind == "time" and text not in MISSING)
    if kind == "number" or (open_ and kind == "text" and _like_a_number(text.strip(" \t"))):
        return _same_number(value, text.strip(" \t").lstrip("+"))
    if kind == "boolean" or (open_ and text.strip() in BOOLEANS):
        return value is BOOLEANS.get(text.strip(), "none")
    if kind == "time" or (open_ and is_time(text.strip())):
        wanted = instant(_micro(text.strip()))
        if isinstance(value, str):
            value = _micro(value)
        return wanted is not None and not isinstance(value, Number) and instant(value) == wanted
    if decimal_comma and _DECIMAL_COMMA.match(text):
        return _same_number(value, text.replace(".", "").replace(",", "."))
    return False


def _same_number(value: Any, text: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, Number | int | float | Decimal):
        return False
    if isinstance(value, Number) and str(value) == text:
        return True
    found = Decimal(str(value)) if isinstance(value, Number) else Decimal(value)
    try:
        wanted = Decimal(text)
    except ArithmeticError:
        return False
    if found == wanted:
        return True
    # A fraction is the float that is nearest to it; an integer is exact.
    return not is_integer(text) and float(found) == float(text)


def first_difference(
    names: Sequence[str], rows: Sequence[Sequence[Any]], wanted: Table
) -> str | None:
    """Return where a table is another one than `csv` reads; None if nowhere.

    Args:
        names: The columns' names.
        rows: The values.
        wanted: What `csv` reads.
    """
    if wanted.labelled and not rows:
        return None
    if len(rows) != len(wanted.rows):
        where = next(
            (at for at, (row, texts) in enumerate(zip(rows, wanted.rows, strict=False), 1)
             if len(row) != len(texts) or not all(map(agrees, row, texts, wanted.kinds))), None,
        )  # fmt: skip
        return f"{len(rows)} rows, not {len(wanted.rows)}" + (
            f"; the first other one is row {where}" if where else ""
        )
    if not rows:
        return None
    if len(names) != len(wanted.names):
        return f"columns {list(names)}, not {wanted.names}"
    for there, name in zip(names, wanted.names, strict=True):
        # What has no name of its own may be given one.
        if there != name and name.strip() and wanted.names.count(name) == 1:
            return f"a column is called {there!r}, not {name!r}"
    comma = wanted.separator != ","
    for at, (row, texts) in enumerate(zip(rows, wanted.rows, strict=True), 1):
        for name, kind, value, text in zip(wanted.names, wanted.kinds, row, texts, strict=True):
            if value is None and text == "":
                continue
            if not agrees(value, text, kind, decimal_comma=comma):
                return f"row {at}, {name!r} ({kind}): {value!r}, not {text!r}"
    return None
