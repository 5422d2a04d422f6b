"""Real threads, locks, sockets and clocks, also under gevent and eventlet.

gevent and eventlet replace functions of `threading`, `socket` and `time` by ones that switch
between tasks of one thread. The feed's thread must be a real one: as a task it would block all
others whenever it waits. It is not a `threading.Thread` either: starting one takes a lock, which
the code may hold that was interrupted by a signal handler or finalizer that makes a Publisher.
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

# Imported here and not where needed: at the very end of a process nothing can be imported.
_MODULES: Final[dict[str, Any]] = {
    "_thread": _thread,
    "select": select,
    "socket": socket,
    "time": time,
}


def original(module: str, name: str) -> Any:
    """Return a function of the standard library as it was before gevent or eventlet replaced it."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched(module):
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and hasattr(eventlet, "original"):
        return getattr(eventlet.original(module), name)
    return getattr(_MODULES[module], name)


def new_lock() -> _thread.LockType:
    """Return a lock for real threads."""
    lock: _thread.LockType = original("_thread", "allocate_lock")()
    return lock


def thread_id() -> int:
    """Return the identifier of the current real thread."""
    ident: int = original("_thread", "get_ident")()
    return ident


def sleep(seconds: float) -> None:
    """Sleep; other real threads go on."""
    original("time", "sleep")(seconds)


def start_thread(run: Callable[[], object]) -> None:
    """Run a function in a new real thread, for which the exit of the process does not wait.

    Raises:
        RuntimeError: no more threads can be started, or the interpreter is ending.
    """

    def traced() -> None:
        trace: Any = threading.gettrace()
        if trace is not None:  # coverage and debuggers only trace threads of `threading`
            sys.settrace(trace)
        run()

    original("_thread", "start_new_thread")(traced, ())


class Pausing:
    """Releases the interpreter every millisecond while user code runs in this thread.

    Python switches threads only every 5 ms, and the feed's thread needs the interpreter at each
    socket call: 20 small tables were shown 0.1 s late while a large cell was converted to text. A
    profile hook of this thread runs at each function call and sleeps briefly when it is time.
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
