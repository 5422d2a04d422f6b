"""Descriptors that stay free for the program, and one that is kept to turn viewers away."""

from __future__ import annotations

import contextlib
import os
from typing import Final

FREE_DESCRIPTORS: Final = 32
"""So many descriptors stay free for the program: nearer to its limit viewers are turned away."""


class Spare:
    """One descriptor that is kept, to let in who is to be told that there are none left."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self.keep()

    def keep(self) -> None:
        """Have one, if there is one to be had."""
        if self._descriptor is None:
            with contextlib.suppress(OSError):
                self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def give(self) -> bool:
        """Close it, so that there is one for somebody else; tell whether it was there."""
        if self._descriptor is None:
            return False
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        return True


def has_room(fd: int) -> bool:
    """Tell whether there is one more for a viewer, beside the one that it was just given."""
    # A new descriptor is the lowest free one: it tells how many there are at least.
    limit = _descriptor_limit()
    return limit is None or fd < limit - FREE_DESCRIPTORS


def _descriptor_limit() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft
