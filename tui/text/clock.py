"""Times of day: parsing what a person types, and formatting."""

from __future__ import annotations

import datetime
import re
from typing import Final

_BACK: Final = re.compile(r"-?\s*(\d+(?:\.\d+)?)\s*([smh][a-z]*)?(?: back| ago)?", re.IGNORECASE)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600}
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")


def wall_text(moment: float) -> str:
    """Return seconds since 1970 as a time of day."""
    try:
        wall = datetime.datetime.fromtimestamp(moment)
    except (ValueError, OverflowError, OSError):  # a feed's clock may be arbitrary
        return f"{moment:g} s"
    return wall.strftime("%H:%M:%S.") + f"{wall.microsecond // 100_000}"


def read_moment(text: str, now: float) -> float | None:
    """Parse a moment; return it in seconds since 1970, None if the text is not a time.

    Args:
        text: ``14:03``, ``14:03:07.5`` (the last one before now), or how long ago: ``-30`` for
            seconds, ``2 min``.
        now: The current time.
    """
    text = text.strip()
    if back := _BACK.fullmatch(text):
        return now - float(back[1]) * _UNITS.get((back[2] or "s")[0], 1)
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    today = datetime.datetime.fromtimestamp(now)
    try:
        moment = today.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    except ValueError:
        return None
    moment += datetime.timedelta(seconds=float(match[3] or 0))
    if moment.timestamp() > now:
        moment -= datetime.timedelta(days=1)
    return moment.timestamp()
