"""Formats a column's values: digits, dates, alignment, width. Makes data harmless. No Textual.

A column's format is determined from a sample, and then only grows: digits and widths that follow
each value would make the table jitter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from livetable.feed.arrow.arrays import (
    as_numpy,
    missing,
    numpy_type,
    plain_type,
    without_dictionary,
)
from livetable.feed.base.terminal_text import harmless
from livetable.tui.text.column_style import PLAIN_STYLE, ColumnStyle, Shade, bar, number_writer
from livetable.tui.text.nested import MAX_CHARACTERS, nested_text, scalar_text
from livetable.tui.text.rounding import leaves_out, may_leave_out
from livetable.tui.text.times import (
    UNITS,
    day_text,
    duration_text,
    fraction_digits,
    most_digits,
    offset_seconds,
    time_text,
    zone_text,
)

NULL: Final = "–"
"""The text of a missing value. (NaN is a value; its text is ``NaN``.)"""

MAX_TEXT_WIDTH: Final = 40
"""Text columns grow to at most this many cells by themselves; numbers are never cut."""

_MUCH_TEXT: Final = 1 << 16  # bytes of text from which it is cut before Python sees it
_SIGNIFICANT: Final = 6
_MAX_DECIMALS: Final = 8
_BAR_WIDTH: Final = 9  # eight cells, and one between them and the number
_FIXED_BELOW: Final = 1e15  # floats can't represent more digits before the point


def width_of(text: str) -> int:
    """Return a harmless text's width in terminal cells."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return a harmless text padded or cut to exactly `width` cells; a cut ends in ``…``."""
    length = width_of(text)
    if length > width:
        if width < 1:
            return ""
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - length) + text if right else text + " " * (width - length)


