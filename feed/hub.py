"""The one thread of a process that talks ZeroMQ for all of its publishers."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import zmq
import zmq.utils.garbage

from livetable.feed.doorkeeper import Doorkeeper
from livetable.feed.errors import BadEndpoint
from livetable.feed.introducing import Introducer
from livetable.feed.keys import KeyPair
from livetable.feed.peers import Arrivals, Peers
from livetable.feed.serving import Frames, Serving
from livetable.feed.state import TableState
from livetable.feed.wire import (
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    MAX_WANT,
    Position,
    TableInfo,
    can_share,
)

_log = logging.getLogger("livetable.feed")

_EXIT_SECONDS: Final = 2.0
_BIND_TRIES: Final = 5
_RENEW_SECONDS: Final = 0.2
_AT_ONCE: Final = 1000
_LINGER_MS: Final = 200
"""How long a closing socket may take to send its last words (`end`)."""


Prepare = Callable[[TableState, Position | None, bool], None]


class _Bound:
    """One bound socket and what it serves. Lives in the hub's thread only."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        prepare: Prepare,
        pair: KeyPair | None,
        peers: Peers,
    ) -> None:
        self.pair = pair
        self._context = context
        self._prepare = prepare
        self._peers = peers
        self.socket, self.arrivals = self._listener(endpoint)
        # As it was written: "127.0.0.1", not "[::ffff:127.0.0.1]".
        said = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.endpoint = re.sub(r"\[::ffff:([\d.]+)\]", r"\1", said)
        self.serving = self._served()
        self.introducer: Introducer | None = None
        if pair is not None:
            with contextlib.suppress(OSError):  # known_feeds has to be written by hand then
                self.introducer = Introducer(self.endpoint, pair.public)

    def _listener(self, endpoint: str) -> tuple[zmq.Socket[bytes], Arrivals]:
        """Return a socket that is bound, and who tells of its connections."""
        pair = self.pair
        made = self._context.socket(zmq.XPUB)
        arrivals = Arrivals(self._context, made, self._peers)
        options = {
            zmq.XPUB_VERBOSER: 1,  # each viewer's coming and going is seen
            zmq.SNDHWM: 0,  # credit bounds the queue; a mark would drop frames silently
            zmq.LINGER: _LINGER_MS,
            zmq.MAXMSGSIZE: MAX_WANT * 4,
            zmq.HANDSHAKE_IVL: 5_000,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.IPV6: 1,
        }
        try:
            for option, value in options.items():
                made.setsockopt(option, value)
            if pair is not None:
                made.setsockopt(zmq.CURVE_SERVER, 1)
                made.setsockopt(zmq.CURVE_PUBLICKEY, pair.public)
                made.setsockopt(zmq.CURVE_SECRETKEY, pair.secret)
                made.setsockopt(zmq.ZAP_DOMAIN, b"livetable")
            made.copy_threshold = 0
            _bind(made, endpoint)
        except zmq.ZMQError as error:
            arrivals.close()
            made.close(0)
            raise BadEndpoint(f"{endpoint} can't be bound: {_reason(error, endpoint)}") from None
        return made, arrivals

    def _served(self) -> Serving:
        shares = can_share(self.endpoint)
        return Serving(self._send, _describe, self._prepare, shares=shares, peers=self._peers)

    def renew(self, now: float) -> bool:
        """Part with all viewers; those who are still let in are back at once. Tell whether it did.

        Between the two the port is free for a moment. Where somebody else takes it, all goes on to
        be tried: no viewer is let in, and none that should be gone stays.
        """
        if not self.socket.closed:
            self.arrivals.close()
            with contextlib.suppress(zmq.ZMQError):
                self.socket.unbind(self.endpoint)
            self.socket.close(0)
        try:
            self.socket, self.arrivals = self._listener(self.endpoint)
        except BadEndpoint:
            return False
        tables, self.serving = self.serving.tables, self._served()
        for table in tables.values():
            self.serving.add(table, now)
        return True

    @property
    def sockets(self) -> list[zmq.Socket[bytes]]:
        """What there is to wait for."""
        return [one for one in (self.socket, self.arrivals.socket) if one is not None]

    def close(self, *, at_once: bool = False) -> None:
        """Let go of the endpoint; what was said last still goes out."""
        if at_once:
            with contextlib.suppress(zmq.ZMQError):
                self.socket.unbind(self.endpoint)  # close does it some time later
        self.arrivals.close()
        self.socket.close()
        if self.introducer is not None:
            self.introducer.close()

    def _send(self, frames: Frames) -> zmq.MessageTracker:
        if self.socket.closed:  # while `renew` goes on: nobody is connected
            return zmq.MessageTracker()
        *head, last = frames
        for frame in head:
            self.socket.send(frame, zmq.SNDMORE, copy=len(frame) < 65_536)
        tracker = self.socket.send(last, copy=False, track=True)
        assert isinstance(tracker, zmq.MessageTracker)
        return tracker

    def receive(self, now: float) -> None:
        # A bound on what is taken in at once: a flood of wants must not keep news waiting.
        frames = []
        for _ in range(_AT_ONCE):
            try:
                frames.append(self.socket.recv(zmq.NOBLOCK, copy=False))
            except zmq.Again:
                break
        # Who came, after what they say was taken: it was told before they said it.
        for gone in self.arrivals.look(now):
            self.serving.left(gone)
        for message, peer in self.arrivals.heard((one for one in frames if not one.more), now):
            self.serving.received(message, now, peer)


def _bind(one: zmq.Socket[bytes], endpoint: str) -> None:
    # One that was just closed is let go of by another thread, a moment later.
    for _ in range(_BIND_TRIES):
        try:
            one.bind(endpoint)
            return
        except zmq.ZMQError as error:
            if error.errno != zmq.EADDRINUSE:
                raise
            time.sleep(0.02)
    one.bind(endpoint)


class Hub:
    """The feed side of a process: bound endpoints and their tables.

    Its methods may be called from any thread; the work is done in the hub's own.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._fresh: set[tuple[str, str]] = set()
        self._untidy: set[TableState] = set()
        self._preparing: set[TableState] = set()
        self._bound: dict[str, _Bound] = {}
        self._peers = Peers()
        self._doorkeeper: Doorkeeper | None = None
        self._to_renew: set[_Bound] = set()
        self._alarm, self._listen = socket.socketpair()
        self._alarm.setblocking(False)
        self._listen.setblocking(False)
        self._stopping = False
        self._woken = False
        self._thread = threading.Thread(target=self._run, name="livetable-feed", daemon=True)
        self._thread.start()

    def add(self, table: TableState, endpoint: str, pair: KeyPair | None = None) -> str:
        """Serve a table; return the endpoint with wildcards replaced.

        Args:
            table: The table.
            endpoint: Where.
            pair: The key that viewers have to know, if theirs are asked for.

        Raises:
            BadEndpoint: it can't be bound.
        """

        def job() -> str:
            bound = self._bound.get(endpoint)
            if bound is None:
                if pair is not None:
                    self._door().owners.add(pair.public)
                bound = _Bound(self._context, endpoint, self._prepare, pair, self._peers)
                self._bound[endpoint] = self._bound[bound.endpoint] = bound
                self._listen_to(bound)
                if bound.introducer is not None:
                    self._poller.register(bound.introducer, zmq.POLLIN)
            elif bound.pair != pair:
                how = "with" if bound.pair is not None else "without"
                raise BadEndpoint(f"{endpoint} is published {how} keys by this process already")
            if table.name in bound.serving.tables:
                raise BadEndpoint(f"{endpoint} already has a table {table.name!r}")
            bound.serving.add(table, time.monotonic())
            return bound.endpoint

        bound_to: str = self._call(job)
        return bound_to

    def _listen_to(self, bound: _Bound, *, on: bool = True) -> None:
        for one in bound.sockets:
            if on:
                self._poller.register(one, zmq.POLLIN)
            elif one in self._poller:
                self._poller.unregister(one)

    def _revoke(self, now: float) -> None:
        """Part with viewers whose keys were taken out."""
        if self._doorkeeper is not None and self._doorkeeper.revokes(now):
            self._to_renew = {one for one in self._bound.values() if one.pair is not None}
        for bound in list(self._to_renew):
            self._listen_to(bound, on=False)
            if bound not in self._bound.values():  # its last table was closed meanwhile
                self._to_renew.discard(bound)
            elif bound.renew(now):
                self._to_renew.discard(bound)
                self._listen_to(bound)

    def _door(self) -> Doorkeeper:
        """Return who lets viewers in. Without one ZeroMQ lets in all who have any key."""
        if self._doorkeeper is None:
            self._doorkeeper = Doorkeeper(self._context)
            self._poller.register(self._doorkeeper.socket, zmq.POLLIN)
        return self._doorkeeper

    def remove(self, table: TableState, endpoint: str) -> None:
        """Stop serving a table; viewers are told. The last table closes the endpoint."""

        def job() -> None:
            bound = self._bound.get(endpoint)
            if bound is None or bound.serving.tables.get(table.name) is not table:
                return
            bound.serving.remove(table.name, time.monotonic())
            if not bound.serving.tables:
                self._bound = {at: one for at, one in self._bound.items() if one is not bound}
                self._listen_to(bound, on=False)
                if bound.introducer is not None:
                    self._poller.unregister(bound.introducer)
                bound.close(at_once=True)

        self._call(job)

    def news(self, table: TableState, endpoint: str) -> None:
        """Say that a table has a new frame. Returns at once."""
        if table.wanted:
            self._fresh.add((table.name, endpoint))
            self._wake()

    def tidy(self, table: TableState) -> None:
        """Free the room of what a table's rows held before. Returns at once."""
        if table not in self._untidy:
            self._untidy.add(table)
            self._wake()

    def stop(self) -> None:
        """End the thread; sockets say their last words first."""
        self._stopping = True
        self._wake()
        self._thread.join(_EXIT_SECONDS)
        if not self._thread.is_alive():
            self._alarm.close()
            self._listen.close()

    def _prepare(self, table: TableState, have: Position | None, deltas: bool) -> None:
        """Encode what a viewer needs of a large table beside this thread, once at a time."""
        if table in self._preparing:
            return
        self._preparing.add(table)
        # A daemon, not a pool's thread: the producer's exit must not wait for it.
        threading.Thread(
            target=self._encode, args=(table, have, deltas), name="livetable-encode", daemon=True
        ).start()

    def _encode(self, table: TableState, have: Position | None, deltas: bool) -> None:
        made = None
        try:
            made = table.since(have, deltas=deltas)
        finally:

            def done() -> None:
                self._preparing.discard(table)
                table.prepared = made
                now = time.monotonic()
                for bound in set(self._bound.values()):
                    if bound.serving.tables.get(table.name) is table:
                        bound.serving.news(table.name, now)

            self._jobs.append(done)
            self._wake()

    def _wake(self) -> None:
        if self._woken:
            return
        self._woken = True
        with contextlib.suppress(BlockingIOError, OSError):
            self._alarm.send(b"\0")

    def _call(self, job: Callable[[], Any]) -> Any:
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)

        self._jobs.append(run)
        self._wake()
        if threading.current_thread() is self._thread:
            return None  # a publisher collected here: waiting for ourselves would last for ever
        while self._thread.is_alive():
            with contextlib.suppress(TimeoutError):
                return future.result(0.2)
        return None  # the interpreter is on its way out

    def _run(self) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._poller = zmq.Poller()
        self._poller.register(self._listen, zmq.POLLIN)
        try:
            while not self._stopping:
                try:
                    self._turn()
                except Exception:  # a fault of ours must not end the producer's feed
                    _log.exception("a fault in the feed's thread")
                    time.sleep(0.1)
            while self._jobs:
                self._jobs.popleft()()
        finally:
            for bound in set(self._bound.values()):
                with contextlib.suppress(Exception):
                    for name in list(bound.serving.tables):
                        bound.serving.remove(name, time.monotonic())
                bound.close()
            if self._doorkeeper is not None:
                self._doorkeeper.close()
            self._context.term()

    def _turn(self) -> None:
        now = time.monotonic()
        deadlines = [one.serving.deadline(now) for one in set(self._bound.values())]
        if self._doorkeeper is not None:
            deadlines.append(self._doorkeeper.deadline)
        if self._to_renew:
            deadlines.append(now + _RENEW_SECONDS)
        due = min((at for at in deadlines if at is not None), default=None)
        # An hour at most: ZeroMQ refuses 25 days, and all tables would stop.
        timeout = None if due is None else int(min(3600.0, max(0.0, due - now)) * 1000) + 1
        ready = dict(self._poller.poll(timeout))
        if self._listen in ready or self._listen.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                self._listen.recv(4096)
        self._woken = False  # before what it announces is looked at, or news could be missed
        while self._jobs:
            self._jobs.popleft()()
        if self._doorkeeper is not None and self._doorkeeper.socket in ready:
            self._doorkeeper.answer()
        now = time.monotonic()
        self._revoke(now)
        while self._fresh:
            name, endpoint = self._fresh.pop()
            if bound := self._bound.get(endpoint):
                bound.serving.news(name, now)
        while self._untidy:
            self._untidy.pop().compact()
        for bound in set(self._bound.values()):
            if bound in self._to_renew:
                continue  # it has no socket just now
            if not ready.keys().isdisjoint(bound.sockets):
                bound.receive(now)
            if bound.introducer is not None and bound.introducer.fileno() in ready:
                bound.introducer.answer()
            bound.serving.tick(now)


