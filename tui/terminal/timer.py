"""A timer that always fires, unlike Textual's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def later(pump: MessagePump, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Run a callback in a widget's own task after some seconds; return a handle to cancel it.

    Textual's `set_timer` skips a call that is already due when it starts to wait. Short timers
    then never fire if another thread holds the interpreter meanwhile.
    """
    return asyncio.get_running_loop().call_later(seconds, pump.call_later, callback)
