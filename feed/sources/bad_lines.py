"""Lines that can't be read, and text that is not a table at all."""

from __future__ import annotations

from typing import NamedTuple

from livetable.feed.errors import LivetableError


class BadLines(LivetableError):
    """Text that is not a table. The sentence says where."""


class BadLine(NamedTuple):
    """A line that can't be read; a publisher takes it as a plain tuple.

    Attributes:
        number: Its number in the text, from 1.
        text: Its beginning.
        reason: What is wrong with it.
    """

    number: int
    text: str
    reason: str
