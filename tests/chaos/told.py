"""What a table is known by: a number that any cell changes, and where the rows stand."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

Row = tuple[int, float | None, str | None]


def hash_of(row: Row) -> int:
    """Return a number for a row."""
    return zlib.crc32(repr(row).encode())


def hash_of_all(rows: Iterable[Any]) -> int:
    """Return a number for rows, whatever their order: a feed keeps it up with each change."""
    found = 0
    for row in rows:
        found = (found + hash_of(row)) % (1 << 64)
    return found
