"""Threads, locks and clocks of the operating system, also where a library has put others in place.

gevent and eventlet replace the functions of `threading`, `socket` and `time` by ones that switch
between tasks of one thread. The feed's thread has to be a real one: as a task it would stop all the
others as soon as it waits. Nor is it made by `threading.Thread`, whose start takes a lock of the
module: a signal handler or a finalizer that makes a Publisher may have interrupted who holds it.
"""

from __future__ import annotations

import _thread
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Self

# Not to be imported when they are needed: at the very end of a process nothing can be.
_MODULES: Final[dict[str, Any]] = {
    "_thread": _thread,
    "select": select,
    "socket": socket,
    "time": time,
}


def original(module: str, name: str) -> Any:
    """Return a function of a module of Python's as it was before gevent or eventlet came."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched(module):
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and hasattr(eventlet, "original"):
        return getattr(eventlet.original(module), name)
    return getattr(_MODULES[module], name)


def new_lock() -> _thread.LockType:
    """Return a lock for threads of the operating system."""
    lock: _thread.LockType = original("_thread", "allocate_lock")()
    return lock


def thread_id() -> int:
    """Return which thread of the operating system this is."""
    ident: int = original("_thread", "get_ident")()
    return ident


def sleep(seconds: float) -> None:
    """Let other threads of the operating system go on."""
    original("time", "sleep")(seconds)


def start_thread(run: Callable[[], object]) -> None:
    """Run a function in a thread of its own, which no exit of the process waits for.

    Raises:
        RuntimeError: there can be no more threads, or the interpreter is on its way out.
    """

    def traced() -> None:
        trace: Any = threading.gettrace()
        if trace is not None:  # coverage and debuggers look at threads of `threading` only
            sys.settrace(trace)
        run()

    original("_thread", "start_new_thread")(traced, ())


class Pausing:
    """Lets other threads have the interpreter every millisecond while somebody else's code runs.

    Python hands it over every 5 ms only, and the feed's thread asks for it at each socket call:
    20 small tables were shown a tenth of a second late while a large cell's text was made. A hook
    of this thread alone is called at each call of a function, and pauses when it is time.
    """

    def __enter__(self) -> Self:
        pause, now = original("time", "sleep"), time.monotonic
        due = now() + _RUN_SECONDS

        def look(frame: object, event: str, arg: object) -> None:
            nonlocal due
            if now() > due:
                pause(_PAUSE_SECONDS)
                due = now() + _RUN_SECONDS

        sys.setprofile(look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)


_RUN_SECONDS: Final = 0.001
_PAUSE_SECONDS: Final = 0.0002
