"""Parses dates, times and durations exactly. Pure.

Seconds are fractions, so no digit is lost, even if it is finer than the column's unit.
"""

from __future__ import annotations

import datetime
import re
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livetable.tui.text.times import offset_seconds

_DATE: Final = r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?|(\d{2})(\d{2}))?"
_CLOCK: Final = r"(\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?"
_ZONE: Final = r"\s*(Z|z|UTC|[+-]\d{1,2}(?::?\d{2}(?::?\d{2})?)?)"
_MOMENT: Final = re.compile(rf"{_DATE}(?:[T ]\s*{_CLOCK}(?:{_ZONE})?)?")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?")
_ISO_SPAN: Final = re.compile(
    r"([-+]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_PART: Final = re.compile(r"([-+]?)\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµμ]+)\s*,?\s*")
_CLOCK_SPAN: Final = re.compile(r"([-+]?)\s*(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?")
_DAY: Final = 86_400
_NANO: Final = Fraction(1, 1_000_000_000)
_UNITS: Final = {
    unit: Fraction(size)
    for names, size in (
        ("w week weeks", 7 * _DAY), ("d D day days", _DAY), ("h H hr hrs hour hours", 3600),
        ("m min mins minute minutes T", 60), ("s S sec secs second seconds", 1),
        ("ms L milli millis millisecond milliseconds", _NANO * 10**6),
        ("us µs μs U micro micros microsecond microseconds", _NANO * 1000),
        ("ns N nano nanos nanosecond nanoseconds", _NANO),
    )
    for unit in names.split()
}  # fmt: skip
_UNITS["W"] = _UNITS["w"]


def read_moment(text: str) -> tuple[Fraction, Fraction | None] | None:
    """Parse a date or time in ISO 8601: ``2026-02``, ``2026-02-01T12:30:00.5+01:00``.

    Returns:
        Seconds since 1970 by the clock in the text, and the clock's offset (None if there is none);
        None if the text is neither a date nor a time.
    """
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, month_too, day_too, hour, minute, second, fraction, zone = match.groups()
    try:
        date = datetime.date(int(year), int(month or month_too or 1), int(day or day_too or 1))
    except ValueError:
        return None
    clock = _clock(hour, minute, second, fraction)
    if clock is None:
        return None
    offset = None if zone is None else _offset(zone)
    if zone is not None and offset is None:
        return None
    return Fraction((date.toordinal() - 719_163) * _DAY) + clock, offset


def read_time(text: str) -> Fraction | None:
    """Parse a time of day, ``09:45`` or ``09:45:30.5``; return seconds, None if it is not one."""
    found = _TIME.fullmatch(text.strip())
    return None if found is None else _clock(*found.groups())


def read_span(text: str) -> Fraction | None:
    """Parse a duration: ``2h``, ``1d 02:03:04``, ``-1 days +02:00:00``, ``PT1H``.

    Returns:
        Seconds, None if the text is not a duration.
    """
    text = text.strip()
    if (found := _ISO_SPAN.fullmatch(text)) and any(found.groups()[1:]):
        sign, weeks, days, hours, minutes, seconds = found.groups()
        sizes = (7 * _DAY, _DAY, 3600, 60, 1)
        parts = zip((weeks, days, hours, minutes, seconds), sizes, strict=True)
        size = sum((Fraction(part or 0) * unit for part, unit in parts), Fraction(0))
        return -size if sign == "-" else size
    total, position, negative = Fraction(0), 0, False
    while part := _PART.match(text, position):
        sign, number, unit = part.groups()
        if unit not in _UNITS and (unit in "MY" or (unit := unit.lower()) not in _UNITS):
            return None  # months and years have no fixed length
        negative = negative if not sign else sign == "-"
        total += Fraction(number) * _UNITS[unit] * (-1 if negative else 1)
        position = part.end()
    if clock := _CLOCK_SPAN.match(text, position):
        sign, hours, minutes, seconds = clock.groups()
        negative = negative if not sign else sign == "-"
        size = int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds or 0)
        total += -size if negative else size
        position = clock.end()
    return total if position and position == len(text) else None


def instant(clock: Fraction, offset: Fraction | None, zone: str) -> Fraction | None:
    """Convert a local time to seconds since 1970 in UTC.

    Args:
        clock: Seconds since 1970 by the local clock.
        offset: The clock's offset; None: the zone's.
        zone: The time zone. A skipped time becomes the next valid one, a repeated one the first.
    """
    if offset is not None:
        return clock - offset
    whole = clock.numerator // clock.denominator
    seconds = np.array([whole], dtype="<i8")
    local = pa.Array.from_buffers(pa.timestamp("s"), 1, [None, pa.py_buffer(seconds)])
    try:
        utc_time = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    except (pa.ArrowException, ValueError):  # a zone that this machine does not know
        return clock - offset_seconds(zone, whole)
    utc: int = utc_time.view(pa.int64())[0].as_py()
    # A skipped time becomes a whole second: its fraction is skipped as well.
    back = pc.local_timestamp(utc_time).view(pa.int64())[0].as_py()
    return Fraction(utc) + (clock - whole if back == whole else 0)


def _clock(
    hour: str | None, minute: str | None, second: str | None, fraction: str | None
) -> Fraction | None:
    size = int(hour or 0), int(minute or 0), int(second or 0)
    if size[0] > 23 or size[1] > 59 or size[2] > 59:
        return None
    behind = Fraction(int(fraction), 10 ** len(fraction)) if fraction else Fraction(0)
    return size[0] * 3600 + size[1] * 60 + size[2] + behind


def _offset(zone: str) -> Fraction | None:
    if zone in ("Z", "z", "UTC"):
        return Fraction(0)
    digits = zone[1:].replace(":", "")
    digits = digits.zfill(len(digits) + len(digits) % 2)
    parts = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    size = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    return None if parts[0] > 23 else Fraction(-size if zone[0] == "-" else size)
