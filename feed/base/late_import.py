"""Import modules when they are first needed, in a thread of their own.

A signal handler or a finalizer may interrupt an import and need the same module. Python would hand
it the half-imported module, as both run in the same thread. So a separate thread imports, and both
wait for it.
"""

from __future__ import annotations

# This module registers fork handlers that take and release a lock. Imported while a fork waits for
# an import (`_before_fork`), it would release a lock that was never taken, and print an error.
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
        """Wait until it is done, until a monotonic time, or until the interpreter ends."""
        while not self.done and not sys.is_finalizing() and time.monotonic() < until:
            if self.lock.acquire(timeout=_SLICE):
                self.lock.release()


def loaded(name: str) -> Any:
    """Return a module; import it if necessary.

    Raises:
        LivetableError: the caller is a signal handler or a finalizer that interrupted the import
            of this module in the same thread; or the interpreter is ending.
        ImportError: it is not installed.
    """
    while True:
        if sys.is_finalizing():  # threads have stopped, and modules are being cleared
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
"""Packages that others import: if this thread is importing one, waiting would never end."""


def _is_begun(module: Any) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _is_mine(name: str) -> bool:
    """Tell whether this thread is importing a module."""
    try:
        lock = importlib._bootstrap._module_locks[name]()  # type: ignore[attr-defined] # noqa: SLF001
        return lock is not None and lock.owner == thread_id()
    except (AttributeError, KeyError, TypeError):  # another version of Python
        return False


def _before_fork() -> None:
    """Wait for running imports: the child has no thread to finish them.

    Only for a while: the forking thread may itself be what an import waits for.
    """
    until = time.monotonic() + _FORK_SECONDS
    for load in list(_loads.values()):
        load.wait(until)


def _after_fork() -> None:
    """Forget imports of threads that the child does not have, so that it imports anew."""
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
