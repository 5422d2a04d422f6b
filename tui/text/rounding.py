"""Tells whether a number's text is exact, or leaves out digits. No Textual.

The text is parsed and compared with the number: so exactly what the person sees is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from livetable.feed.base.terminal_text import harmless
from livetable.tui.text.column_style import IEC, SI, SMALL, ColumnStyle, NumberForm

if TYPE_CHECKING:
    from fractions import Fraction

SIGN: Final = "≈"
"""Shown before a column's title if some of its numbers have more digits than shown."""

_EXACT_FOR_WHOLE: Final = (NumberForm.PLAIN, NumberForm.THOUSANDS, NumberForm.HEX)
_POWERS: Final = {
    prefix: power
    for power, prefix in (*((-power, one) for power, one in enumerate(SMALL)), *enumerate(SI))
}
_DURATION: Final = re.compile(r"(-?)(?:(\d+)d )?(\d+):(\d+):([\d.]+)")


def may_leave_out(style: ColumnStyle, *, whole: bool) -> bool:
    """Tell whether a style can leave out digits at all.

    Args:
        style: The style.
        whole: Whether the numbers are whole.
    """
    return style.form is not NumberForm.HEX and not (whole and style.form in _EXACT_FOR_WHOLE)


def leaves_out(value: Any, text: str, style: ColumnStyle, nearest: Callable[[float], Any]) -> bool:
    """Tell whether a finite number's text stands for a different number.

    Args:
        value: The number.
        text: Its text.
        style: The style it was formatted with.
        nearest: Rounds to the column's float type, so that float32(0.1) equals 0.1.
    """
    said = read_back(text, style)
    if isinstance(value, float):
        try:
            return bool(nearest(float(said)) != value)
        except OverflowError:  # rounded up beyond the largest float
            return True
    return said != value if isinstance(value, int) else said.as_integer_ratio() != (
        value.as_integer_ratio())  # fmt: skip


def read_back(text: str, style: ColumnStyle) -> Fraction:
    """Parse a number's text."""
    # Late: importing it would delay the first row.
    from fractions import Fraction

    if style.unit and style.writes:
        text = text.removesuffix(f" {harmless(style.unit)}")
    text = text.removeprefix(SIGN).replace(",", "")
    form = style.form
    if form is NumberForm.PERCENT:
        return Fraction(text.removesuffix(" %")) / 100
    if form is NumberForm.DURATION and (found := _DURATION.fullmatch(text)):
        sign, days, hours, minutes, seconds = found.groups()
        size = int(days or 0) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
        return -size if sign else size
    if form in (NumberForm.SI, NumberForm.BYTES):
        figures, _, prefix = text.partition(" ")
        if form is NumberForm.SI:
            return Fraction(figures) * Fraction(1000) ** _POWERS[prefix]
        return Fraction(figures) * Fraction(1024) ** IEC.index(prefix)
    return Fraction(text)
