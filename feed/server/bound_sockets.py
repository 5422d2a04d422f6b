"""All bound endpoints of a process, and connections that outlast their closed endpoint."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from livetable.feed.base.native import sleep
from livetable.feed.curve.keys import KeyPair
from livetable.feed.errors import BadEndpoint, WireError
from livetable.feed.protocol.messages import Header, Position, Want
from livetable.feed.protocol.place import can_share
from livetable.feed.server.admission import Prepare
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.mailbox import Poll
from livetable.feed.server.peers import Peers
from livetable.feed.server.streams import Said, Streams
from livetable.feed.server.table_state import describe
from livetable.feed.server.zmtp import TAKEN, Line

if TYPE_CHECKING:
    from livetable.feed.server.keyed_socket import KeyedSocket, KeyedSockets

_LAST_WORDS_SECONDS: Final = 0.2
"""How long closing sockets may take to send their last messages (`end`)."""

_FLUSH_SECONDS: Final = 0.005


class PlainSocket:
    """An endpoint without keys. Used only in the hub's thread."""

    pair: KeyPair | None = None

    def __init__(self, endpoint: str, prepare: Prepare, peers: Peers) -> None:
        self.on_taken: Callable[[str], object] = self._taken
        self.streams = Streams(endpoint, peers)
        self.endpoint = self.streams.endpoint
        shares = can_share(self.endpoint)
        self.serving = Serving(self.streams.send, describe, prepare, shares=shares, peers=peers)

    def read(self, ready: set[Any], now: float) -> None:
        """Accept new connections, and read from those that are ready."""
        streams = self.streams
        if streams.socket is not None and streams.socket.fileno() in ready:
            streams.accept(now)
        for fd in ready & streams.lines.keys():
            self.received(streams.ready(fd, now), now)
        self.received(streams.tick(now), now)

    def received(self, said: Said, now: float) -> None:
        """Handle messages from connections, and the end of connections."""
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
        """Handle the message that another process took a table's name. `on_taken` verifies it."""
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
    "its process can't take another viewer: it has too many, or no file descriptors left; "
    "close some, or raise ulimit -n there"
)


BoundSocket: TypeAlias = "PlainSocket | KeyedSocket"


