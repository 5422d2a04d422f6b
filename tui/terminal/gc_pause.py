"""Keeps garbage collections out of the start and out of paints."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from textual.app import App

SETTLE_SECONDS: Final = 1.0
"""After this long the app has imported what it needs."""

_YOUNG: Final = 2_000
"""New objects until a young collection, which takes some tenths of a millisecond."""

_OLDER: Final = (5, 2)
"""Young collections until a middle one, and middle ones until a full one.

CPython only runs a full collection after the objects have grown by a quarter. A table that is only
watched leaves no garbage cycles: its frames are freed without a collection.
"""

_ARENA_MAX: Final = -8  # M_ARENA_MAX of malloc.h

_TIDY_SECONDS: Final = 0.3  # a closed panel's own tasks keep it alive for a while
_TIDY_SHARE: Final = 30  # collecting takes at most 1/30 of the time


def hold() -> None:
    """Disable the collector during the start, which leaves little garbage."""
    gc.disable()


def settle(*, tidy: bool = False) -> None:
    """Enable the collector, but exclude all objects that exist now.

    Without the freeze, a full collection would walk the modules of Textual, Arrow and livetable:
    20 ms in the middle of a paint.

    Args:
        tidy: Whether to collect first: frozen garbage is never freed (4 MB after a start).
    """
    if tidy:
        gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_OLDER)
    gc.enable()


def share_memory() -> None:
    """Make all threads allocate from one arena. Call it before the first thread starts.

    The C library gives each thread an arena, which keeps freed memory. Measured: a viewer in use
    grew by 30 MB in half an hour.
    """
    if (set_option := _of_libc("mallopt")) is not None:
        set_option(_ARENA_MAX, 1)


def _of_libc(name: str) -> Callable[..., object] | None:
    """Return a function of the C library, None if it does not exist."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # late; NumPy loads it as well

    found: Callable[..., object] | None = getattr(ctypes.CDLL(None), name, None)
    return found


class Tidier:
    """Frees closed screens, panels and tabs. For the event loop's thread.

    Textual's widgets are reference cycles, which only a full collection frees. Without this it runs
    late: opened and closed panels then take 20 MB. Right after a key press, a pause of a few
    milliseconds goes unnoticed.
    """

    def __init__(self) -> None:
        self._is_due = False
        self._not_before = 0.0

    def soon(self) -> None:
        """Collect in a moment, once for everything that is closed until then."""
        if not self._is_due:
            self._is_due = True
            wait = max(_TIDY_SECONDS, self._not_before - time.monotonic())
            asyncio.get_running_loop().call_later(wait, self._tidy)

    def _tidy(self) -> None:
        self._is_due = False
        began = time.monotonic()
        gc.collect()
        if (trim := _of_libc("malloc_trim")) is not None:
            trim(0)
        ended = time.monotonic()
        self._not_before = ended + _TIDY_SHARE * (ended - began)


def tidy_soon(app: App[Any]) -> None:
    """Collect soon, but only in livetable's own app: elsewhere the collector is not ours."""
    tidier = getattr(app, "tidier", None)
    if isinstance(tidier, Tidier):
        tidier.soon()
