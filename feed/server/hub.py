"""The thread of a process that serves viewers for all its publishers, until the process ends."""

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
    """Serves the tables of a process on its bound endpoints.

    Any thread, signal handler or finalizer may call its methods. The hub's own thread does the
    work, and never waits for another thread.
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
        """Start the thread, unless it runs already."""
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
            endpoint: Where to serve it.
            pair: The feed's key pair, if viewers need keys.
            replaces: A table of the same name. Its viewers are switched to this one.

        Raises:
            BadEndpoint: the endpoint can't be bound.
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
        """Stop serving a table and tell its viewers. Removing the last table closes the endpoint.

        Args:
            table: The table.
            endpoint: Where it is served.
            then: Called once the table is removed.
            waits: Whether to wait for that, for a limited time.
        """
        # Long, because it makes two jobs: the second may have to wait for an encoding.

        def finish() -> None:
            bound = self.sockets.get(endpoint)
            if bound is not None and bound.serving.tables.get(table.name) is table:
                now = time.monotonic()
                topics = bound.serving.remove(table.name, now)
                if not bound.serving.tables:
                    self.sockets.unbind(bound, now)
                elif isinstance(bound, PlainSocket) and bound.streams.local:
                    # Viewers connect again by the table's name, to whichever process has it then.
                    bound.streams.end(topics)
            if then is not None:
                then()
            call.run()

        def job() -> None:
            # Encoding the last frame may take long: serve the other tables meanwhile.
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
        """Announce a new frame of a table. Returns at once."""
        if table.wanted:
            self._fresh.add((table.name, endpoint))
            self._mailbox.wake()

    def tidy(self, table: TableState) -> None:
        """Free the memory of a table's replaced rows. Returns at once."""
        if table not in self._untidy:
            self._untidy.add(table)
            self._mailbox.wake()

    def flush(self, table: TableState, endpoint: str, seconds: float) -> bool:
        """Wait until all viewers of a table have its newest frame. Return whether they have it."""

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
        """Send what is pending. Tables end later, in `last_words`.

        `atexit` handlers that were registered before ours run after it, and may still publish.
        """
        call = Call(lambda: self.sockets.leave(time.monotonic()))
        self._mailbox.post(call.run)
        self._mailbox.wait(call, _EXIT_SECONDS)

    def last_words(self) -> None:
        """Tell viewers that all tables end. Call it when no other thread runs any more."""
        self._mailbox.owner = thread_id()
        self.sockets.last_words()

    def stop(self) -> None:
        """End the thread. It tells viewers that all tables end, first."""
        self._stopping = True
        self._mailbox.wake()
        if self._ended.acquire(timeout=_EXIT_SECONDS):
            self._ended.release()
            self.close_alarm()

    def close_alarm(self) -> None:
        """Close the sockets that wake the thread. The thread must have ended, or never started."""
        self._mailbox.close()

    def let_go(self) -> None:
        """Close the parent's sockets in a forked child."""
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
                except Exception as error:  # our bug must not stop the producer's feed
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
    """Return this process's hub, and start it if necessary."""
    pid = os.getpid()
    hub = _hubs.get(pid)
    if hub is None:
        # One atomic call: a signal handler or another thread may make a hub at the same time.
        made = Hub()
        hub = _hubs.setdefault(pid, made)
        if hub is not made:  # the other hub was first: ours is not used
            made.close_alarm()
        _at_exit_of_children()
    hub.start()
    return hub


def _after_fork() -> None:
    # The child has no hub thread, and the sockets are the parent's: left open in the child, they
    # would keep the port in use. Keep the hub: collecting it would touch libzmq, which must not be
    # used after a fork.
    for hub in list(_hubs.values()):
        _abandoned.append(hub)
        with contextlib.suppress(Exception):
            hub.let_go()
    _hubs.clear()


class _LastWords:
    """Calls `Hub.last_words` when Python clears its modules, after all `atexit` handlers."""

    def __init__(self, hub: Hub) -> None:
        self._say, self._pid = hub.last_words, os.getpid()

    def __del__(self, pid: Callable[[], int] = os.getpid) -> None:
        try:
            if pid() == self._pid:
                self._say()
        except Exception:  # too much is cleared already: viewers see the sockets close
            return


_LAST: Final = "livetable.feed.__last__"


def _at_exit() -> None:
    hub = _hubs.get(os.getpid())
    if hub is not None and _LAST not in sys.modules:
        hub.leave()
        # Store it in a module that nothing else refers to: Python clears that one first, while the
        # modules that `last_words` needs still work.
        module = sys.modules[_LAST] = ModuleType(_LAST)
        module.words = _LastWords(hub)  # type: ignore[attr-defined]


def _at_childs_exit() -> None:
    hub = _hubs.pop(os.getpid(), None)
    if hub is not None:
        hub.stop()
        remove_held()


def _at_exit_of_children() -> None:
    """Register `_at_childs_exit`: children of `multiprocessing` exit without calling `atexit`."""
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _at_childs_exit, exitpriority=100)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
