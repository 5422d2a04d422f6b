"""Keys of rows as Python values."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import pyarrow as pa

from livetable.feed.arrow.arrays import comparable
from livetable.feed.errors import BadFrame

_NAN: Final = ("NaN",)  # NaN is not equal to itself, so it could never be found as a key


def keys_of(columns: Sequence[pa.Array]) -> list[Hashable]:
    """Return keys as Python values; compound keys as tuples.

    Raises:
        BadFrame: a key column holds lists or dicts.
    """
    if any(pa.types.is_nested(column.type) for column in columns):
        raise BadFrame("can't use lists or dicts as keys: choose another column")
    lists = [
        [_NAN if value != value else value for value in comparable(column).to_pylist()]
        for column in columns
    ]
    return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))


def told(key: Hashable) -> str:
    """Return a key as text for a message."""
    return "NaN" if key is _NAN else f"{key!r:.60}"


def twice_in(keys: Sequence[Hashable]) -> Hashable | None:
    """Return a key that occurs twice, None if all are unique."""
    if len(set(keys)) == len(keys):
        return None
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            return key if key is not None else "None"
        seen.add(key)
    return None