def _reason(error: zmq.ZMQError, endpoint: str) -> str:
    if error.errno == zmq.EADDRINUSE:
        return "another process uses it; choose another port or end that process"
    if error.errno == zmq.EINVAL:
        return "write it as tcp://127.0.0.1:5411 or ipc:///path/of/a/socket"
    return str(error.strerror or error).lower()


def _describe(table: TableState, now: float) -> TableInfo:
    return table.info(now, os.getpid(), process_name())


def process_name() -> str:
    """Return what people call this process: its script or module, else its executable."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")[:256]
    name = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return (name if name not in ("", "-", "-c") else os.path.basename(sys.executable))[:256]


_hub: Hub | None = None
_hub_lock = threading.Lock()
_abandoned: list[Hub] = []


def get_hub() -> Hub:
    """Return this process's hub, started if need be."""
    global _hub
    with _hub_lock:
        if _hub is None:
            _hub = Hub()
        return _hub


def _after_fork() -> None:
    # The thread did not come along, and its sockets belong to the parent. Kept, not collected:
    # closing them here would talk on the parent's connections.
    global _hub, _hub_lock
    if _hub is not None:
        _abandoned.append(_hub)
    _hub, _hub_lock = None, threading.Lock()


def _at_exit() -> None:
    if _hub is not None:
        _hub.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
