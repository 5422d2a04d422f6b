"""Detects column types. If later rows don't fit, earlier rows are read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from livetable.feed.errors import LivetableError

KnownTypes = Any
"""The column types that a reader has detected: a list of kinds, or a JsonTypes."""

_Result = TypeVar("_Result")


class OtherTypes(LivetableError):
    """Rows whose values don't fit the types of earlier rows.

    Read all rows again, with a reader that is given `known`.

    Attributes:
        known: The column types known so far.
    """

    def __init__(self, known: KnownTypes) -> None:
        super().__init__("other types")
        self.known = known


def read_until_types_fit(
    read: Callable[[KnownTypes], _Result], known: KnownTypes = None
) -> _Result:
    """Read again until the types fit all rows; return the result.

    Args:
        read: Reads from the beginning, with the types known so far.
        known: The types known at first, None for none.
    """
    while True:  # ends: types only ever widen, and text holds everything
        try:
            return read(known)
        except OtherTypes as other:
            known = other.known
