"""The one thread of a process that talks ZMTP for all of its publishers, until the very end."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Final

from livetable.feed.base.log_thread import is_ours, not_ours, tell
from livetable.feed.base.native import new_lock, sleep, start_thread, thread_id
from livetable.feed.curve.keys import KeyPair
from livetable.feed.errors import BadEndpoint, LivetableError
from livetable.feed.local.claims import remove_held
from livetable.feed.server.bound_sockets import BoundSockets, PlainSocket
from livetable.feed.server.encoding import SideEncoding
from livetable.feed.server.mailbox import Call, Mailbox, Poll
from livetable.feed.server.table_state import TableState

_log = logging.getLogger("livetable.feed")

_EXIT_SECONDS: Final = 2.0
_FLUSH_SECONDS: Final = 0.005
_CLOSE_SECONDS: Final = 2.0


class Hub:
    """The feed side of a process: bound endpoints and their tables.

    Its methods may be called from any thread, from signal handlers and finalizers; the work is done
    in the hub's own thread, which never waits for any other.
    """

    def __init__(self) -> None:
        self._mailbox = Mailbox()
        self._fresh: set[tuple[str, str]] = set()
        self._untidy: set[TableState] = set()
        self._encoding = SideEncoding(self._mailbox.post, self._tell_viewers)
        self.sockets = BoundSockets(Poll(self._mailbox), self._encoding.prepare)
        """Touched in the hub's thread only."""
        self._stopping = False
        self._ended = new_lock()
        self._ended.acquire()
        self._started = False

    def start(self) -> None:
        """Start the thread, if that was not done yet."""
        if self._started:
            return
        self._started = True
        try:
            start_thread(self._run)
        except RuntimeError as error:
            self._started = False
            raise LivetableError(f"can't start a thread to publish: {error}") from None

    # -- tables ------------------------------------------------------------------------------------

    def add(
        self,
        table: TableState,
        endpoint: str,
        pair: KeyPair | None = None,
        *,
        replaces: TableState | None = None,
    ) -> str:
        """Serve a table; return the endpoint with wildcards replaced.

        Args:
            table: The table.
            endpoint: Where.
            pair: The key that viewers have to know, if theirs are asked for.
            replaces: A table of the same name whose viewers go on with this one.

        Raises:
            BadEndpoint: it can't be bound.
        """

        def job() -> str:
            bound = self.sockets.bind(endpoint, pair)
            now, there = time.monotonic(), bound.serving.tables.get(table.name)
            if there is not None and there is replaces:
                bound.serving.put_in_place(table, there, now)
            elif there is not None:
                raise BadEndpoint(f"{endpoint} already has a table {table.name!r}")
            else:
                bound.serving.add(table, now)
            return bound.endpoint

        bound_to = self._mailbox.call(job)
        if bound_to is None:
            raise BadEndpoint(f"can't bind {endpoint}: the process is ending")
        return str(bound_to)

    def remove(
        self,
        table: TableState,
        endpoint: str,
        *,
        then: Callable[[], object] | None = None,
        waits: bool = True,
    ) -> None:
        """Stop serving a table; viewers are told. The last table closes the endpoint.

        Args:
            table: The table.
            endpoint: Where it is.
            then: Called once that is done.
            waits: Whether to wait until it is done, for a while.
        """
        # Long by what it says; two jobs, of which the second may have to wait for an encoding.

        def finish() -> None:
            bound = self.sockets.get(endpoint)
            if bound is not None and bound.serving.tables.get(table.name) is table:
                now = time.monotonic()
                topics = bound.serving.remove(table.name, now)
                if not bound.serving.tables:
                    self.sockets.unbind(bound, now)
                elif isinstance(bound, PlainSocket) and bound.streams.local:
                    # They connect again, by the table's name: to whoever publishes it by then.
                    bound.streams.end(topics)
            if then is not None:
                then()
            call.run()

        def job() -> None:
            # Its last frame may take long to encode: meanwhile the others are served.
            bound = self.sockets.get(endpoint)
            looked_at = bound is not None and table.name in bound.serving.looked_at
            if table.encoding.is_slow and not table.encoding.is_encoded and looked_at:
                self._encoding.prepare_last(table, finish)
            else:
                finish()

        call = Call(lambda: None)
        self._mailbox.post(job)
        if waits:
            self._mailbox.wait(call, _CLOSE_SECONDS)

    def news(self, table: TableState, endpoint: str) -> None:
        """Say that a table has a new frame. Returns at once."""
        if table.wanted:
            self._fresh.add((table.name, endpoint))
            self._mailbox.wake()

    def tidy(self, table: TableState) -> None:
        """Free the room of what a table's rows held before. Returns at once."""
        if table not in self._untidy:
            self._untidy.add(table)
            self._mailbox.wake()

    def flush(self, table: TableState, endpoint: str, seconds: float) -> bool:
        """Wait until all who look at a table have its newest frame; tell whether they do."""

        def job() -> bool:
            bound = self.sockets.get(endpoint)
            if bound is None or bound.serving.tables.get(table.name) is not table:
                return True
            return bound.serving.all_have(table)

        until = time.monotonic() + seconds
        while not self._mailbox.call(job):
            if time.monotonic() >= until or self._mailbox.is_own or not self._mailbox.is_open:
                return False
            sleep(_FLUSH_SECONDS)
        return True

    # -- the end -----------------------------------------------------------------------------------

    def leave(self) -> None:
        """Send what there is; the last words are said when nobody can send any more.

        Handlers of `atexit` that were registered before are still to come, and may publish.
        """
        call = Call(lambda: self.sockets.leave(time.monotonic()))
        self._mailbox.post(call.run)
        self._mailbox.wait(call, _EXIT_SECONDS)

    def last_words(self) -> None:
        """Say that all tables end, once this process's other threads are no more."""
        self._mailbox.owner = thread_id()
        self.sockets.last_words()

    def stop(self) -> None:
        """End the thread; sockets say their last words first."""
        self._stopping = True
        self._mailbox.wake()
        if self._ended.acquire(timeout=_EXIT_SECONDS):
            self._ended.release()
            self.close_alarm()

    def close_alarm(self) -> None:
        """Close what wakes the thread: it has ended, or was never started."""
        self._mailbox.close()

    def let_go(self) -> None:
        """In a forked child: close what is open here, it is the parent's."""
        self._mailbox.let_go()
        self.sockets.let_go()

    # -- the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        self._mailbox.owner = thread_id()
        is_ours()
        try:
            while not self._stopping:
                try:
                    self._turn()
                except Exception as error:  # a fault of ours must not end the producer's feed
                    tell(_log, "an error in the feed's thread", error=error)
                    sleep(0.1)
            self._mailbox.finish()
        finally:
            self.sockets.close()
            self._mailbox.is_open = False
            not_ours()
            self._ended.release()

    def _turn(self) -> None:
        self.sockets.wait(time.monotonic())
        self._mailbox.work()
        self.sockets.let_in()
        now = time.monotonic()
        self.sockets.revoke(now)
        while self._fresh:
            name, endpoint = self._fresh.pop()
            if bound := self.sockets.get(endpoint):
                bound.serving.news(name, now)
        while self._untidy:
            self._untidy.pop().rows.compact()
        self.sockets.serve(now)
        self.sockets.flush(now)

    def _tell_viewers(self, table: TableState) -> None:
        now = time.monotonic()
        for bound in self.sockets:
            if bound.serving.tables.get(table.name) is table:
                bound.serving.news(table.name, now)


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
