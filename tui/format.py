"""Values as text: digits, dates, alignment and width. Makes data harmless. No Textual.

A column's format is decided from a sample, and after that only grows: digits and widths that
follow each value would make the table jitter.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
from rich.cells import cell_len, set_cell_size

from livetable.feed.arrays import as_numpy, numpy_type, plain_type, without_dictionary
from livetable.feed.harmless import harmless
from livetable.tui.columnstyle import PLAIN_STYLE, ColumnStyle, Shade, bar, number_writer

NULL: Final = "–"
"""How a missing value looks (NaN, which is a value, looks like ``NaN``)."""

MAX_TEXT_WIDTH: Final = 40
"""Text columns grow up to this many cells by themselves; numbers are never cut."""

_MAX_CHARACTERS: Final = 400  # of a cell that are looked at, whatever its length
_MUCH_TEXT: Final = 1 << 16  # bytes of a window's texts that are turned into Python's as they are
_SIGNIFICANT: Final = 6
_MAX_DECIMALS: Final = 8
_FIXED_BELOW: Final = 1e15  # a float has no more digits than that before its point

_UNITS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def width_of(text: str) -> int:
    """Return how many terminal cells a harmless text takes."""
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
    """How one column is written.

    Args:
        kind: The column's Arrow type.
        style: How the person wants it written.

    Attributes:
        right: Whether it is aligned to the right.
        numeric: Whether its values can be compared as more and less.
        width: Cells it takes, without padding; grows by `measure`.
        max_width: How far it may grow.
        shade: What stands behind its numbers.
        shaded: Whether anything does.
    """

    def __init__(self, kind: pa.DataType, style: ColumnStyle = PLAIN_STYLE) -> None:
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
        self._least = math.inf
        self._largest = -math.inf
        self._is_float = bool(types.is_floating(kind))
        is_primitive = self._is_float or types.is_integer(kind)
        self._dtype = numpy_type(kind) if is_primitive else None
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
        """Digits behind the point that its numbers are written with by themselves."""
        return self._decimals

    def needed(self, values: Sequence[Any]) -> int:
        """Return how many cells these values need."""
        return max(map(width_of, self.texts(values)), default=1) + self._bar_width

    def values(self, window: pa.Array) -> list[Any]:
        """Return a window's values, null as None, for `texts` and for comparing.

        Times and durations are whole numbers of their unit. Texts are cut to what can be shown.
        """
        dtype = self._dtype
        if dtype is not None and not window.null_count and window.type == self.kind:
            plain: list[Any] = as_numpy(window, dtype).tolist()
            return plain
        window = without_dictionary(window)
        if self._is_nested:
            return [nested_text(cell) for cell in window]
        if self._is_text:
            # Only where it matters: to load this part of Arrow takes as long as the first paint.
            if window.nbytes > _MUCH_TEXT:
                import pyarrow.compute as pc

                window = pc.utf8_slice_codeunits(window, 0, _MAX_CHARACTERS)
        elif self._is_moment:
            # Arrow's own conversion of nanoseconds imports pandas.
            window = window.view(pa.int32() if window.type.bit_width == 32 else pa.int64())
        try:
            values: list[Any] = window.to_pylist()
        except Exception:  # dates beyond Python's, text that is no UTF-8
            values = [None if not cell.is_valid else _scalar_text(cell) for cell in window]
        return values

    def texts(self, values: Sequence[Any]) -> list[str]:
        """Return the values as harmless text."""
        return [NULL if value is None else self._texts(value) for value in values]

    def text(self, value: Any) -> str:
        """Return one value as harmless text."""
        return NULL if value is None else self._texts(value)

    def measure(self, values: Sequence[Any]) -> bool:
        """Let digits and width grow to what these values need; tell whether they did."""
        before = self.width, self._decimals, self._fraction, self._with_time
        present = [value for value in values if value is not None]
        if pa.types.is_floating(self.kind):
            self._decimals = max(self._decimals, decimals_for(present))
            finite = [abs(value) for value in present if math.isfinite(value)]
            self._most = max(self._most, max(finite, default=0.0))
        elif pa.types.is_timestamp(self.kind) or pa.types.is_time(self.kind):
            self._measure_times(present)
        elif pa.types.is_duration(self.kind):
            self._fraction = max(self._fraction, _fraction_digits(present, self.kind.unit))
        self.width = max(self.width, min(self.needed(values), self.max_width))
        return before != (self.width, self._decimals, self._fraction, self._with_time)

    def needs_measure(self, values: Sequence[Any]) -> bool:
        """Tell whether `measure` would find that these values need more digits."""
        if not self._as_it_is:
            return False
        if self._is_float:
            digits = self._decimals
            if digits >= decimal_limit(self._most):
                return False
            for value in values:
                if value is None or value != value:
                    continue
                # 0.1 + 0.2 needs one digit, whatever its last bit says.
                if abs(round(value, digits) - value) > abs(value) * 1e-12:
                    return True
            return False
        if pa.types.is_temporal(self.kind) and not pa.types.is_date(self.kind):
            before = self._fraction, self._with_time
            if pa.types.is_interval(self.kind):
                return False
            present = [value for value in values if value is not None]
            return _fraction_digits(present, self.kind.unit) > before[0] or (
                pa.types.is_timestamp(self.kind) and not before[1]
            )
        return False

    def widest(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return those of some values among which the one with the widest text is.

        Of numbers with a fixed number of decimals that is the largest, the smallest, or one so near
        to zero that it is written in another form.
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
        """Let the width grow to what these texts need; tell whether it did."""
        widest = max(map(len, texts), default=0) + self._bar_width
        if widest <= self.width and all(map(str.isascii, texts)):
            return False
        widest = min(max(map(width_of, texts), default=0) + self._bar_width, self.max_width)
        if widest <= self.width:
            return False
        self.width = widest
        return True

    def stretch(self, values: Sequence[Any]) -> bool:
        """Let the range that shades are told by grow to these values; tell whether it did."""
        known = [value for value in values if value is not None and abs(value) < math.inf]
        before = self._least, self._largest
        self._least = min(self._least, min(known, default=math.inf))
        self._largest = max(self._largest, max(known, default=-math.inf))
        return before != (self._least, self._largest)

    def share(self, value: Any) -> float:
        """Return where in the range a value is, from 0 to 1; 0 where it is in none."""
        if value is None or value != value or self._largest <= self._least:
            return 0.0
        # Amounts are measured from zero, as long as none is below it.
        least = min(0, self._least) if self.shade is Shade.BAR else self._least
        # Halves: the whole span may be larger than any float.
        half, low = float(self._largest) / 2, float(least) / 2
        part = (float(value) / 2 - low) / (half - low)
        return min(max(part, 0.0), 1.0)

    def barred(self, value: Any, text: str) -> str:
        """Return a number's text with its bar before it, as wide as the column."""
        room = self.width - self._bar_width
        return bar(self.share(value), self._bar_width - 1) + " " + fit(text, room, right=True)

    def _measure_times(self, values: Sequence[int]) -> None:
        unit = self.kind.unit
        self._fraction = max(self._fraction, _fraction_digits(values, unit))
        if pa.types.is_timestamp(self.kind) and not self._with_time:
            day = 86_400 * _UNITS[unit]
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
            # A text where it is beyond what its type may hold.
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
            return lambda value: repr(bytes(value[:_MAX_CHARACTERS]))
        return lambda value: harmless(str(value)[:_MAX_CHARACTERS])

    def _timestamp(self, value: int) -> str:
        unit = self.kind.unit
        zone = ""
        if self.kind.tz:
            seconds = offset_seconds(self.kind.tz, value // _UNITS[unit])
            value += seconds * _UNITS[unit]
            sign = "-" if seconds < 0 else "+"
            zone = f"{sign}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}"
        days, rest = divmod(value, 86_400 * _UNITS[unit])
        if not self._with_time:
            return day_text(days)
        return f"{day_text(days)} {time_text(rest, unit, self._fraction)}{zone}"


def decimals_for(values: Sequence[float]) -> int:
    """Return how many digits behind the point a column of these values needs.

    As many as its values have, but no more than make six significant digits of the largest; two
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
    """Return how many digits behind the point a column up to `most` may have at all."""
    whole = math.floor(math.log10(most)) + 1 if most else 1
    return min(max(2, _SIGNIFICANT - whole), _MAX_DECIMALS)


def float_text(value: float, decimals: int) -> str:
    """Return a float with a fixed number of decimals; in scientific form where that would lie.

    That is: what would be rounded to zero, and what has more digits than a float can tell.
    """
    if value != value:
        return "NaN"
    size = abs(value)
    if size >= _FIXED_BELOW:
        return ("-∞" if value < 0 else "∞") if size == math.inf else f"{value:.6g}"
    if size <= 0.5 * 10.0**-decimals and size:
        return f"{value:.3g}"
    return f"{value:.{decimals}f}"


def day_text(days: int) -> str:
    """Return days since 1970 as a date, also outside the years that Python knows."""
    try:
        return datetime.date.fromordinal(719_163 + days).isoformat()
    except (ValueError, OverflowError):
        return f"day {days}"


def time_text(value: int, unit: str, digits: int) -> str:
    """Return a time of day, with `digits` behind the seconds."""
    seconds, rest = divmod(value, _UNITS[unit])
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return (
        f"{text}.{rest * 1_000_000_000 // _UNITS[unit]:09}"[: len(text) + 1 + digits]
        if (digits)
        else text
    )


def duration_text(value: int, unit: str, digits: int) -> str:
    """Return a duration: ``1d 02:03:04``, the days only if there are any."""
    days, rest = divmod(abs(value), 86_400 * _UNITS[unit])
    text = time_text(rest, unit, digits)
    return ("-" if value < 0 else "") + (f"{days}d {text}" if days else text)


@lru_cache(maxsize=4096)
def offset_seconds(zone: str, moment: int) -> int:
    """Return a time zone's offset at a moment; 0 (UTC, and shown as such) if nobody knows it.

    Args:
        zone: A name such as ``Europe/Berlin``, or an offset such as ``+01:00``.
        moment: Seconds since 1970.
    """
    if zone[:1] in "+-":
        try:
            hours, minutes = zone[1:].split(":")
            return int(f"{zone[0]}1") * (int(hours) * 3600 + int(minutes) * 60)
        except ValueError:
            return 0
    try:
        offset = datetime.datetime.fromtimestamp(moment, ZoneInfo(zone)).utcoffset()
    except (OSError, ValueError, OverflowError, KeyError):
        return 0
    return int(offset.total_seconds()) if offset is not None else 0


def _fraction_digits(values: Sequence[int], unit: str) -> int:
    """Return how many digits behind the seconds these whole numbers of `unit` need: 0, 3, 6, 9."""
    most = {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]
    for digits in range(0, most, 3):
        step = 10 ** (most - digits)
        if all(value % step == 0 for value in values):
            return digits
    return most


_BAR_WIDTH: Final = 9  # eight cells, and one between them and the number
_NESTED_PARTS: Final = 16
_NESTED_DEPTH: Final = 4


def nested_text(cell: pa.Scalar, depth: int = 0) -> str | None:
    """Return a list, dict or map as short text, looking at its first parts only.

    A few bytes of a message can describe a list of any length.
    """
    if not cell.is_valid:
        return None
    kind = cell.type
    if depth >= _NESTED_DEPTH and pa.types.is_nested(kind):
        return "…"
    if pa.types.is_map(kind) or pa.types.is_struct(kind):
        if pa.types.is_struct(kind):
            names = [kind.field(at).name for at in range(min(kind.num_fields, _NESTED_PARTS))]
            pairs = [(repr(name), cell[at]) for at, name in enumerate(names)]
            more = kind.num_fields > _NESTED_PARTS
        else:
            entries, more = cell.values.slice(0, _NESTED_PARTS), len(cell.values) > _NESTED_PARTS
            pairs = [(str(nested_text(one[0], depth + 1)), one[1]) for one in entries]
        parts = [f"{name}: {nested_text(value, depth + 1)}" for name, value in pairs]
        return "{" + ", ".join([*parts, *(["…"] if more else [])]) + "}"
    if pa.types.is_nested(kind) and hasattr(cell, "values"):
        values = cell.values
        shown = [str(nested_text(one, depth + 1)) for one in values.slice(0, _NESTED_PARTS)]
        return "[" + ", ".join([*shown, *(["…"] if len(values) > _NESTED_PARTS else [])]) + "]"
    return _scalar_text(cell) if depth == 0 else _quoted(cell)


def _quoted(cell: pa.Scalar) -> str:
    text = _scalar_text(cell)
    kind = plain_type(cell.type)
    return repr(text) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else text


def _scalar_text(cell: pa.Scalar) -> str:
    try:
        return str(cell)[:_MAX_CHARACTERS]
    except Exception as error:  # dates beyond Python's
        return f"<{type(error).__name__}>"
