"""All bound endpoints of a process, and the connections that outlast theirs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Final

import zmq

from livetable.feed.base.native import sleep
from livetable.feed.curve.keys import KeyPair
from livetable.feed.curve.zap import Doorkeeper
from livetable.feed.errors import BadEndpoint
from livetable.feed.server.admission import Prepare
from livetable.feed.server.bound_socket import LINGER_MS, BoundSocket, KeyedSocket, PlainSocket
from livetable.feed.server.peers import Peers
from livetable.feed.server.poll import Poll
from livetable.feed.server.streams import Streams

_RENEW_SECONDS: Final = 0.2
_FLUSH_SECONDS: Final = 0.005


class BoundSockets:
    """The bound endpoints of a process. Lives in the hub's thread only.

    Args:
        poll: What the thread waits for.
        prepare: Encodes what a viewer needs of a slow table.
    """

    def __init__(self, poll: Poll, prepare: Prepare) -> None:
        self._poll = poll
        self._prepare = prepare
        self._peers = Peers()
        self._bound: dict[str, BoundSocket] = {}
        self._lingering: list[Streams] = []
        self._to_renew: set[KeyedSocket] = set()
        self._doorkeeper: Doorkeeper | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None

    def __iter__(self) -> Iterator[BoundSocket]:
        return iter(set(self._bound.values()))

    def get(self, endpoint: str) -> BoundSocket | None:
        """Return what is bound to an endpoint, None if nothing is."""
        return self._bound.get(endpoint)

    def bind(self, endpoint: str, pair: KeyPair | None) -> BoundSocket:
        """Return what is bound to an endpoint, bound if nothing was.

        Args:
            endpoint: Where.
            pair: The key that viewers have to know, if theirs are asked for.

        Raises:
            BadEndpoint: it can't be bound.
        """
        bound = self._bound.get(endpoint)
        if bound is not None:
            if bound.pair != pair:
                how = "with" if bound.pair is not None else "without"
                raise BadEndpoint(f"{endpoint} is published {how} keys by this process already")
            return bound
        if pair is not None:
            bound = KeyedSocket(self._keys(pair), endpoint, self._prepare, pair, self._peers)
            self._listen_to(bound)
            if bound.introducer is not None:
                self._poll.add(bound.introducer)
        else:
            bound = PlainSocket(endpoint, self._prepare, self._peers)
        self._bound[endpoint] = self._bound[bound.endpoint] = bound
        return bound

    def unbind(self, bound: BoundSocket, now: float) -> None:
        """Let go of an endpoint; who is connected gets what is on its way."""
        self._bound = {at: one for at, one in self._bound.items() if one is not bound}
        if isinstance(bound, KeyedSocket):
            self._listen_to(bound, on=False)
            if bound.introducer is not None:
                self._poll.remove(bound.introducer)
            bound.close(now)
        else:
            bound.streams.close(now)
            self._lingering.append(bound.streams)

    # -- keys --------------------------------------------------------------------------------------

    def _keys(self, pair: KeyPair) -> zmq.Context[zmq.Socket[bytes]]:
        """Return the context of endpoints with keys, and somebody who lets viewers in.

        Without one ZeroMQ lets in all who have any key.
        """
        if self._context is None:
            self._context = zmq.Context()
        if self._doorkeeper is None:
            self._doorkeeper = Doorkeeper(self._context)
            self._poll.add(self._doorkeeper.socket)
        self._doorkeeper.owners.add(pair.public)
        return self._context

    def _listen_to(self, bound: KeyedSocket, *, on: bool = True) -> None:
        for one in bound.sockets:
            if on:
                self._poll.add(one)
            else:
                self._poll.remove(one)

    def let_in(self) -> None:
        """Answer who asks whether a viewer's key is known."""
        if self._doorkeeper is not None and self._doorkeeper.socket in self._poll.ready:
            self._doorkeeper.answer()

    def revoke(self, now: float) -> None:
        """Part with viewers whose keys were taken out."""
        if self._doorkeeper is not None and self._doorkeeper.revokes(now):
            self._to_renew = {one for one in self._bound.values() if isinstance(one, KeyedSocket)}
        for bound in list(self._to_renew):
            self._listen_to(bound, on=False)
            if bound not in self._bound.values():  # its last table was closed meanwhile
                self._to_renew.discard(bound)
            elif bound.renew(now):
                self._to_renew.discard(bound)
                self._listen_to(bound)

    # -- one turn of the thread --------------------------------------------------------------------

    def wait(self, now: float) -> None:
        """Wait until there is something to do."""
        deadlines = [one.serving.deadline(now) for one in self]
        deadlines += [one.deadline(now) for one in self._streams()]
        if self._doorkeeper is not None:
            deadlines.append(self._doorkeeper.deadline)
        if self._to_renew:
            deadlines.append(now + _RENEW_SECONDS)
        due = min((at for at in deadlines if at is not None), default=None)
        self._poll.wait(self._descriptors(), None if due is None else due - now)

    def serve(self, now: float) -> None:
        """Take in what viewers say, and answer what is due."""
        for bound in self:
            if isinstance(bound, KeyedSocket):
                if bound in self._to_renew:
                    continue  # it has no socket just now
                if not self._poll.ready.isdisjoint(bound.sockets):
                    bound.receive(now)
                if bound.introducer is not None and bound.introducer.fileno() in self._poll.ready:
                    bound.introducer.answer()
            else:
                bound.read(self._poll.ready, now)
            bound.serving.tick(now)

    def flush(self, now: float) -> None:
        """Send what was put, once a turn: each call is a hand-over of the interpreter."""
        for bound in self:
            if isinstance(bound, PlainSocket):
                for _ in range(2):  # that somebody is gone may be news to others
                    bound.received(bound.streams.flush(now), now)
        for one in self._lingering:
            for fd in self._poll.ready & one.lines.keys():
                one.ready(fd, now)
            one.tick(now)
            one.flush(now)
        self._lingering = [one for one in self._lingering if one.lines]

    def _streams(self) -> list[Streams]:
        return [one.streams for one in self if isinstance(one, PlainSocket)] + self._lingering

    def _descriptors(self) -> dict[int, bool]:
        return {fd: write for one in self._streams() for fd, write in one.descriptors()}

    # -- the end -----------------------------------------------------------------------------------

    def leave(self, now: float) -> None:
        """Send what there is, as long as this thread is there; what it alone may touch ends."""
        for bound in self:
            for name in bound.serving.looked_at:
                bound.serving.tables[name].since(None)  # what encodes is imported by then
                bound.serving.news(name, now)
            if isinstance(bound, KeyedSocket):  # not to be touched by another thread then
                bound.serving.remove_all(now)
                self.unbind(bound, now)

    def last_words(self) -> None:
        """Say that all tables end, once this process's other threads are no more."""
        now = time.monotonic()
        for bound in self:
            bound.serving.remove_all(now)
            if isinstance(bound, PlainSocket):
                bound.streams.close(now)
                self._lingering.append(bound.streams)
        while self._lingering and time.monotonic() < now + LINGER_MS / 1000:
            for one in self._lingering:
                one.flush(now)
            self._lingering = [
                one for one in self._lingering if any(line.out for line in one.lines.values())
            ]
            if self._lingering:
                sleep(_FLUSH_SECONDS)

    def close(self) -> None:
        """Say that all tables end, and close all."""
        now = time.monotonic()
        for bound in self:
            with contextlib.suppress(Exception):
                bound.serving.remove_all(now)
                self.unbind(bound, now)
        while self._lingering and time.monotonic() < now + LINGER_MS / 1000:
            with contextlib.suppress(Exception):
                self.flush(time.monotonic())
                self._poll.wait(self._descriptors(), 0.02)
        for one in self._lingering:
            one.let_go()
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        if self._context is not None:
            self._context.term()

    def let_go(self) -> None:
        """In a forked child: close what is open here, it is the parent's."""
        for one in self._streams():
            one.let_go()
        for bound in self:
            if isinstance(bound, KeyedSocket):
                bound.let_go()
