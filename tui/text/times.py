"""Days, times and durations as text, even outside Python's range. Pure."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any, Final

UNITS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
"""Units per second."""


def day_text(days: int) -> str:
    """Return days since 1970 as a date; as ``day N`` outside Python's range."""
    try:
        return datetime.date.fromordinal(719_163 + days).isoformat()
    except (ValueError, OverflowError):
        return f"day {days}"


def time_text(value: int, unit: str, digits: int) -> str:
    """Return a time of day, with `digits` decimals of the seconds."""
    seconds, rest = divmod(value, UNITS[unit])
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return (
        f"{text}.{rest * 1_000_000_000 // UNITS[unit]:09}"[: len(text) + 1 + digits]
        if digits
        else text
    )


def duration_text(value: int, unit: str, digits: int) -> str:
    """Return a duration: ``1d 02:03:04``; days are left out if there are none."""
    days, rest = divmod(abs(value), 86_400 * UNITS[unit])
    text = time_text(rest, unit, digits)
    return ("-" if value < 0 else "") + (f"{days}d {text}" if days else text)


def zone_text(seconds: int) -> str:
    """Return an offset: ``+01:00``; with seconds if it has any, e.g. before 1920."""
    size = abs(seconds)
    text = f"{'-' if seconds < 0 else '+'}{size // 3600:02}:{size // 60 % 60:02}"
    return f"{text}:{size % 60:02}" if size % 60 else text


@lru_cache(maxsize=4096)
def offset_seconds(zone: str, moment: int) -> int:
    """Return a time zone's offset at a moment; 0 (shown as UTC) if the zone is unknown.

    Args:
        zone: A name, e.g. ``Europe/Berlin``, or an offset, e.g. ``+01:00``.
        moment: Seconds since 1970.
    """
    from zoneinfo import ZoneInfo  # late: most tables have no time zones

    if zone[:1] in "+-":
        try:
            hours, minutes, *seconds = map(int, zone[1:].split(":"))
            return int(f"{zone[0]}1") * (hours * 3600 + minutes * 60 + sum(seconds[:1]))
        except ValueError:
            return 0
    try:
        offset = datetime.datetime.fromtimestamp(moment, ZoneInfo(zone)).utcoffset()
    except (OSError, ValueError, OverflowError, KeyError):
        return 0
    return int(offset.total_seconds()) if offset is not None else 0


def most_digits(unit: str) -> int:
    """Return how many decimals of a second a unit can represent."""
    return {"s": 0, "ms": 3, "us": 6, "ns": 9}[unit]


def fraction_digits(values: Any, unit: str) -> int:
    """Return how many decimals of a second these times need: 0, 3, 6 or 9.

    Args:
        values: Whole numbers of `unit`: a sequence, or a NumPy array.
        unit: The unit.
    """
    most = most_digits(unit)
    for digits in range(0, most, 3):
        step = 10 ** (most - digits)
        if (
            not (values % step).any()
            if hasattr(values, "any")
            else all(value % step == 0 for value in values)
        ):
            return digits
    return most
