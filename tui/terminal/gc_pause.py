"""Keeps the garbage collector's pauses out of the start and out of paints."""

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
"""The app has loaded what it needs by then."""

_YOUNG: Final = 2_000
"""Objects that may come before they are looked through: some tenths of a millisecond."""

_OLDER: Final = (5, 2)
"""How often, before those that stayed are looked through with them; and all.

All are only looked through once a quarter more have come than there are (so has it CPython), and a
table that is only looked at leaves none behind: its frames come and go without a collection.
"""

_ARENA_MAX: Final = -8  # M_ARENA_MAX of malloc.h

_TIDY_SECONDS: Final = 0.3  # a panel that is closed is held by its own tasks for a while
_TIDY_SHARE: Final = 30  # tidying up takes no more than this part of the time


def hold() -> None:
    """Collect nothing: what a start makes, it keeps."""
    gc.disable()


def settle(*, tidy: bool = False) -> None:
    """Collect again, but never look through what is there by now.

    Without the freeze a full collection walks all of Textual's, Arrow's and our own code, 20 ms in
    the middle of a paint.

    Args:
        tidy: Whether to let go first of what the start has left behind: it stays for ever else,
            4 MB of it.
    """
    if tidy:
        gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_OLDER)
    gc.enable()


def share_memory() -> None:
    """Have all threads take memory from one place, before the first of them is started.

    The C library gives each a place of its own, where what is freed stays: used for half an hour, a
    viewer grew by 30 MB.
    """
    if (set_option := _of_libc("mallopt")) is not None:
        set_option(_ARENA_MAX, 1)


def _of_libc(name: str) -> Callable[..., object] | None:
    """Return a function of the C library, None where it has none of that name."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # late; NumPy loads it as well

    found: Callable[..., object] | None = getattr(ctypes.CDLL(None), name, None)
    return found


class Tidier:
    """Lets go of what was closed: a screen, a panel, a tab. Lives in the event loop.

    Textual's widgets are circles, which only a full collection frees. By itself one comes
    late, when panels that are opened and closed take 20 MB. The person has just pressed a key, and
    sees no pause of some milliseconds.
    """

    def __init__(self) -> None:
        self._is_due = False
        self._not_before = 0.0

    def soon(self) -> None:
        """Collect in a moment; once for all that was closed until then."""
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
    """Let go of what was just closed, if the collector is livetable's to run: in its own app."""
    tidier = getattr(app, "tidier", None)
    if isinstance(tidier, Tidier):
        tidier.soon()
