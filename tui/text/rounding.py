"""Whether a number's text is all of the number, or leaves digits out. No Textual.

What a text says is read back from the text itself: what is compared is what the person sees.
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
"""Stands before the title of a column some of whose numbers have more digits than it shows."""

_EXACT_FOR_WHOLE: Final = (NumberForm.PLAIN, NumberForm.THOUSANDS, NumberForm.HEX)
_POWERS: Final = {
    prefix: power
    for power, prefix in (*((-power, one) for power, one in enumerate(SMALL)), *enumerate(SI))
}
_DURATION: Final = re.compile(r"(-?)(?:(\d+)d )?(\d+):(\d+):([\d.]+)")


def may_leave_out(style: ColumnStyle, *, whole: bool) -> bool:
    """Tell whether numbers written so can lack digits at all.

    Args:
        style: How they are written.
        whole: Whether they are whole numbers.
    """
    return style.form is not NumberForm.HEX and not (whole and style.form in _EXACT_FOR_WHOLE)


def leaves_out(value: Any, text: str, style: ColumnStyle, nearest: Callable[[float], Any]) -> bool:
    """Tell whether a finite number's text is that of another number.

    Args:
        value: The number.
        text: What `columnstyle.number_writer` made of it, or what it is by itself.
        style: How it was written.
        nearest: Returns the number of a float's type that is nearest: of 32 bits, 0.1 is 0.1.
    """
    said = read_back(text, style)
    if isinstance(value, float):
        try:
            return bool(nearest(float(said)) != value)
        except OverflowError:  # rounded up, the text is that of a number beyond all floats
            return True
    return said != value if isinstance(value, int) else said.as_integer_ratio() != (
        value.as_integer_ratio())  # fmt: skip


def read_back(text: str, style: ColumnStyle) -> Fraction:
    """Return the number that a text says."""
    # Late: with other imports it is felt in the time to the first row.
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
