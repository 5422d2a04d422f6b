"""The one thread of a process that talks ZeroMQ for all of its publishers."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import zmq
import zmq.utils.garbage

from livetable.feed.base.log_thread import is_ours, not_ours, tell
from livetable.feed.base.native import Pausing, new_lock, original, sleep, start_thread, thread_id
from livetable.feed.curve.introduction import Introducer
from livetable.feed.curve.keys import KeyPair
from livetable.feed.curve.zap import Doorkeeper
from livetable.feed.errors import BadEndpoint, LivetableError, WireError
from livetable.feed.local.directory import remove_held
from livetable.feed.protocol.messages import (
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    MAX_WANT,
    Header,
    Position,
    TableInfo,
    Want,
    can_share,
)
from livetable.feed.server.admission import Prepare
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.peers import Arrivals, Peers
from livetable.feed.server.sent import Frames
from livetable.feed.server.table_state import TableState
from livetable.feed.server.zmtp import TAKEN, Line, Said, Streams, close_connections, listening

_log = logging.getLogger("livetable.feed")

_EXIT_SECONDS: Final = 2.0
_RENEW_SECONDS: Final = 0.2
_AT_ONCE: Final = 1000
_LINGER_MS: Final = 200
"""How long a closing socket may take to send its last words (`end`)."""


class _Plain:
    """An endpoint without keys and what it serves. Lives in the hub's thread only."""

    pair: KeyPair | None = None
    introducer: Introducer | None = None

    def __init__(self, endpoint: str, prepare: Prepare, peers: Peers) -> None:
        self.on_taken: Callable[[str], object] = self._taken
        self.streams = Streams(endpoint, peers)
        self.endpoint = self.streams.endpoint
        shares = can_share(self.endpoint)
        self.serving = Serving(self.streams.send, _describe, prepare, shares=shares, peers=peers)

    def received(self, said: Said, now: float) -> None:
        """Take in what was said on connections, or that they are gone."""
        for line, message in said:
            if message is None:
                self.serving.left(line.peer)
            elif line.peer.gone or not line.peer.says(now):
                continue
            elif message.startswith(TAKEN):
                self.on_taken(message[len(TAKEN) :].decode(errors="replace"))
            elif line.turned_away and message[:1] not in (b"\x00", b"\x01"):
                self._turn_away(line, message, now)
            elif not line.closing:
                self.serving.received(message, now, line.peer)

    def _taken(self, name: str) -> None:
        """Another process says that a table's name is its own now; believe the folder, not it."""
        table = self.serving.tables.get(name)
        if table is not None and table.on_taken is not None:
            table.on_taken()

    def _turn_away(self, line: Line, message: bytes, now: float) -> None:
        try:
            want = Want.decode(message)
        except WireError:
            return
        if want.table is None:
            self.serving.received(message, now, line.peer)
            return
        table = self.serving.tables.get(want.table)
        at = table.shown if table is not None else Position("0" * 16, 0)
        header = Header("idle", want.table, want.number, at, note=_FULL, failure=_FULL)
        self.streams.answer(line, [want.topic, header.encode()])


_FULL: Final = (
    "its process can't take another viewer: too many are there, or it has no descriptors left; "
    "end some, or raise ulimit -n there"
)


