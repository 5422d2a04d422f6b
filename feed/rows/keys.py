"""Keys of rows, as Python has them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

import pyarrow as pa

from livetable.feed.arrow.arrays import comparable
from livetable.feed.errors import BadFrame

_NAN: Final = ("NaN",)  # NaN is not equal to itself, so it could never be found as a key


def keys_of(columns: Sequence[pa.Array]) -> list[Hashable]:
    """Return keys as Python has them: of several columns tuples.

    Raises:
        BadFrame: lists and the like can't be keys.
    """
    if any(pa.types.is_nested(column.type) for column in columns):
        raise BadFrame("lists and dicts can't be keys: choose another column")
    lists = [
        [_NAN if value != value else value for value in comparable(column).to_pylist()]
        for column in columns
    ]
    return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))


def told(key: Hashable) -> str:
    """Return a key as it stands in a sentence."""
    return "NaN" if key is _NAN else f"{key!r:.60}"


def twice_in(keys: Sequence[Hashable]) -> Hashable | None:
    """Return a key that is there twice, None if none is."""
    if len(set(keys)) == len(keys):
        return None
    seen: set[Hashable] = set()
    for key in keys:
        if key in seen:
            return key if key is not None else "None"
        seen.add(key)
    return None
