"""A column's style as chosen by the person: width, number format, shade. No Textual."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from livetable.feed.base.terminal_text import harmless


class NumberForm(Enum):
    """A format of numbers."""

    PLAIN = "plain"
    THOUSANDS = "thousands"
    PERCENT = "percent"
    SI = "SI"
    BYTES = "bytes"
    DURATION = "duration"
    HEX = "hex"


class Shade(Enum):
    """A shade behind numbers."""

    NONE = "none"
    BAR = "bar"
    HEAT = "heat"


@dataclass(frozen=True, slots=True)
class ColumnStyle:
    """A column's style. None: determined by the column's type and values.

    Attributes:
        width: Width in cells, without padding.
        digits: Decimals.
        form: The format of numbers.
        unit: The unit after each number.
        left: Whether it is aligned to the left.
        shade: The shade behind numbers.
    """

    width: int | None = None
    digits: int | None = None
    form: NumberForm = NumberForm.PLAIN
    unit: str = ""
    left: bool | None = None
    shade: Shade = Shade.NONE

    @property
    def writes(self) -> bool:
        """Whether the style changes the text of numbers."""
        return bool(self.digits is not None or self.form is not NumberForm.PLAIN or self.unit)


LEAST_WIDTH: Final = 3
"""The smallest width of a column, in cells."""

PLAIN_STYLE: Final = ColumnStyle()

SI: Final = ("", "k", "M", "G", "T", "P", "E")
SMALL: Final = ("", "m", "µ", "n", "p", "f", "a")
IEC: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"

Number: TypeAlias = Any
"""An int, a float or a Decimal. (Importing `decimal` would delay the first row.)"""
Writer = Callable[[Any], str]


def number_writer(style: ColumnStyle, plain: Writer) -> Writer:
    """Return a function that formats a column's numbers.

    It puts ``≈`` before a number that is not zero but would look like zero. (For other rounded
    numbers ``≈`` is shown before the column's title.)

    Args:
        style: The style.
        plain: Formats numbers without a style.
    """
    write = _writer(style, plain)
    unit = f" {harmless(style.unit)}" if style.unit else ""

    def written(value: Any) -> str:
        if isinstance(value, str) or value != value or value in (math.inf, -math.inf):
            return plain(value)
        text = write(value)
        if value and not any(figure in text for figure in "123456789abcdef"):
            text = f"≈{text}"
        return text + unit

    return written


def _writer(style: ColumnStyle, plain: Writer) -> Writer:
    digits = style.digits
    form = style.form
    if form is NumberForm.THOUSANDS:
        return lambda value: fixed_text(value, _digits(value, digits), ",")
    if form is NumberForm.PERCENT:
        return lambda value: percent_text(value, 1 if digits is None else digits)
    if form is NumberForm.SI:
        return lambda value: si_text(value, 3 if digits is None else digits)
    if form is NumberForm.BYTES:
        return lambda value: bytes_text(value, 1 if digits is None else digits)
    if form is NumberForm.DURATION:
        return lambda value: seconds_text(value, digits or 0)
    if form is NumberForm.HEX:
        return hex_text
    if digits is not None:
        return lambda value: fixed_text(value, digits)
    return plain


def _digits(value: Number, digits: int | None) -> int:
    if digits is not None:
        return digits
    return 0 if isinstance(value, int) else 2


def fixed_text(value: Number, digits: int, separator: str = "") -> str:
    """Return a number with fixed decimals; whole numbers of any size are exact."""
    if isinstance(value, int):
        return f"{value:{separator}}" + (f".{'0' * digits}" if digits else "")
    return f"{value:{separator}.{digits}f}"


def percent_text(value: Number, digits: int = 1) -> str:
    """Return a number as a percentage, even if that exceeds the largest float."""
    if not isinstance(value, int | float):  # Decimal multiplication rounds to 28 digits
        sign, figures, power = value.as_tuple()
        return f"{fixed_text(type(value)((sign, figures, int(power) + 2)), digits)} %"
    hundredfold = value * 100
    if hundredfold in (math.inf, -math.inf):
        hundredfold = int(value) * 100
    return f"{fixed_text(hundredfold, digits)} %"


def hex_text(value: Any) -> str:
    """Return a number in hexadecimal; whole numbers of any size are exact."""
    whole = isinstance(value, int) or (not isinstance(value, float) and value == int(value))
    return hex(int(value)) if whole else float(value).hex()


def si_text(value: Number, digits: int = 3) -> str:
    """Return a number with an SI prefix: 12.3 k. `digits` counts all significant digits."""
    if not value:
        return "0"
    power = math.floor(math.log10(abs(value)) / 3 + 1e-12)
    power = max(1 - len(SMALL), min(power, len(SI) - 1))
    value = float(value)
    scaled = f"{value / 1000.0**power:.{digits}g}"
    if abs(float(scaled)) >= 1000 and power < len(SI) - 1:
        power += 1  # 999.9 with three digits is 1000: use the next prefix
        scaled = f"{value / 1000.0**power:.{digits}g}"
    prefix = SI[power] if power >= 0 else SMALL[-power]
    return (
        f"{float(scaled):g} {prefix}".rstrip() if "e" in scaled else f"{scaled} {prefix}".rstrip()
    )


def bytes_text(value: Number, digits: int = 1) -> str:
    """Return a number of bytes: 1.5 MiB."""
    size = float(abs(value))
    power = 0
    text = f"{size:.0f}"
    # Compare the rounded text: 1023.99 is shown as 1024.0, which is 1.0 of the next unit.
    while float(text) >= 1024 and power < len(IEC) - 1:
        size /= 1024
        power += 1
        text = f"{size:.{digits}f}"
    sign = "-" if value < 0 else ""
    return f"{sign}{text} {IEC[power]}"


def seconds_text(value: Number, digits: int = 0) -> str:
    """Return a number of seconds: 1d 02:03:04."""
    scale = 10**digits
    if not isinstance(value, int | float):
        from fractions import Fraction  # Decimal multiplication rounds to 28 digits

        value = Fraction(value)
    size = abs(value)
    # Large floats are whole numbers; multiplied as floats they may overflow.
    is_large = isinstance(size, float) and size >= 1e15
    whole, rest = divmod(int(size) * scale if is_large else round(size * scale), scale)
    days, seconds = divmod(whole, 86_400)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if digits:
        text += f".{rest:0{digits}}"
    return ("-" if value < 0 else "") + (f"{days}d {text}" if days else text)


def bar(share: float, width: int) -> str:
    """Return a bar of `width` cells, filled to a share from 0 to 1."""
    eighths = round(share * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)
