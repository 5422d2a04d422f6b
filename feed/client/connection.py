"""A reader of one endpoint: the socket and the clock around `Wanting`."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import zmq

from livetable.feed.client.events import Barred, Event, Gone, Link, Progress, Refused
from livetable.feed.client.proof import FAILED, Proof
from livetable.feed.client.requests import Wanting
from livetable.feed.errors import BadEndpoint, BadKey, WireError
from livetable.feed.protocol.messages import (
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    WINDOW,
    Header,
    new_topic,
)
from livetable.feed.protocol.place import Place, can_share

if TYPE_CHECKING:
    from livetable.feed.buffers.shared import Reader

MAX_PART: Final = 64 << 20
"""Longest message part that is read, in bytes; livetable's own feeds send at most 256 KiB."""

RETRY_SECONDS: Final = 2.0
"""Seconds until the next attempt after the two sides did not agree on keys."""

_RECONNECT_MS: Final = 20
_RECONNECT_MAX_MS: Final = 400


class Client:
    """Reads tables from an endpoint. `events` is for one thread; `ask`, `close` for any.

    Args:
        endpoint: Where to connect; the feed may start later.
        context: A ZeroMQ context to share with other clients; its owner ends it.

    Raises:
        BadEndpoint: it is not an endpoint.
        BadKey: a file of keys can't be used.
    """

    def __init__(
        self, endpoint: str, context: zmq.Context[zmq.Socket[bytes]] | None = None
    ) -> None:
        self.endpoint = endpoint
        self._topic = new_topic()
        self._wantings: dict[str | None, Wanting] = {}
        self._to_ask: set[str | None] = set()
        self._afresh: set[str | None] = set()
        self._closed = threading.Event()
        self._alarm, self._listen = socket.socketpair()
        self._alarm.setblocking(False)
        self._listen.setblocking(False)
        self._crowded: str | None = None
        """Why it did not connect, until `events` has reported it."""
        self._proof = Proof(endpoint)
        self._retry_at: float | None = None
        self._memory: Reader | None = None
        self._shared = context is not None
        self._context: zmq.Context[zmq.Socket[bytes]] = context or zmq.Context()
        try:
            self._connect()
        except (BadKey, zmq.ZMQError) as error:
            self._disconnect()
            self._alarm.close()
            self._listen.close()
            if not self._shared:
                self._context.destroy(0)
            if isinstance(error, BadKey):
                raise
            raise BadEndpoint(
                f"can't connect to {endpoint!r}: write tcp://host:port or ipc:///path/of/a/socket"
            ) from None

    def ask(self, table: str | None, *, afresh: bool = False) -> None:
        """Ask for what is newer than the last news of a table: the reader's credit.

        Args:
            table: The table's name, None for the catalogue.
            afresh: Whether to ask for the whole table: the last news could not be used.
        """
        if afresh:
            self._afresh.add(table)
        self._to_ask.add(table)
        self._wake()

    def say(self) -> None:
        """Send the pending wants before `events` is called, in the thread that made this."""
        now = time.monotonic()
        while self._to_ask:
            table = self._to_ask.pop()
            wanting = self._wantings.get(table)
            if wanting is None:
                shares = table is not None and can_share(self.endpoint)
                wanting = self._wantings[table] = Wanting(self._topic, table, memory=shares)
            if table in self._afresh and not wanting.outstanding:
                self._afresh.discard(table)
                wanting.forget()
            if not wanting.outstanding:
                self._say(wanting.ask(now))

    def close(self) -> None:
        """End `events`, wherever it waits. Returns at once."""
        self._closed.set()
        self._wake()

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield what happens, as it happens, until `close` or for `timeout` seconds.

        Blocks between events without using the processor. On the way out after `close` the sockets
        are closed.
        """
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while not self._closed.is_set():
                now = time.monotonic()
                if until is not None and now >= until:
                    return
                yield from self._turn(now, until)
        finally:
            if self._closed.is_set() and not self._socket.closed:  # nor when it is called again
                self._disconnect()
                if not self._shared:
                    self._context.destroy(0)
                self._alarm.close()
                self._listen.close()

    def _connect(self) -> None:
        self._crowded = self._look_whether_crowded()
        self._socket = self._context.socket(zmq.XSUB)
        options = {
            zmq.LINGER: 0,
            zmq.RCVHWM: 0,  # one want is outstanding at most
            zmq.MAXMSGSIZE: MAX_PART,
            zmq.RECONNECT_IVL: _RECONNECT_MS,
            zmq.RECONNECT_IVL_MAX: _RECONNECT_MAX_MS,
            zmq.HANDSHAKE_IVL: 5_000,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.IPV6: 1,
        }
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        self._monitor = self._socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | FAILED
        )
        self._proof.prove(self._socket)
        self._poller = zmq.Poller()
        for one in (self._socket, self._monitor, self._listen):
            self._poller.register(one, zmq.POLLIN)
        if self._crowded is None:
            self._socket.connect(self.endpoint)
            self._socket.send(b"\x01" + self._topic)
        else:
            self._retry_at = time.monotonic() + RETRY_SECONDS

    def _look_whether_crowded(self) -> str | None:
        """Return why this reader must not connect to a local feed, None if it may."""
        if not self.endpoint.startswith("ipc://"):
            return None
        from livetable.feed.base.descriptors import crowded
        from livetable.feed.local.directory import pid_at  # late: of local ones

        pid = pid_at(self.endpoint)
        return None if pid is None else crowded(pid)

    def _disconnect(self) -> None:
        self._memory = None
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._alarm.send(b"\0")

    def _say(self, want: bytes | None) -> None:
        # Not connected: the want is sent again after connecting.
        if want is not None:
            with contextlib.suppress(zmq.Again):
                self._socket.send(want, zmq.NOBLOCK)

    def _turn(self, now: float, until: float | None) -> Iterator[Event]:
        if self._crowded is not None:
            reason, self._crowded = self._crowded, None
            yield Barred(reason)
        self.say()
        times: list[float | None] = [wanting.deadline() for wanting in self._wantings.values()]
        times = [*times, until, self._retry_at]
        due = min((at for at in times if at is not None), default=None)
        timeout = None if due is None else int(max(0.0, due - now) * 1000) + 1
        ready = dict(self._poller.poll(timeout))
        if self._listen.fileno() in ready or self._listen in ready:
            with contextlib.suppress(BlockingIOError):
                self._listen.recv(4096)
        if self._monitor in ready:
            yield from self._look_at_link()
        if self._socket in ready:
            yield from self._receive()
        now = time.monotonic()
        silent = False
        for table, wanting in self._wantings.items():
            self._say(wanting.repeat(now))
            if wanting.tell_gone(now):
                silent = True
                yield Gone(table)
        if silent or (self._retry_at is not None and now >= self._retry_at):
            # A child of a dead feed may keep the old connection open: only a new connection reaches
            # the feed that took over the endpoint.
            self._reconnect(now)

    def _reconnect(self, now: float) -> None:
        self._retry_at = None
        self._disconnect()
        # A new topic: the feed would ignore a want that it has answered as a repetition.
        self._topic = new_topic()
        self._connect()
        for wanting in self._wantings.values():
            self._say(wanting.restart(now, self._topic))

    def _look_at_link(self) -> Iterator[Event]:
        # By hand: zmq.utils.monitor loads zmq.asyncio for this. Event, value; then the address.
        event, detail = struct.unpack("=Hi", self._monitor.recv_multipart()[0])
        if event & FAILED:
            if (reason := self._proof.failed(event, detail)) is not None:
                # ZeroMQ does not retry by itself; by then the person may have fixed the keys.
                self._retry_at = time.monotonic() + RETRY_SECONDS
                yield Barred(reason)
            return
        connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
        if connected:
            self._proof.agreed()
        yield Link(connected)
        if connected:
            for wanting in self._wantings.values():
                self._say(wanting.restart(time.monotonic()))

    def _receive(self) -> Iterator[Event]:
        for _ in range(64):
            try:
                topic, head, body = self._receive_message()
            except zmq.Again:
                return
            now = time.monotonic()
            if topic != self._topic:
                continue
            try:
                header = Header.decode(head)
                table = None if header.kind == "catalogue" else header.table
                wanting = self._wantings.get(table)
                if wanting is None:
                    continue
                if header.memory is not None:
                    copy = self._copied(wanting, header, header.memory, now)
                    if copy is None:
                        continue
                    body = [copy]
                news, want = wanting.receive(header, body, now)
            except WireError as error:
                yield Refused(str(error))
                continue
            except MemoryError:
                yield Refused("out of memory for a message")
                continue
            self._say(want)
            if news is not None:
                yield news
            elif header.parts > WINDOW and table is not None:
                # Only for large bodies: small ones are complete in a moment.
                yield Progress(table, wanting.progress or 0.0)

    def _copied(
        self, wanting: Wanting, header: Header, place: Place, now: float
    ) -> memoryview | None:
        """Copy a body from the feed's memory; None if it has to be asked for again."""
        from livetable.feed.buffers.shared import (  # late: of large ones
            Reader,
            Unreadable,
            WrittenOver,
        )

        if not wanting.awaits(header):
            return None
        if self._memory is None:
            self._memory = Reader()
        try:
            return self._memory.read(place, header.size)
        except (Unreadable, WrittenOver) as error:
            self._say(wanting.unread(now, written_over=isinstance(error, WrittenOver)))
            return None

    def _receive_message(self) -> tuple[bytes, bytes, list[memoryview]]:
        """Return a message's topic, header and body; the body is not copied.

        Raises:
            zmq.Again: there is none.
        """
        parts = [self._socket.recv(zmq.NOBLOCK)]
        body: list[memoryview] = []
        while self._socket.getsockopt(zmq.RCVMORE):
            if len(parts) < 2:
                parts.append(self._socket.recv(zmq.NOBLOCK))
            else:
                body.append(self._socket.recv(zmq.NOBLOCK, copy=False).buffer)
        topic, head = parts if len(parts) == 2 else (b"", b"")
        return topic, head, body
