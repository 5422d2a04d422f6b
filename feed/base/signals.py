"""Signals that end a program in order, heeded in a thread of their own; and its end at last.

Python runs a handler in the main thread, between two of its instructions: not while that thread
sleeps in a call that the signal came just before, and in the midst of whatever it does, with any
lock in its hands. Here the system's own handler writes a byte, and a thread that reads it acts.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Final

ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""What asks a program to end."""


def heed(act: Callable[[int], None]) -> None:
    """Call something, in a thread, with the number of each signal that asks this program to end.

    To be called in the main thread, once; no event loop of the program may want signals too.
    """
    hear, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    for name in ENDING:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)  # SIG_IGN would tell nobody

    def listen() -> None:
        _kept.append(tell)  # closed, its descriptor would be another's
        with contextlib.suppress(OSError), hear:
            while numbers := hear.recv(64):
                for number in numbers:
                    act(number)

    threading.Thread(target=listen, daemon=True, name="livetable-signals").start()


def leave_at_last(code: int, seconds: float) -> threading.Timer:
    """End this process after a while, whatever hangs on the way out; return what can be cancelled.

    Args:
        code: The exit code.
        seconds: How long it may take to end in order.
    """
    last = threading.Timer(seconds, os._exit, [code])
    last.daemon = True
    last.start()
    return last


_kept: Final[list[socket.socket]] = []
