"""Handle signals that end a program in a thread of their own; and a deadline for the end.

Python runs a handler in the main thread, between two instructions: too late if that thread blocks
in a call, and possibly while it holds a lock. Here the C-level handler writes a byte to a socket,
and a thread that reads it acts.
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
"""Signals that ask a program to end."""


def heed(act: Callable[[int], None]) -> None:
    """Call a function, in a thread, with the number of each signal that asks the program to end.

    Call this once, in the main thread; no event loop of the program may handle signals, too.
    """
    hear, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    for name in ENDING:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)  # SIG_IGN would write no byte

    def listen() -> None:
        _kept.append(tell)  # if it were closed, its descriptor could be reused by another file
        with contextlib.suppress(OSError), hear:
            while numbers := hear.recv(64):
                for number in numbers:
                    act(number)

    threading.Thread(target=listen, daemon=True, name="livetable-signals").start()


def leave_at_last(code: int, seconds: float) -> threading.Timer:
    """End this process after a while, whatever hangs; return the timer, which can be cancelled.

    Args:
        code: The exit code.
        seconds: How long it may take to end in order.
    """
    last = threading.Timer(seconds, os._exit, [code])
    last.daemon = True
    last.start()
    return last


_kept: Final[list[socket.socket]] = []
