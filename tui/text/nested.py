"""Lists, dicts and maps as short text. Pure."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from livetable.feed.arrow.arrays import plain_type

MAX_CHARACTERS: Final = 400
"""At most this many characters of a cell are read."""

_NESTED_PARTS: Final = 16
_NESTED_DEPTH: Final = 4


def nested_text(cell: pa.Scalar, depth: int = 0) -> str | None:
    """Return a list, dict or map as short text, made from its first parts only.

    Not from all: a message of a few bytes can describe a list of any length.
    """
    if not cell.is_valid:
        return None
    kind = cell.type
    if depth >= _NESTED_DEPTH and pa.types.is_nested(kind):
        return "…"
    if pa.types.is_map(kind) or pa.types.is_struct(kind):
        if pa.types.is_struct(kind):
            count = min(kind.num_fields, _NESTED_PARTS)
            pairs = [(repr(kind.field(number).name), cell[number]) for number in range(count)]
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
    return scalar_text(cell) if depth == 0 else _quoted(cell)


def _quoted(cell: pa.Scalar) -> str:
    text = scalar_text(cell)
    kind = plain_type(cell.type)
    return repr(text) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else text


def scalar_text(cell: pa.Scalar) -> str:
    try:
        return str(cell)[:MAX_CHARACTERS]
    except Exception as error:  # dates outside Python's range
        return f"<{type(error).__name__}>"
