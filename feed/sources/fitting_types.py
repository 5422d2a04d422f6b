"""Detects column types. If later rows don't fit, earlier rows are read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from livetable.feed.errors import LivetableError

KnownTypes = Any
"""The column types that a reader has detected: a list of kinds, or a JsonTypes."""

_Result = TypeVar("_Result")


class OtherTypes(LivetableError):
    """Rows whose values don't fit the types that those before had.

    All of them have to be read again, by a reader that is given `known`.

    Attributes:
        known: What is known of the columns now.
    """

    def __init__(self, known: KnownTypes) -> None:
        super().__init__("other types")
        self.known = known


def read_until_types_fit(
    read: Callable[[KnownTypes], _Result], known: KnownTypes = None
) -> _Result:
    """Return what a reader returns once it is given types that fit all rows.

    Args:
        read: Reads from the beginning with what is known of the types.
        known: What is known at first; None: nothing.
    """
    while True:  # ends: types only ever widen, and text holds everything
        try:
            return read(known)
        except OtherTypes as other:
            known = other.known
