"""The hub of this process: started when needed, left behind at a fork, heard to the very end."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Final

from livetable.feed.local.claims import remove_held
from livetable.feed.server.hub import Hub

_hubs: dict[int, Hub] = {}
_abandoned: list[Hub] = []


def get_hub() -> Hub:
    """Return this process's hub, started if need be."""
    pid = os.getpid()
    hub = _hubs.get(pid)
    if hub is None:
        # One call puts it there: a signal handler may come in between and put one, too.
        made = Hub()
        hub = _hubs.setdefault(pid, made)
        if hub is not made:  # another thread was first: this one's sockets are nobody's
            made.close_alarm()
        _at_exit_of_children()
    hub.start()
    return hub


def _after_fork() -> None:
    # The thread did not come along, and what is open belongs to the parent: kept open here it
    # would keep the port taken. The hub is kept, not collected: libzmq's part of it must be left.
    for hub in list(_hubs.values()):
        _abandoned.append(hub)
        with contextlib.suppress(Exception):
            hub.let_go()
    _hubs.clear()


class _LastWords:
    """Says a hub's last words when Python takes its modules apart: after all of `atexit`."""

    def __init__(self, hub: Hub) -> None:
        self._say, self._pid = hub.last_words, os.getpid()

    def __del__(self, pid: Callable[[], int] = os.getpid) -> None:
        try:
            if pid() == self._pid:
                self._say()
        except Exception:  # too much is gone already: its viewers see that its sockets close
            return


_LAST: Final = "livetable.feed.__last__"


def _at_exit() -> None:
    hub = _hubs.get(os.getpid())
    if hub is not None and _LAST not in sys.modules:
        hub.leave()
        # In a module that nobody else refers to: Python lets go of it first, while ours are whole.
        module = sys.modules[_LAST] = ModuleType(_LAST)
        module.words = _LastWords(hub)  # type: ignore[attr-defined]


def _at_childs_exit() -> None:
    hub = _hubs.pop(os.getpid(), None)
    if hub is not None:
        hub.stop()
        remove_held()


def _at_exit_of_children() -> None:
    """Have `multiprocessing`'s children say their last words: they leave without `atexit`."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _at_childs_exit, exitpriority=100)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
