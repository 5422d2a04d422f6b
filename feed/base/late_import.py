"""Modules that are imported when they are first needed: by a thread of their own.

A signal handler or a finalizer may come in the midst of an import, and need the same module: of its
own thread's imports Python hands it one that is half there. So no caller imports these itself; it
waits for a thread that does, and so does whoever interrupts it.
"""

from __future__ import annotations

# It has the fork release a lock that it took before: imported in between, by a thread that a fork
# waits for, it would release one that nobody took, and Python would say so on stderr.
import concurrent.futures.thread  # noqa: F401
import importlib
import math
import os
import sys
import time
from typing import Any, Final

from livetable.feed.base.native import new_lock, start_thread, thread_id
from livetable.feed.errors import LivetableError, PublisherClosed

_SLICE: Final = 0.1
_loads: dict[str, _Load] = {}


class _Load:
    def __init__(self, name: str) -> None:
        self.name = name
        self.error: BaseException | None = None
        self.lock = new_lock()
        self.lock.acquire()
        self.done = False

    def run(self) -> None:
        try:
            importlib.import_module(self.name)
        except BaseException as error:
            self.error = error
        self.done = True
        _loads.pop(self.name, None)
        self.lock.release()

    def wait(self, until: float = math.inf) -> None:
        """Wait until it is done, or some time by the monotonic clock, or the interpreter's end."""
        while not self.done and not sys.is_finalizing() and time.monotonic() < until:
            if self.lock.acquire(timeout=_SLICE):
                self.lock.release()


def loaded(name: str) -> Any:
    """Return a module, imported if need be.

    Raises:
        LivetableError: this very thread is importing it: this is a signal handler or a finalizer;
            or the interpreter is at its end.
        ImportError: it is not installed.
    """
    while True:
        if sys.is_finalizing():  # no thread runs any more, and the modules are being taken away
            raise PublisherClosed("can't publish any more: this process is ending")
        module = sys.modules.get(name)
        if module is not None and not _is_begun(module):
            return module
        for one in (name, *_BELOW):
            if one in sys.modules and _is_begun(sys.modules[one]) and _is_mine(one):
                raise LivetableError(f"this thread is still importing {one}: try again when it has")
        fresh = _Load(name)
        load = _loads.setdefault(name, fresh)
        if load is fresh:
            try:
                start_thread(load.run)
            except RuntimeError:  # no more threads
                load.run()
        load.wait()
        if load.error is not None:
            raise load.error


_BELOW: Final = ("numpy", "pyarrow", "pandas")
"""What others are made of: half there they would be waited for for ever."""


def _is_begun(module: Any) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _is_mine(name: str) -> bool:
    """Tell whether it is this thread that imports a module."""
    try:
        lock = importlib._bootstrap._module_locks[name]()  # type: ignore[attr-defined] # noqa: SLF001
        return lock is not None and lock.owner == thread_id()
    except (AttributeError, KeyError, TypeError):  # another Python
        return False


def _before_fork() -> None:
    """Wait for what is being imported: the child would wait for a thread that it has not.

    Not for long: who forks may be importing, too, and be waited for.
    """
    until = time.monotonic() + _FORK_SECONDS
    for load in list(_loads.values()):
        load.wait(until)


def _after_fork() -> None:
    """Forget what a thread that is not there any more was importing: here it is imported anew."""
    begun = any(not load.done for load in _loads.values())
    _loads.clear()
    if not begun:
        return
    locks = getattr(importlib._bootstrap, "_module_locks", {})  # noqa: SLF001
    for name, module in list(sys.modules.items()):
        if _is_begun(module) and not _is_mine(name):
            sys.modules.pop(name, None)
    for name, found in list(locks.items()):
        owner = getattr(found(), "owner", None)
        if owner is not None and owner != thread_id():
            locks.pop(name, None)


_FORK_SECONDS: Final = 10.0

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