class _Keyed:
    """An endpoint with keys and what it serves: libzmq's. Lives in the hub's thread only."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        prepare: Prepare,
        pair: KeyPair,
        peers: Peers,
    ) -> None:
        self.pair: KeyPair | None = pair
        self._context = context
        self._prepare = prepare
        self._peers = peers
        # A descriptor of ours: a forked child closes it, which it could not do with libzmq's.
        self._listening, bound = listening(endpoint)
        try:
            self.socket, self.arrivals = self._listener(bound, pair)
        except BadEndpoint:
            self._listening.close()
            raise
        # As it was written: "127.0.0.1", not "[::ffff:127.0.0.1]".
        said = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self.endpoint = re.sub(r"\[::ffff:([\d.]+)\]", r"\1", said)
        self.serving = self._served()
        self.introducer: Introducer | None = None
        with contextlib.suppress(OSError):  # known_feeds has to be written by hand then
            self.introducer = Introducer(self.endpoint, pair.public)

    def _listener(self, endpoint: str, pair: KeyPair) -> tuple[zmq.Socket[bytes], Arrivals]:
        """Return a socket that is bound, and who tells of its connections."""
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
            made.setsockopt(zmq.CURVE_SERVER, 1)
            made.setsockopt(zmq.CURVE_PUBLICKEY, pair.public)
            made.setsockopt(zmq.CURVE_SECRETKEY, pair.secret)
            made.setsockopt(zmq.ZAP_DOMAIN, b"livetable")
            made.copy_threshold = 0
            # Another of the same, which libzmq closes: ours keeps the port while that is renewed.
            made.setsockopt(zmq.USE_FD, os.dup(self._listening.fileno()))
            made.bind(endpoint)
        except (zmq.ZMQError, OSError) as error:
            arrivals.close()
            made.close(0)
            raise BadEndpoint(f"{endpoint} can't be bound: {_reason(error, endpoint)}") from None
        return made, arrivals

    def _served(self) -> Serving:
        shares = can_share(self.endpoint)
        return Serving(self._send, _describe, self._prepare, shares=shares, peers=self._peers)

    def renew(self, now: float) -> bool:
        """Part with all viewers; those who are still let in are back at once. Tell whether it did.

        Where it did not, for lack of descriptors, it is to be tried again: no viewer is let in
        meanwhile, and none that should be gone stays.
        """
        assert self.pair is not None
        if not self.socket.closed:
            self.arrivals.close()
            with contextlib.suppress(zmq.ZMQError):
                self.socket.unbind(self.endpoint)
            self.socket.close(0)
        try:
            self.socket, self.arrivals = self._listener(self.endpoint, self.pair)
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

    def let_go(self) -> None:
        """Close what a forked child has of it: it would keep the port taken."""
        port = self.endpoint.rpartition(":")[2]
        with contextlib.suppress(OSError, ValueError):
            close_connections(int(port))
        self._listening.detach()

    def close(self, now: float) -> None:
        """Let go of the endpoint; what was said last still goes out."""
        with contextlib.suppress(zmq.ZMQError):
            self.socket.unbind(self.endpoint)  # close does it some time later
        self._listening.close()
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
        """Take in what viewers sent."""
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


Bound = _Plain | _Keyed


class _Call:
    """A job of another thread's that the hub does."""

    def __init__(self, job: Callable[[], Any]) -> None:
        self.job = job
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.lock = new_lock()
        self.lock.acquire()

    def run(self) -> None:
        try:
            self.result = self.job()
        except BaseException as error:
            self.error = error
        self.done = True
        self.lock.release()


