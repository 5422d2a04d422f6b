"""A message that is sent: its frames, how, and whether anybody still needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

Frames: TypeAlias = Sequence[bytes | memoryview]
"""The frames of one message; the first is its topic."""


class Sent(Protocol):
    """A message on its way."""

    @property
    def done(self) -> bool:
        """Whether no peer needs it any more."""
        ...


Send: TypeAlias = Callable[[Frames], Sent]
"""Sends one message of several frames; tells when it is done."""