class ColumnFormat:
    """The format of one column.

    Args:
        kind: The column's Arrow type.
        style: The column's style.

    Attributes:
        right: Whether it is aligned to the right.
        numeric: Whether it holds numbers.
        width: Width in cells, without padding; `measure` grows it.
        max_width: The largest width.
        shade: Bars or heat behind its numbers.
        shaded: Whether it has any shade.
        rounds: Whether any number had more digits than shown; it stays true.
    """

    def __init__(self, kind: pa.DataType, style: ColumnStyle = PLAIN_STYLE) -> None:
        # Long, as each field follows from those before it.
        kind = plain_type(kind)
        types = pa.types
        self.kind = kind
        self.numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
        self.right = self.numeric or types.is_temporal(kind)
        if style.left is not None:
            self.right = not style.left
        self.style = style
        self.width = 1
        self.shade = style.shade if self.numeric else Shade.NONE
        self.shaded = self.shade is not Shade.NONE
        self.rounds = False
        self._least = math.inf
        self._largest = -math.inf
        self._low: Any = 0.0
        self._span: Any = 0.0
        self._scale = 1.0
        self._whole = False
        self._is_float = bool(types.is_floating(kind))
        is_primitive = self._is_float or types.is_integer(kind)
        self._dtype = numpy_type(kind) if is_primitive else None
        self._narrow = self._dtype if self._is_float and kind.bit_width < 64 else None
        self._may_round = self.numeric and (
            may_leave_out(style, whole=types.is_integer(kind)) if style.writes else self._is_float
        )
        self._is_nested = bool(types.is_nested(kind) or types.is_union(kind))
        self._is_moment = bool(types.is_temporal(kind) and not types.is_interval(kind))
        self._decimals = 0
        self._most = 0.0
        self._fraction = 0
        self._with_time = False
        self._texts = self._writer()
        self._as_it_is = not (self.numeric and style.writes)
        if not self._as_it_is:
            self._texts = number_writer(style, self._texts)
        is_text = types.is_string(kind) or types.is_large_string(kind)
        self._is_text = is_text
        wide = is_text or types.is_nested(kind) or types.is_binary(kind) or not self.right
        self.max_width = MAX_TEXT_WIDTH if wide else 400
        self._bar_width = _BAR_WIDTH if self.shade is Shade.BAR else 0
        if style.width is not None:
            self.width = self.max_width = style.width

    @property
    def digits(self) -> int:
        """Decimals of its floats, without a style."""
        return self._decimals

    def needed(self, values: Sequence[Any]) -> int:
        """Return the width that these values need."""
        return max(map(width_of, self.texts(values)), default=1) + self._bar_width

    def values(self, window: pa.Array) -> list[Any]:
        """Return a window's values for `texts` and for comparing; null becomes None.

        Times and durations become whole numbers of their unit. Long texts are cut.
        """
        dtype = self._dtype
        if dtype is not None and not window.null_count and window.type == self.kind:
            plain: list[Any] = as_numpy(window, dtype).tolist()
            return plain
        window = without_dictionary(window)
        if self._is_nested:
            return [nested_text(cell) for cell in window]
        if self._is_text:
            # Only for long texts: importing pyarrow.compute takes as long as the first paint.
            if window.nbytes > _MUCH_TEXT:
                import pyarrow.compute as pc

                window = pc.utf8_slice_codeunits(window, 0, MAX_CHARACTERS)
        elif self._is_moment:
            # Arrow's own conversion of nanoseconds would import pandas.
            window = window.view(pa.int32() if window.type.bit_width == 32 else pa.int64())
        try:
            values: list[Any] = window.to_pylist()
        except Exception:  # dates outside Python's range, invalid UTF-8
            values = [None if not cell.is_valid else scalar_text(cell) for cell in window]
        return values

    def texts(self, values: Sequence[Any]) -> list[str]:
        """Return the values as harmless text."""
        return [NULL if value is None else self._texts(value) for value in values]

    def text(self, value: Any) -> str:
        """Return one value as harmless text."""
        return NULL if value is None else self._texts(value)

    def measure(self, values: Sequence[Any]) -> bool:
        """Grow digits and width to fit these values; tell whether anything has changed."""
        before = self.width, self._decimals, self._fraction, self._with_time, self.rounds
        present = [value for value in values if value is not None]
        if pa.types.is_floating(self.kind):
            self._decimals = max(self._decimals, decimals_for(present))
            finite = [abs(value) for value in present if math.isfinite(value)]
            self._most = max(self._most, max(finite, default=0.0))
        elif pa.types.is_timestamp(self.kind) or pa.types.is_time(self.kind):
            self._measure_times(present)
        elif pa.types.is_duration(self.kind):
            self._fraction = max(self._fraction, fraction_digits(present, self.kind.unit))
        self.width = max(self.width, min(self.needed(values), self.max_width))
        self.rounds = self.rounds or self._leaves_out(present)
        return before != (
            self.width,
            self._decimals,
            self._fraction,
            self._with_time,
            self.rounds,
        )

    def settle(self, values: pa.Array | None = None) -> None:
        """Grow the digits of times to fit all of these, faster than `measure`; None: all digits."""
        if not self._is_moment or pa.types.is_date(self.kind):
            return
        unit = self.kind.unit
        if values is None:
            self._fraction, self._with_time = most_digits(unit), True
        elif not len(values):
            return
        else:
            whole = as_numpy(values.view(pa.int32() if self.kind.bit_width == 32 else pa.int64()))
            known = whole[~missing(values)] if values.null_count else whole
            self._fraction = max(self._fraction, fraction_digits(known, unit))
            if pa.types.is_timestamp(self.kind):
                day = 86_400 * UNITS[unit]
                self._with_time |= bool(self.kind.tz) or bool((known % day).any())

    def needs_measure(self, values: Sequence[Any]) -> bool:
        """Tell whether these values may need more digits or the sign ``≈``: call `measure` then."""
        if self._is_float and self._as_it_is:
            digits, limit = self._decimals, decimal_limit(self._most)
            if digits >= limit and self.rounds:
                return False
            known = [value for value in values if value is not None and value == value]
            off = [value for value in known if round(value, digits) != value]
            # Compared after rounding to the limit: 0.1 + 0.2 needs only one digit.
            if any(round(value, digits) != round(value, limit) for value in off):
                return True
            large = [value for value in known if not -_FIXED_BELOW < value < _FIXED_BELOW]
            return not self.rounds and self._leaves_out(off + large)
        if not self._as_it_is:
            return not self.rounds and self._leaves_out(
                [value for value in values if value is not None]
            )
        if pa.types.is_temporal(self.kind) and not pa.types.is_date(self.kind):
            before = self._fraction, self._with_time
            if pa.types.is_interval(self.kind):
                return False
            present = [value for value in values if value is not None]
            return fraction_digits(present, self.kind.unit) > before[0] or (
                pa.types.is_timestamp(self.kind) and not before[1]
            )
        return False

    def _leaves_out(self, values: Sequence[Any]) -> bool:
        """Tell whether any of these values (none is None) has more digits than its text."""
        if not self._may_round:
            return False
        finite = [value for value in values if not isinstance(value, str) and value - value == 0]
        nearest = float if self._narrow is None else self._narrow.type
        return any(leaves_out(value, self._texts(value), self.style, nearest) for value in finite)

    def widest(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return a few of the values that include the one with the widest text.

        With fixed decimals that is the largest, the smallest, or one so close to zero that it is
        shown in scientific form.
        """
        if not self._is_float or len(values) < 3 or not self._as_it_is:
            return values
        known = [value for value in values if value is not None and value == value]
        if len(known) < len(values):
            return values
        most, least = max(known), min(known)
        if most >= _FIXED_BELOW or least <= -_FIXED_BELOW:
            return values
        tiny = 10.0**-self._decimals
        return [most, least, *(value for value in known if -tiny < value < tiny)]

    def grow(self, texts: Sequence[str]) -> bool:
        """Grow the width to fit these texts; tell whether it did."""
        widest = max(map(len, texts), default=0) + self._bar_width
        if widest <= self.width and all(map(str.isascii, texts)):
            return False
        widest = min(max(map(width_of, texts), default=0) + self._bar_width, self.max_width)
        if widest <= self.width:
            return False
        self.width = widest
        return True

    def stretch(self, values: Sequence[Any]) -> bool:
        """Grow the range of the shade to include these values; tell whether it did."""
        known = [value for value in values if value is not None and abs(value) < math.inf]
        before = self._least, self._largest
        self._least = min(self._least, min(known, default=math.inf))
        self._largest = max(self._largest, max(known, default=-math.inf))
        if before == (self._least, self._largest):
            return False
        self._span_anew()
        return True

    def _span_anew(self) -> None:
        # Bars start at zero, or at the least value if that is negative.
        low = min(0, self._least) if self.shade is Shade.BAR else self._least
        high = self._largest
        # In ints if possible: large whole numbers that differ little are equal as floats.
        self._whole = isinstance(low, int) and isinstance(high, int)
        if not self._whole:
            # Halved if large: the span may exceed the largest float.
            self._scale = 0.5 if max(abs(low), abs(high)) > 1e300 else 1.0
            low, high = float(low) * self._scale, float(high) * self._scale
        self._low, self._span = low, high - low

    def share(self, value: Any) -> float:
        """Return a value's position in the range, from 0 to 1; 0 if there is no range."""
        if value is None or value != value or self._largest <= self._least or not self._span:
            return 0.0
        if not self._whole or not isinstance(value, int):
            value = float(value) * self._scale
        part: float = (value - self._low) / self._span
        return 0.0 if part < 0 else 1.0 if part > 1 else part

    def barred(self, value: Any, text: str) -> str:
        """Return a bar and a number's text, as wide as the column."""
        room = self.width - self._bar_width
        return bar(self.share(value), self._bar_width - 1) + " " + fit(text, room, right=True)

    def _measure_times(self, values: Sequence[int]) -> None:
        unit = self.kind.unit
        self._fraction = max(self._fraction, fraction_digits(values, unit))
        if pa.types.is_timestamp(self.kind) and not self._with_time:
            day = 86_400 * UNITS[unit]
            self._with_time = bool(self.kind.tz) or any(value % day for value in values)

    def _writer(self) -> Callable[[Any], str]:
        kind, types = self.kind, pa.types
        if types.is_boolean(kind):
            return lambda value: "true" if value else "false"
        if types.is_integer(kind):
            return str
        if types.is_floating(kind):
            return lambda value: float_text(value, self._decimals)
        if types.is_decimal(kind):
            # It is a text if `values` could not convert it.
            return lambda value: value if isinstance(value, str) else f"{value:f}"
        if types.is_date(kind):
            days = 1 if types.is_date32(kind) else 86_400_000
            return lambda value: day_text(value // days)
        if types.is_timestamp(kind):
            return self._timestamp
        if types.is_time(kind):
            return lambda value: time_text(value, kind.unit, self._fraction)
        if types.is_duration(kind):
            return lambda value: duration_text(value, kind.unit, self._fraction)
        if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
            return lambda value: repr(bytes(value[:MAX_CHARACTERS]))
        return lambda value: harmless(str(value)[:MAX_CHARACTERS])

    def _timestamp(self, value: int) -> str:
        unit = self.kind.unit
        zone = ""
        if self.kind.tz:
            seconds = offset_seconds(self.kind.tz, value // UNITS[unit])
            value += seconds * UNITS[unit]
            zone = zone_text(seconds)
        days, rest = divmod(value, 86_400 * UNITS[unit])
        if not self._with_time:
            return day_text(days)
        return f"{day_text(days)} {time_text(rest, unit, self._fraction)}{zone}"


def decimals_for(values: Sequence[float]) -> int:
    """Return how many decimals a column of these values needs.

    As many as its values have, but at most so many that the largest has six significant digits; two
    are always allowed.
    """
    finite = [abs(value) for value in values if math.isfinite(value) and value]
    if not finite:
        return 1 if values else 0
    most = max(finite)
    limit = decimal_limit(most)
    needed = 1
    for value in finite:
        if value >= 1e15:
            continue
        text = f"{value:.{limit}f}".rstrip("0")
        needed = max(needed, len(text) - text.index(".") - 1)
        if needed == limit:
            break
    return needed


def decimal_limit(most: float) -> int:
    """Return the largest number of decimals of a column with values up to `most`."""
    whole = math.floor(math.log10(most)) + 1 if most else 1
    return min(max(2, _SIGNIFICANT - whole), _MAX_DECIMALS)


def float_text(value: float, decimals: int) -> str:
    """Return a float with fixed decimals; in scientific form where these would be misleading.

    That is: if it would be rounded to zero, or has more digits than a float can represent.
    """
    if value != value:
        return "NaN"
    size = abs(value)
    if size >= _FIXED_BELOW:
        return ("-∞" if value < 0 else "∞") if size == math.inf else f"{value:.6g}"
    if size <= 0.5 * 10.0**-decimals and size:
        return f"{value:.3g}"
    return f"{value:.{decimals}f}"