class Hub:
    """The feed side of a process: bound endpoints and their tables.

    Its methods may be called from any thread, from signal handlers and finalizers; the work is done
    in the hub's own thread, which never waits for any other.
    """

    def __init__(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._fresh: set[tuple[str, str]] = set()
        self._untidy: set[TableState] = set()
        self._preparing: set[TableState] = set()
        self._queue: deque[tuple[TableState, Position | None, bool]] = deque()
        self._after: dict[TableState, list[Callable[[], None]]] = {}
        self._bound: dict[str, Bound] = {}
        self._peers = Peers()
        self._to_renew: set[_Keyed] = set()
        self._lingering: list[Streams] = []
        self._doorkeeper: Doorkeeper | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._alarm, self._listen = original("socket", "socketpair")()
        self._alarm.setblocking(False)
        self._listen.setblocking(False)
        self._polled: dict[int, bool] = {}
        self._stopping = False
        self._woken = False
        self._runs = True
        self._ended = new_lock()
        self._ended.acquire()
        self._thread: int | None = None
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
            raise LivetableError(f"no thread can be started to publish: {error}") from None

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
            bound = self._bound.get(endpoint)
            if bound is None:
                if pair is not None:
                    keys = self._keys(pair)
                    bound = _Keyed(keys, endpoint, self._prepare, pair, self._peers)
                    self._listen_to(bound)
                    if bound.introducer is not None:
                        self._poller.register(bound.introducer, zmq.POLLIN)
                else:
                    bound = _Plain(endpoint, self._prepare, self._peers)
                self._bound[endpoint] = self._bound[bound.endpoint] = bound
            elif bound.pair != pair:
                how = "with" if bound.pair is not None else "without"
                raise BadEndpoint(f"{endpoint} is published {how} keys by this process already")
            now, there = time.monotonic(), bound.serving.tables.get(table.name)
            if there is not None and there is replaces:
                bound.serving.put_in_place(table, there, now)
            elif there is not None:
                raise BadEndpoint(f"{endpoint} already has a table {table.name!r}")
            else:
                bound.serving.add(table, now)
            return bound.endpoint

        bound_to = self._call(job)
        if bound_to is None:
            raise BadEndpoint(f"{endpoint} can't be bound: the process is on its way out")
        return str(bound_to)

    def _listen_to(self, bound: _Keyed, *, on: bool = True) -> None:
        for one in bound.sockets:
            if on:
                self._poller.register(one, zmq.POLLIN)
            elif one in self._poller:
                self._poller.unregister(one)

    def _revoke(self, now: float) -> None:
        """Part with viewers whose keys were taken out."""
        if self._doorkeeper is not None and self._doorkeeper.revokes(now):
            self._to_renew = {one for one in self._bound.values() if isinstance(one, _Keyed)}
        for bound in list(self._to_renew):
            self._listen_to(bound, on=False)
            if bound not in self._bound.values():  # its last table was closed meanwhile
                self._to_renew.discard(bound)
            elif bound.renew(now):
                self._to_renew.discard(bound)
                self._listen_to(bound)

    def _keys(self, pair: KeyPair) -> zmq.Context[zmq.Socket[bytes]]:
        """Return the context of endpoints with keys, and somebody who lets viewers in.

        Without one ZeroMQ lets in all who have any key.
        """
        if self._context is None:
            self._context = zmq.Context()
        if self._doorkeeper is None:
            self._doorkeeper = Doorkeeper(self._context)
            self._poller.register(self._doorkeeper.socket, zmq.POLLIN)
        self._doorkeeper.owners.add(pair.public)
        return self._context

    def _streams(self) -> list[Streams]:
        plain = [one.streams for one in set(self._bound.values()) if isinstance(one, _Plain)]
        return plain + self._lingering

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

        def finish() -> None:
            bound = self._bound.get(endpoint)
            if bound is not None and bound.serving.tables.get(table.name) is table:
                now = time.monotonic()
                topics = bound.serving.remove(table.name, now)
                if not bound.serving.tables:
                    self._unbind(bound, now)
                elif isinstance(bound, _Plain) and bound.streams.local:
                    # They connect again, by the table's name: to whoever publishes it by then.
                    bound.streams.end(topics)
            if then is not None:
                then()
            call.run()

        def job() -> None:
            # Its last frame may take long to encode: meanwhile the others are served.
            bound = self._bound.get(endpoint)
            looked_at = bound is not None and table.name in bound.serving.looked_at
            if table.is_slow and not table.is_encoded and looked_at:
                self._after.setdefault(table, []).append(finish)
                self._prepare(table, None, False)
            else:
                finish()

        call = _Call(lambda: None)
        self._jobs.append(job)
        self._wake()
        if waits:
            self._wait(call, _CLOSE_SECONDS)

    def _unbind(self, bound: Bound, now: float) -> None:
        self._bound = {at: one for at, one in self._bound.items() if one is not bound}
        if isinstance(bound, _Keyed):
            self._listen_to(bound, on=False)
            if bound.introducer is not None:
                self._poller.unregister(bound.introducer)
            bound.close(now)
        else:
            bound.streams.close(now)
            self._lingering.append(bound.streams)

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

    def flush(self, table: TableState, endpoint: str, seconds: float) -> bool:
        """Wait until all who look at a table have its newest frame; tell whether they do."""

        def job() -> bool:
            bound = self._bound.get(endpoint)
            if bound is None or bound.serving.tables.get(table.name) is not table:
                return True
            return bound.serving.all_have(table)

        until = time.monotonic() + seconds
        while not self._call(job):
            if time.monotonic() >= until or thread_id() == self._thread or not self._runs:
                return False
            sleep(_FLUSH_SECONDS)
        return True

    def leave(self) -> None:
        """Send what there is; the last words are said when nobody can send any more.

        Handlers of `atexit` that were registered before are still to come, and may publish.
        """

        def job() -> None:
            now = time.monotonic()
            for bound in set(self._bound.values()):
                for name in bound.serving.looked_at:
                    bound.serving.tables[name].since(None)  # what encodes is imported by then
                    bound.serving.news(name, now)
                if isinstance(bound, _Keyed):  # not to be touched by another thread then
                    for name in list(bound.serving.tables):
                        bound.serving.remove(name, now)
                    self._unbind(bound, now)

        call = _Call(job)
        self._jobs.append(call.run)
        self._wake()
        self._wait(call, _EXIT_SECONDS)

    def last_words(self) -> None:
        """Say that all tables end, once this process's other threads are no more."""
        self._thread = thread_id()
        now = time.monotonic()
        for bound in set(self._bound.values()):
            for name in list(bound.serving.tables):
                bound.serving.remove(name, now)
            if isinstance(bound, _Plain):
                bound.streams.close(now)
                self._lingering.append(bound.streams)
        while self._lingering and time.monotonic() < now + _LINGER_MS / 1000:
            for one in self._lingering:
                one.flush(now)
            self._lingering = [
                one for one in self._lingering if any(line.out for line in one.lines.values())
            ]
            if self._lingering:
                sleep(_FLUSH_SECONDS)

    def stop(self) -> None:
        """End the thread; sockets say their last words first."""
        self._stopping = True
        self._wake()
        if self._ended.acquire(timeout=_EXIT_SECONDS):
            self._ended.release()
            self.close_alarm()

    def close_alarm(self) -> None:
        """Close what wakes the thread: it has ended, or was never started."""
        self._alarm.close()
        self._listen.close()

    def let_go(self) -> None:
        """In a forked child: close what is open here, it is the parent's."""
        for one in self._streams():
            one.let_go()
        for socket in (self._alarm, self._listen):
            with contextlib.suppress(OSError):
                socket.close()
        for bound in set(self._bound.values()):
            if isinstance(bound, _Keyed):
                bound.let_go()

    def _prepare(self, table: TableState, have: Position | None, deltas: bool) -> None:
        """Encode what a viewer needs of a slow table beside this thread, once at a time."""
        if table in self._preparing:
            return
        self._preparing.add(table)
        self._queue.append((table, have, deltas))
        self._encode_next()

    def _encode_next(self) -> None:
        if self._queue and len(self._preparing) - len(self._queue) < _MOST_ENCODING:
            table, have, deltas = self._queue.popleft()
            try:
                start_thread(lambda: self._encode(table, have, deltas))
            except RuntimeError:  # no more threads
                self._encode(table, have, deltas)

    def _encode(self, table: TableState, have: Position | None, deltas: bool) -> None:
        made = None
        try:
            with Pausing():
                made = table.since(have, deltas=deltas)
        finally:

            def done() -> None:
                self._preparing.discard(table)
                table.prepared = made
                now = time.monotonic()
                for bound in set(self._bound.values()):
                    if bound.serving.tables.get(table.name) is table:
                        bound.serving.news(table.name, now)
                for finish in self._after.pop(table, ()):
                    finish()
                self._encode_next()

            self._jobs.append(done)
            self._wake()

    def _wake(self) -> None:
        if self._woken:
            return
        self._woken = True
        try:
            self._alarm.send(b"\0")
        except OSError:  # it is full, so it wakes; or all is over
            return
        except BaseException:  # Ctrl-C: that nobody was woken must not be forgotten
            self._woken = False
            raise

    def _call(self, job: Callable[[], Any]) -> Any:
        call = _Call(job)
        self._jobs.append(call.run)
        self._wake()
        self._wait(call, _CALL_SECONDS)
        if call.error is not None:
            raise call.error
        return call.result

    def _wait(self, call: _Call, seconds: float) -> None:
        if thread_id() == self._thread or sys.is_finalizing():
            return  # a publisher collected here: waiting for ourselves would last for ever
        until = time.monotonic() + seconds
        while self._runs and not call.done and time.monotonic() < until:
            call.lock.acquire(timeout=0.2)
            if not call.done:  # Ctrl-C may have come between a job and the alarm
                self._woken = False
                self._wake()

    def _run(self) -> None:
        self._thread = thread_id()
        is_ours()
        self._poller = zmq.Poller()
        self._poller.register(self._listen.fileno(), zmq.POLLIN)
        try:
            while not self._stopping:
                try:
                    self._turn()
                except Exception as error:  # a fault of ours must not end the producer's feed
                    tell(_log, "a fault in the feed's thread", error=error)
                    sleep(0.1)
            while self._jobs:
                self._jobs.popleft()()
        finally:
            self._say_goodbye()
            self._runs = False
            not_ours()
            self._ended.release()

    def _say_goodbye(self) -> None:
        now = time.monotonic()
        for bound in set(self._bound.values()):
            with contextlib.suppress(Exception):
                for name in list(bound.serving.tables):
                    bound.serving.remove(name, now)
                self._unbind(bound, now)
        while self._lingering and time.monotonic() < now + _LINGER_MS / 1000:
            with contextlib.suppress(Exception):
                self._flush(time.monotonic())
                self._poll(20)
        for one in self._lingering:
            one.let_go()
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        if self._context is not None:
            self._context.term()

    def _turn(self) -> None:
        now = time.monotonic()
        bounds = set(self._bound.values())
        deadlines = [one.serving.deadline(now) for one in bounds]
        deadlines += [one.deadline(now) for one in self._streams()]
        if self._doorkeeper is not None:
            deadlines.append(self._doorkeeper.deadline)
        if self._to_renew:
            deadlines.append(now + _RENEW_SECONDS)
        due = min((at for at in deadlines if at is not None), default=None)
        timeout = None
        if due is not None:  # bounded: zmq takes no more milliseconds than fit 31 bits
            timeout = int(min(max(0.0, due - now), _LONGEST_SECONDS) * 1000) + 1
        self._poll(timeout)
        self._woken = False  # before what it announces is looked at, or news could be missed
        while self._jobs:
            self._jobs.popleft()()
        if self._doorkeeper is not None and self._doorkeeper.socket in self._ready:
            self._doorkeeper.answer()
        now = time.monotonic()
        self._revoke(now)
        while self._fresh:
            name, endpoint = self._fresh.pop()
            if bound := self._bound.get(endpoint):
                bound.serving.news(name, now)
        while self._untidy:
            table = self._untidy.pop()
            table.compact()
        for bound in set(self._bound.values()):
            if isinstance(bound, _Keyed):
                if bound in self._to_renew:
                    continue  # it has no socket just now
                if not self._ready.isdisjoint(bound.sockets):
                    bound.receive(now)
                if bound.introducer is not None and bound.introducer.fileno() in self._ready:
                    bound.introducer.answer()
            else:
                self._read(bound, now)
            bound.serving.tick(now)
        self._flush(now)

    def _read(self, bound: _Plain, now: float) -> None:
        streams, listening = bound.streams, bound.streams.socket
        if listening is not None and listening.fileno() in self._ready:
            streams.accept(now)
        for fd in self._ready & streams.lines.keys():
            bound.received(streams.ready(fd, now), now)
        bound.received(streams.tick(now), now)

    def _flush(self, now: float) -> None:
        """Send what was put, once a turn: each call is a hand-over of the interpreter."""
        for bound in set(self._bound.values()):
            if isinstance(bound, _Plain):
                for _ in range(2):  # that somebody is gone may be news to others
                    bound.received(bound.streams.flush(now), now)
        for one in self._lingering:
            for fd in self._ready & one.lines.keys():
                one.ready(fd, now)
            one.tick(now)
            one.flush(now)
        self._lingering = [one for one in self._lingering if one.lines]

    def _poll(self, timeout: int | None) -> None:
        """Wait until there is something to do; note what can be read and written."""
        wanted = {fd: write for one in self._streams() for fd, write in one.descriptors()}
        for fd in [fd for fd in self._polled if fd not in wanted]:
            self._poller.unregister(fd)
            del self._polled[fd]
        for fd, write in wanted.items():
            if self._polled.get(fd) is not write:
                self._poller.register(fd, zmq.POLLIN | (zmq.POLLOUT if write else 0))
                self._polled[fd] = write
        self._ready = {at for at, _ in self._poller.poll(timeout)}
        if self._listen.fileno() in self._ready:
            with contextlib.suppress(OSError):
                self._listen.recv(4096)


_FLUSH_SECONDS: Final = 0.005
_CALL_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0
_LONGEST_SECONDS: Final = 3600.0
_MOST_ENCODING: Final = 8


def _reason(error: zmq.ZMQError | OSError, endpoint: str) -> str:
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
