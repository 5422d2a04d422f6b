"""Plain names of Arrow types."""

from __future__ import annotations

import pyarrow as pa

from livetable.feed.arrow.arrays import plain_type


def type_name(kind: pa.DataType) -> str:
    """Return a type's plain name."""
    kind = plain_type(kind)
    for is_type, name in (
        (pa.types.is_boolean, "true or false"),
        (pa.types.is_integer, "whole number"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "decimal"),
        (pa.types.is_timestamp, "time"),
        (pa.types.is_date, "date"),
        (pa.types.is_duration, "duration"),
        (pa.types.is_string, "text"),
        (pa.types.is_large_string, "text"),
        (pa.types.is_nested, "nested"),
    ):
        if is_type(kind):
            return name
    return str(kind)


def kind_of(kind: pa.DataType) -> str:
    """Return what a value of a type is, for sentences: "a number", "text"."""
    name = type_name(kind)
    if name in ("whole number", "number", "decimal"):
        return "a number"
    if pa.types.is_time(kind):
        return "a time of day"
    if name in ("time", "date", "duration"):
        return f"a {name}"
    if pa.types.is_null(kind):
        return "empty"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes"
    return name
