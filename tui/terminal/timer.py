"""A timer that always fires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def later(pump: MessagePump, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Call something in a widget's own task after a while; the handle can be cancelled.

    Textual's `set_timer` leaves a call out if it is late for it when it starts to wait. It
    happens to short ones whenever another thread holds the interpreter: they never fire.
    """
    return asyncio.get_running_loop().call_later(seconds, pump.call_later, callback)
