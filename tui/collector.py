"""Keeps the garbage collector's pauses out of the start and out of paints."""

from __future__ import annotations

import gc
from typing import Final

SETTLE_SECONDS: Final = 1.0
"""The app has loaded what it needs by then."""

_YOUNG: Final = 10_000
"""Objects that may come before they are looked through: about a millisecond's worth."""


def hold() -> None:
    """Collect nothing: what a start makes, it keeps."""
    gc.disable()


def settle() -> None:
    """Collect again, but never look through what is there by now.

    Without the freeze a full collection walks all of Textual's, Arrow's and our own code, 20 ms in
    the middle of a paint.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
    gc.enable()