class BoundSockets:
    """The bound endpoints of a process. Used only in the hub's thread.

    Args:
        poll: Waits for the sockets.
        prepare: Encodes a slow table in a side thread.
    """

    def __init__(self, poll: Poll, prepare: Prepare) -> None:
        self._poll = poll
        self._prepare = prepare
        self._peers = Peers()
        self._bound: dict[str, BoundSocket] = {}
        self._lingering: list[Streams] = []
        self._keyed: KeyedSockets | None = None

    def __iter__(self) -> Iterator[BoundSocket]:
        return iter(set(self._bound.values()))

    def get(self, endpoint: str) -> BoundSocket | None:
        """Return the socket that is bound to an endpoint, None if there is none."""
        return self._bound.get(endpoint)

    def bind(self, endpoint: str, pair: KeyPair | None) -> BoundSocket:
        """Return the socket that is bound to an endpoint. Bind one if there is none.

        Args:
            endpoint: The endpoint.
            pair: The feed's key pair, if viewers need keys.

        Raises:
            BadEndpoint: the endpoint can't be bound.
        """
        bound = self._bound.get(endpoint)
        if bound is not None:
            if bound.pair != pair:
                how = "with" if bound.pair is not None else "without"
                raise BadEndpoint(
                    f"this process already publishes {endpoint} {how} keys: use the same secure="
                )
            return bound
        if pair is not None:
            bound = self._with_keys().bind(endpoint, pair)
        else:
            bound = PlainSocket(endpoint, self._prepare, self._peers)
        self._bound[endpoint] = self._bound[bound.endpoint] = bound
        return bound

    def unbind(self, bound: BoundSocket, now: float) -> None:
        """Close an endpoint. Its connections still get what is on its way to them."""
        self._bound = {at: one for at, one in self._bound.items() if one is not bound}
        if isinstance(bound, PlainSocket):
            bound.streams.close(now)
            self._lingering.append(bound.streams)
        elif self._keyed is not None:
            self._keyed.unbind(bound, now)

    # -- keys --------------------------------------------------------------------------------------

    def _with_keys(self) -> KeyedSockets:
        if self._keyed is None:
            # `Published` has imported it with `loaded`, so that a fork waits for the import.
            from livetable.feed.server.keyed_socket import KeyedSockets

            self._keyed = KeyedSockets(self._poll, self._prepare, self._peers)
        return self._keyed

    def let_in(self) -> None:
        """Answer ZeroMQ's questions whether a viewer's key is authorized."""
        if self._keyed is not None:
            self._keyed.let_in()

    def revoke(self, now: float) -> None:
        """Disconnect viewers whose keys were removed."""
        if self._keyed is not None:
            self._keyed.revoke(now)

    # -- one turn of the thread --------------------------------------------------------------------

    def wait(self, now: float) -> None:
        """Wait until there is something to do."""
        deadlines = [one.serving.deadline(now) for one in self]
        deadlines += [one.deadline(now) for one in self._streams()]
        if self._keyed is not None:
            deadlines += self._keyed.deadlines(now)
        due = min((at for at in deadlines if at is not None), default=None)
        self._poll.wait(self._descriptors(), None if due is None else due - now)

    def serve(self, now: float) -> None:
        """Read what viewers sent, and answer what is due."""
        for bound in self:
            if isinstance(bound, PlainSocket):
                bound.read(self._poll.ready, now)
                bound.serving.tick(now)
            elif self._keyed is not None:
                self._keyed.serve(bound, now)

    def flush(self, now: float) -> None:
        """Send queued bytes, once a turn only: each system call releases the interpreter lock."""
        for bound in self:
            if isinstance(bound, PlainSocket):
                for _ in range(2):  # twice: a closed connection may cause messages to others
                    bound.received(bound.streams.flush(now), now)
        for streams in self._lingering:
            for fd in self._poll.ready & streams.lines.keys():
                streams.ready(fd, now)
            streams.tick(now)
            streams.flush(now)
        self._lingering = [streams for streams in self._lingering if streams.lines]

    def _streams(self) -> list[Streams]:
        return [one.streams for one in self if isinstance(one, PlainSocket)] + self._lingering

    def _descriptors(self) -> dict[int, bool]:
        return {fd: write for one in self._streams() for fd, write in one.descriptors()}

    # -- the end -----------------------------------------------------------------------------------

    def leave(self, now: float) -> None:
        """Send what is pending while the hub's thread still runs. Close endpoints with keys."""
        for bound in self:
            for name in bound.serving.looked_at:
                bound.serving.tables[name].since(None)  # imports the encoder: later it can't be
                bound.serving.news(name, now)
            if not isinstance(bound, PlainSocket):  # ZeroMQ's: no other thread may touch it later
                bound.serving.remove_all(now)
                self.unbind(bound, now)

    def last_words(self) -> None:
        """Tell viewers that all tables end. Call it when no other thread runs any more."""
        now = time.monotonic()
        for bound in self:
            bound.serving.remove_all(now)
            if isinstance(bound, PlainSocket):
                bound.streams.close(now)
                self._lingering.append(bound.streams)
        while self._lingering and time.monotonic() < now + _LAST_WORDS_SECONDS:
            for one in self._lingering:
                one.flush(now)
            self._lingering = [
                one for one in self._lingering if any(line.out for line in one.lines.values())
            ]
            if self._lingering:
                sleep(_FLUSH_SECONDS)

    def close(self) -> None:
        """Tell viewers that all tables end, and close all sockets."""
        now = time.monotonic()
        for bound in self:
            with contextlib.suppress(Exception):
                bound.serving.remove_all(now)
                self.unbind(bound, now)
        while self._lingering and time.monotonic() < now + _LAST_WORDS_SECONDS:
            with contextlib.suppress(Exception):
                self.flush(time.monotonic())
                self._poll.wait(self._descriptors(), 0.02)
        for one in self._lingering:
            one.let_go()
        if self._keyed is not None:
            self._keyed.close()

    def let_go(self) -> None:
        """Close the parent's sockets in a forked child."""
        for one in self._streams():
            one.let_go()
        for bound in self:
            if not isinstance(bound, PlainSocket):
                bound.let_go()
