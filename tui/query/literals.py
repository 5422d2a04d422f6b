"""Writes values as literals of an expression that match exactly these values. Pure."""

from __future__ import annotations

import math

import pyarrow as pa

from livetable.feed.arrow.arrays import without_dictionary
from livetable.tui.text.times import (
    UNITS,
    day_text,
    duration_text,
    offset_seconds,
    time_text,
    zone_text,
)

_MOST_TEXT = 500  # characters; an expression may have 2,000


def written(values: pa.Array) -> str | None:
    """Return the literal of an array's only value, which is not missing; None if there is none."""
    values = without_dictionary(values)
    value, kind = values[0], values.type
    if pa.types.is_floating(kind):
        found = float(value.as_py())
        return repr(found) if math.isfinite(found) else "1e999" if found > 0 else "-1e999"
    if pa.types.is_decimal(kind):
        return str(value)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return str(value.as_py())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = str(value.as_py())
        return repr(text) if len(text) < _MOST_TEXT else None
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        whole: int = values.view(pa.int32() if kind.bit_width == 32 else pa.int64())[0].as_py()
        text = _moment(whole, kind)
        return repr(text) if not text.startswith("day ") else None  # outside Python's range
    return None


def _moment(value: int, kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        return day_text(value if pa.types.is_date32(kind) else value // 86_400_000)
    unit = kind.unit
    if pa.types.is_time(kind):
        return time_text(value, unit, 9)
    if pa.types.is_duration(kind):
        return duration_text(value, unit, 9)
    seconds = offset_seconds(kind.tz, value // UNITS[unit]) if kind.tz else 0
    days, rest = divmod(value + seconds * UNITS[unit], 86_400 * UNITS[unit])
    return f"{day_text(days)} {time_text(rest, unit, 9)}{zone_text(seconds) if kind.tz else ''}"
