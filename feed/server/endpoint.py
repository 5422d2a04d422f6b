"""What one endpoint of a feed answers, and when. No sockets: it is given a way to send.

One rule: a want is answered at once if there is news, else when there is; after a second without,
with `idle`. So each viewer has at most one answer (or `WINDOW` parts of one) on its way to it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from livetable.feed.errors import WireError
from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import (
    IDLE_SECONDS,
    MAX_NAME,
    PART_BYTES,
    WINDOW,
    Header,
    Position,
    TableInfo,
    Want,
    new_epoch,
    split,
)
from livetable.feed.server.peers import MOST_PRIVATE, MOST_TOPICS, MOST_WAITING, Peer, Peers
from livetable.feed.server.table_state import TableState
from livetable.feed.server.unsent import Sent, Unsent

PUBLIC_SECONDS: Final = 0.25
"""Plain subscribers get a table's snapshots at most this often."""

PUBLIC_BYTES: Final = 64 << 20
"""While this much of a table is on its way to plain subscribers, newer snapshots are skipped."""

MAX_WANTS: Final = 10_000
"""Wants that wait at one endpoint; for more the connection goes that has most of them."""

MAX_TOPICS: Final = 20_000
"""Topics that viewers of one endpoint are subscribed to; for more the same."""

RETRY_SECONDS: Final = 0.02
"""What could not be sent for lack of credit is tried again after this long."""

STALE_SECONDS: Final = 12.0
"""Who fetches a body and does not ask for its next part for so long has given it up."""

_FRESH_SECONDS: Final = 0.3
_LOOK_SECONDS: Final = 0.5  # so often it is seen what is still on its way

EXPIRY_SECONDS: Final = 0.05
"""Rows whose time is over go together, this often at most."""

_PRIVATE: Final = b"@"
Frames = Sequence[bytes | memoryview]
_log = logging.getLogger("livetable.feed")


@dataclass(slots=True)
class _Waiting:
    want: Want
    since: float


@dataclass(slots=True)
class _Transfer:
    """A body of several parts on its way to one viewer."""

    snapshot: Snapshot
    parts: list[memoryview]
    sent: int = 0
    known: int = 0
    moved_at: float = 0.0
    last: Sent | None = None

    def is_given_up(self, now: float) -> bool:
        """Tell whether its viewer has all that was sent, and does not ask for more."""
        return now - self.moved_at >= STALE_SECONDS and (self.last is None or self.last.done)


@dataclass(slots=True)
class _Listener:
    """Where one viewer is answered, and what it was told there.

    Attributes:
        peer: Whose topic it is: only it may ask for answers on it.
        answered: Numbers of the wants last answered: a repeated one has its answer on its way.
        has: What it was sent last.
        failure_told: Of which tables' failure it knows: told at each want, it would be asked for
            ever.
        by_memory: Of which tables it was told where they are, and did not say yet that they were
            read.
        waits: Tables that it waits for.
        fetches: Tables that it gets part by part.
    """

    peer: Peer
    answered: dict[str | None, int] = field(default_factory=dict)
    has: dict[str, Position] = field(default_factory=dict)
    failure_told: set[str] = field(default_factory=set)
    by_memory: set[str] = field(default_factory=set)
    waits: set[str | None] = field(default_factory=set)
    fetches: set[str] = field(default_factory=set)


class _Public:
    """What plain subscribers have been sent of one table."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.next_at = 0.0
        self.on_their_way: list[tuple[Sent, int]] = []

    def has_room(self) -> bool:
        self.on_their_way = [pair for pair in self.on_their_way if not pair[0].done]
        return sum(size for _, size in self.on_their_way) < PUBLIC_BYTES


class Serving:
    """The tables of one endpoint and the wants that wait for news of them.

    Args:
        send: Sends one multipart message; tells when it is done.
        describe: Returns a table's line in the catalogue.
        prepare: Encodes what a viewer at a position needs of a large table, and then has `news` of
            it called; None: all is encoded here.
        shares: Whether viewers may be told to read bodies from this process's memory.
        peers: The connections that it comes by.
    """

    def __init__(
        self,
        send: Callable[[Frames], Sent],
        describe: Callable[[TableState, float], TableInfo],
        prepare: Callable[[TableState, Position | None, bool], None] | None = None,
        *,
        shares: bool = False,
        peers: Peers | None = None,
    ) -> None:
        self._prepare = prepare
        self._shares = shares
        self.tables: dict[str, TableState] = {}
        self._mortal: dict[str, TableState] = {}  # of these, those whose rows go by themselves
        self._send = send
        self._describe = describe
        self._epoch = new_epoch()
        self._version = 1
        self._peers = Peers() if peers is None else peers
        self._everybody = Peer()
        """Whose messages those are that come by nobody knows which connection."""
        self._holders: dict[bytes, list[Peer]] = {}
        """Who listens to which topic; the first one's it is."""
        self._public_topics: set[bytes] = set()
        self._listeners: dict[bytes, _Listener] = {}
        self._waiting: dict[str | None, dict[bytes, _Waiting]] = {}
        self._due: dict[tuple[str | None, bytes], float] = {}
        """Since when who waits, in this order: so the first one is due first."""
        self._transfers: dict[str, dict[bytes, _Transfer]] = {}
        self._unsent = Unsent()
        self._held: set[str] = set()
        """Tables of which somebody is not sent the news that there are, for lack of credit."""
        self._retry_at = 0.0
        self._look_at = 0.0
        self._public: dict[str, _Public] = {}
        self._refused = 0

    def add(self, table: TableState, now: float) -> None:
        """Serve a table."""
        self.tables[table.name] = table
        if table.is_mortal:
            self._mortal[table.name] = table
        self._version += 1
        table.wanted = True
        self.news(table.name, now)
        self._answer_catalogue(now)

    def remove(self, name: str, now: float) -> list[bytes]:
        """Stop serving a table; its viewers get the last frame and are told that it ended.

        Returns:
            The topics of its viewers.
        """
        shares, self._shares = self._shares, False  # the memory may be gone before it is read
        # Nothing is left for later: who waits is answered now, or never.
        prepare, self._prepare = self._prepare, None
        self.news(name, now)
        self._shares, self._prepare = shares, prepare
        table = self.tables.pop(name)
        self._mortal.pop(name, None)
        self._version += 1
        waiting = dict(self._waiting.get(name, {}))
        # Who is painting just now waits for nothing: it is told under its last want's number.
        numbers = {
            topic: one.answered[name]
            for topic, one in self._listeners.items()
            if name in one.answered
        } | {topic: one.want.number for topic, one in waiting.items()}
        for topic, number in numbers.items():
            listener = self._listeners[topic]
            has_it = listener.has.get(name) == table.shown
            if topic not in waiting and (name in listener.by_memory or not has_it):
                self._send_last(Want(number, topic, name), table, now)
            note, failure = table.body_note, table.failed
            header = Header("end", name, number, table.shown, note=note, failure=failure)
            self._send([topic, header.encode()])
        for topic in waiting:
            self._stop_waiting(name, topic)
        self._public.pop(name, None)
        self._held.discard(name)
        for topic in list(self._transfers.get(name, ())):
            self._give_up(name, topic)
        for listener in self._listeners.values():
            listener.failure_told.discard(name)
            listener.by_memory.discard(name)
            listener.has.pop(name, None)
            listener.answered.pop(name, None)  # the rest will never come: it may ask again
        self._answer_catalogue(now)
        return list(numbers)

    def put_in_place(self, table: TableState, old: TableState, now: float) -> None:
        """Serve a table in the place of one of the same name; its viewers go on with it."""
        if self.tables.get(old.name) is old:
            del self.tables[old.name]
            self._mortal.pop(old.name, None)
        self.add(table, now)

    @property
    def looked_at(self) -> set[str]:
        """The tables that somebody has been sent, or waits for."""
        names = {name for one in self._listeners.values() for name in one.answered}
        names.update(self._waiting, self._public)
        return {name for name in names if name is not None and name in self.tables}

    def all_have(self, table: TableState) -> bool:
        """Tell whether all who look at a table have its newest frame, and say so."""
        at, name = table.shown, table.name
        waiting = self._waiting.get(name, {})
        public = self._public.get(name)
        if public is not None and self._has_public(name):
            public.has_room()
            if public.on_their_way or table.has_news(public.position):
                return False
        looking = {topic for topic, one in self._listeners.items() if name in one.answered}
        return all(
            topic in waiting and waiting[topic].want.have == at for topic in looking | set(waiting)
        )

    def received(self, message: bytes, now: float, peer: Peer | None = None) -> None:
        """Take in one upstream message: a subscription, its end, or a want.

        Args:
            message: The message.
            now: The time.
            peer: Whose it is, None if that can't be known.
        """
        if message[:1] == b"\x01":
            self._subscribe(message[1:], peer or self._everybody, now)
        elif message[:1] == b"\x00":
            # Of those that go with a connection ZeroMQ does not say whose they are: see `left`.
            self._unsubscribe(message[1:], peer or self._everybody)
        else:
            try:
                want = Want.decode(message)
            except WireError as error:
                self._refuse("a message from a viewer", str(error))
                return
            self._wanted(want, now, peer or self._everybody)

    def left(self, peer: Peer) -> None:
        """Forget a connection that is gone, and all that it asked for."""
        for topic in list(peer.topics):
            self._unsubscribe(topic, peer)

    def _refuse(self, what: str, why: str) -> None:
        if not self._refused:  # said once: who floods must not fill a log
            _log.warning("%s was ignored: %s", what, why)
        self._refused += 1

    def news(self, name: str, now: float) -> None:
        """Answer who waits for a table that has a new frame, or has ended."""
        table = self.tables.get(name)
        waiting = self._waiting.get(name)
        if table is None:
            return
        if table.note_is_new:
            for listener in self._listeners.values():
                listener.failure_told.discard(name)
        self._held.discard(name)
        for topic, one in list(waiting.items()) if waiting else ():
            if self._answer(table, one.want, now):
                self._stop_waiting(name, topic)
            elif table.is_last(one.want.have) or table.note_is_new:
                self._stop_waiting(name, topic)
                self._answer_idle(name, one.want, now)
        table.note_is_new = False
        self._publish(table, now)
        table.wanted = name in self._waiting or table.name in self._public

    def tick(self, now: float) -> None:
        """Do what is due by now: idle answers and held-back public snapshots."""
        self._peers.send_guests_away(now)
        if self._held and self._retry_at <= now:
            for name in list(self._held):
                self.news(name, now)
        for at, topic in list(self._first_due(now)):
            want = self._waiting[at][topic].want
            self._stop_waiting(at, topic)
            table = None if at is None else self.tables.get(at)
            if at in self._held and table is not None and table.has_news(want.have):
                self._wait(want, now)  # to be told that there is nothing new would be wrong
            elif table is None or not table.is_silent:
                self._answer_idle(at, want, now)
        if (self._unsent or self._transfers) and self._look_at <= now:
            self._look(now)
        for name in list(self._public):
            if name in self.tables:
                self._publish(self.tables[name], now)
        for name, table in self._mortal.items():
            if table.expire(now):
                self.news(name, now)

    def deadline(self, now: float) -> float | None:
        """Return when `tick` has something to do, None if nothing waits."""
        times = [next(iter(self._due.values())) + IDLE_SECONDS] if self._due else []
        if self._held:
            times.append(self._retry_at)
        if self._unsent or self._transfers:
            times.append(max(self._look_at, now))
        if (leaves := self._peers.deadline()) is not None:
            times.append(leaves)
        for name, public in self._public.items():
            table = self.tables.get(name)
            if table and table.has_news(public.position) and self._has_public(name):
                times.append(max(public.next_at, now + 0.01))
        for table in self._mortal.values():
            if (expiry := table.next_expiry) is not None and table.wanted:
                times.append(max(expiry, now + EXPIRY_SECONDS))
        return min(times, default=None)

    # -- wants ----------------------------------------------------------------------------------

    def _wanted(self, want: Want, now: float, peer: Peer) -> None:
        listener = self._listeners.get(want.topic)
        if listener is None or listener.peer is not peer:
            return  # nobody would hear the answer, or one that did not ask
        peer.asked = True
        if peer.guest:
            self._turn_away(want, peer, now)
            return
        transfer = self._transfers.get(want.table or "", {}).get(want.topic)
        goes_on = transfer is not None and transfer.snapshot.position == want.fetching
        if listener.answered.get(want.table) == want.number and not goes_on:
            return
        if want.table is None:
            if want.have == Position(self._epoch, self._version) or not peer.may_get(now):
                self._wait(want, now)
            else:
                self._send_catalogue(want, now)
            return
        listener.by_memory.discard(want.table)
        table = self.tables.get(want.table)
        if table is not None:
            table.expire(now)  # rows whose time is over are nobody's any more
            if table.elsewhere is not None:
                table.elsewhere.on_wanted()
        if table is not None and self._answer(table, want, now):
            return
        if table is None or table.failed is None or want.table in listener.failure_told:
            self._wait(want, now)
        else:
            self._answer_idle(want.table, want, now)

    def _wait(self, want: Want, now: float) -> None:
        listener = self._listeners[want.topic]
        before = self._waiting.get(want.table, {}).get(want.topic)
        if before is None and not self._has_place(listener.peer):
            return
        # A want that is repeated goes on waiting: its idle answer is due when the first one's was.
        since = before.since if before and before.want.number == want.number else now
        if since == now:  # behind those that are due before it
            self._stop_waiting(want.table, want.topic)
        if want.table not in listener.waits:
            listener.waits.add(want.table)
            listener.peer.waiting += 1
        self._waiting.setdefault(want.table, {})[want.topic] = _Waiting(want, since)
        self._due[want.table, want.topic] = since
        table = self.tables.get(want.table) if want.table is not None else None
        if table is not None:
            table.wanted = True
            if table.has_news(want.have) and table.name not in self._held:
                self.news(table.name, now)  # it came after the look that found none

    def _has_place(self, peer: Peer) -> bool:
        """Tell whether one more want of a connection may wait."""
        if peer.fd is None:
            return len(self._due) < MAX_WANTS
        if len(self._due) >= MAX_WANTS:
            self._peers.send_greediest_away(peer, lambda one: one.waiting)
        return len(self._due) < MAX_WANTS and peer.waiting < MOST_WAITING

    def _stop_waiting(self, name: str | None, topic: bytes) -> None:
        if self._due.pop((name, topic), None) is None:
            return
        waiting = self._waiting[name]
        del waiting[topic]
        if not waiting:
            del self._waiting[name]
        listener = self._listeners[topic]
        listener.waits.discard(name)
        listener.peer.waiting -= 1

    def _first_due(self, now: float) -> Iterator[tuple[str | None, bytes]]:
        """Yield who has waited long enough: for which table, and where."""
        for at, since in self._due.items():
            if since + IDLE_SECONDS > now:
                return
            yield at

    def _turn_away(self, want: Want, peer: Peer, now: float) -> None:
        """Tell a viewer for which there is no place so."""
        why = (
            f"this feed has as many viewers as it takes, {self._peers.places}: close one of them, "
            "or raise its process's limit of open files (ulimit -n)"
        )
        kind = "catalogue" if want.table is None else "idle"
        position = Position(self._epoch, 0)
        header = Header(kind, want.table or "", want.number, position, note=why, failure=why)
        self._send([want.topic, header.encode()])
        peer.told = peer.told or now

    def _reply(self, want: Want, header: Header, body: memoryview | None = None) -> Sent:
        listener = self._listeners[want.topic]
        if want.table is None or want.table in self.tables:  # of names there are there is an end
            listener.answered[want.table] = want.number
        message: list[bytes | memoryview] = [want.topic, header.encode()]
        sent = self._send(message if body is None else [*message, body])
        listener.peer.got(sent)
        return sent

    def _send_last(self, want: Want, table: TableState, now: float) -> None:
        """Send the last frame of a table that ends to a viewer that has not asked for it yet."""
        snapshot = table.since(None)
        if snapshot is not None and len(snapshot.body.data) <= WINDOW * PART_BYTES:
            transfer = _Transfer(snapshot, split(snapshot.body.data))
            self._send_parts(transfer, table, want, now)

    def _answer(self, table: TableState, want: Want, now: float) -> bool:
        listener, name = self._listeners[want.topic], table.name
        transfer = self._transfers.get(name, {}).get(want.topic)
        if transfer is not None and transfer.snapshot.position == want.fetching:
            if not listener.peer.may_get(now):
                return self._hold(name, now)
            self._send_parts(transfer, table, want, now)
            if transfer.sent == len(transfer.parts):
                self._give_up(name, want.topic)
            return True
        self._give_up(name, want.topic)
        if not listener.peer.has_credit(name, now):
            return table.has_news(want.have) and self._hold(name, now)
        snapshot = self._admitted(table, want, now, free=listener.peer.fd is None)
        if snapshot is None:
            return False
        listener.has[name] = snapshot.position
        if self._shares and want.memory and snapshot.body.place is not None:
            header = self._header(table, snapshot, now, want.number)
            listener.by_memory.add(name)
            self._reply(want, replace(header, memory=snapshot.body.place))
            return True
        transfer = _Transfer(snapshot, split(snapshot.body.data))
        self._send_parts(transfer, table, want, now)
        if transfer.sent < len(transfer.parts):
            self._transfers.setdefault(name, {})[want.topic] = transfer
            self._unsent.fetched(name, snapshot, 1)
            listener.fetches.add(name)
        return True

    def _hold(self, name: str, now: float) -> bool:
        """Try a table's news again later; they were not sent."""
        if name not in self._held:
            self._held.add(name)
            self._retry_at = now + RETRY_SECONDS
        return False

    def _give_up(self, name: str, topic: bytes) -> None:
        """End a transfer."""
        transfers = self._transfers.get(name, {})
        if (transfer := transfers.pop(topic, None)) is None:
            return
        if not transfers:
            del self._transfers[name]
        self._unsent.fetched(name, transfer.snapshot, -1)
        self._listeners[topic].fetches.discard(name)

    def _admitted(
        self, table: TableState, want: Want, now: float, *, free: bool
    ) -> Snapshot | None:
        """Return what a viewer needs, if there is memory for it to be on its way.

        Else what is on its way to others, if that is newer than what it has.
        """
        if not table.has_news(want.have):
            return None
        if free or (self._shares and want.memory):  # nothing is on its way then, or nobody knows
            snapshot = self._newer(table, want)
            if snapshot is None or free or snapshot.body.place is not None:
                return snapshot
        if self._has_room(table.name, 1, now):
            snapshot = self._newer(table, want)
            if snapshot is None or self._unsent.admits(table.name, snapshot, now):
                return snapshot
            if self._has_room(table.name, len(snapshot.body.data), now):
                return snapshot
        other, have = self._unsent.newest(table.name), want.have
        if other is not None and other.position.epoch == table.epoch:
            is_old = have is not None and have.epoch == table.epoch
            if not is_old or (have is not None and have.seq < other.position.seq):
                return other
        self._hold(table.name, now)
        return None

    def _has_room(self, name: str, size: int, now: float) -> bool:
        """Tell whether there is room for one body more of a table, made if need be.

        It is taken from who fetches the table too often, or not on, and from who does not read.
        """
        if not self._unsent.is_full(name, now, size):
            return True
        transfers = self._transfers.get(name, {})
        by_peer = Counter(self._listeners[topic].peer for topic in transfers)
        greedy = {peer for peer, number in by_peer.most_common(1) if number > 1}
        for topic, one in sorted(transfers.items(), key=lambda item: item[1].moved_at):
            if one.is_given_up(now) or self._listeners[topic].peer in greedy:
                self._give_up(name, topic)
                self._unsent.let_go([name])
                if not self._unsent.is_full(name, now, size):
                    return True
        newest = self._unsent.newest(name)
        if newest is None or now - newest.monotonic >= _FRESH_SECONDS:  # else it will do for others
            self._peers.send_away_who_does_not_read(now)
        return not self._unsent.is_full(name, now, size)

    def _look(self, now: float) -> None:
        """Let go of what nobody needs any more."""
        self._look_at = now + _LOOK_SECONDS
        self._peers.look(now)
        for name, transfers in list(self._transfers.items()):
            for topic in [at for at, one in transfers.items() if one.is_given_up(now)]:
                self._give_up(name, topic)
        self._unsent.let_go()

    def _newer(self, table: TableState, want: Want) -> Snapshot | None:
        """Return what a viewer needs, None if it has it, or if that is being encoded."""
        if self._prepare is None or not table.is_slow:
            return table.since(want.have, deltas=want.deltas)
        if not table.has_news(want.have):
            return None
        made = table.prepared_for(want.have, deltas=want.deltas)
        if made is None:
            self._prepare(table, want.have, want.deltas)
        return made

    def _whole_since(self, table: TableState, have: Position | None) -> Snapshot | None:
        """Return the whole table for plain subscribers, None as `_newer` does."""
        if self._prepare is None or not table.is_slow:
            return table.since(have)
        if not table.has_news(have):
            return None
        made = table.prepared_for(have, deltas=False)
        if made is None:
            self._prepare(table, have, False)
        return made

    def _send_parts(self, transfer: _Transfer, table: TableState, want: Want, now: float) -> None:
        known = want.part if want.fetching == transfer.snapshot.position else 0
        until = min(len(transfer.parts), known + WINDOW)
        if known > transfer.known or not transfer.sent:
            transfer.known, transfer.moved_at = known, now
        for part in range(transfer.sent, until):
            header = self._header(
                table, transfer.snapshot, now, want.number, part, len(transfer.parts)
            )
            transfer.last = self._reply(want, header, transfer.parts[part])
            if self._listeners[want.topic].peer.fd is not None:
                self._unsent.add(table.name, transfer.snapshot, transfer.last)
        if transfer.last is not None:
            self._listeners[want.topic].peer.got_body(table.name, transfer.last)
        transfer.sent = max(transfer.sent, until)

    def _header(
        self,
        table: TableState,
        snapshot: Snapshot,
        now: float,
        want: int | None = None,
        part: int = 0,
        parts: int = 1,
    ) -> Header:
        body = snapshot.body
        return Header(
            "snapshot" if snapshot.since is None else "delta",
            table.name,
            want,
            snapshot.position,
            age=max(0.0, now - snapshot.monotonic),
            time=snapshot.time,
            rate=table.rate(now),
            rows=body.rows,
            columns=body.columns,
            size=len(body.data),
            part=part,
            parts=parts,
            key=table.key,
            note=table.body_note,
            failure=table.failed,
            source=table.source_of(snapshot),
            since=snapshot.since,
            gone=snapshot.gone,
            ended=table.is_last(snapshot.position),
            silent=table.is_silent,
        )

    def _answer_idle(self, name: str | None, want: Want, now: float) -> None:
        if name is None:
            self._send_catalogue(want, now)
            return
        table = self.tables.get(name)
        if table is None:
            header = Header("absent", name, want.number)
        else:
            if table.failed is not None:
                self._listeners[want.topic].failure_told.add(name)
            header = Header(
                "idle",
                name,
                want.number,
                table.shown,
                age=table.age(now),
                rate=table.rate(now),
                note=table.body_note,
                failure=table.failed,
                source=table.source_of(want.have),
                ended=table.is_last(want.have),
                silent=table.is_silent,
            )
        self._reply(want, header)

    # -- catalogue ------------------------------------------------------------------------------

    def _answer_catalogue(self, now: float) -> None:
        for topic, waiting in list(self._waiting.get(None, {}).items()):
            self._stop_waiting(None, topic)
            self._send_catalogue(waiting.want, now)

    def _send_catalogue(self, want: Want, now: float) -> None:
        header = Header(
            "catalogue",
            want=want.number,
            position=Position(self._epoch, self._version),
            tables=tuple(self._describe(table, now) for table in self.tables.values()),
        )
        self._reply(want, header)

    # -- subscriptions --------------------------------------------------------------------------

    def _subscribe(self, topic: bytes, peer: Peer, now: float) -> None:
        holders = self._holders.get(topic)
        is_new = holders is None or peer not in holders
        if len(topic) > MAX_NAME or (is_new and not self._has_topic_for(peer, topic)):
            self._refuse("a subscription", "it is longer than any table's name, or one too many")
            return
        if is_new or peer.fd is None:
            self._holders.setdefault(topic, []).append(peer)
            peer.topics.add(topic)
        if topic.startswith(_PRIVATE):
            if topic not in self._listeners:
                self._listeners[topic] = _Listener(peer)
        else:
            self._public_topics.add(topic)
            self._subscribed(topic, now)

    def _has_topic_for(self, peer: Peer, topic: bytes) -> bool:
        """Tell whether a connection may listen to one more topic."""
        if peer.fd is not None and len(self._holders) >= MAX_TOPICS:
            self._peers.send_greediest_away(peer, lambda one: len(one.topics))
        if len(self._holders) >= MAX_TOPICS and topic not in self._holders:
            return False
        if peer.fd is None:
            return True
        private = sum(one.startswith(_PRIVATE) for one in peer.topics)
        most = MOST_PRIVATE if topic.startswith(_PRIVATE) else MOST_TOPICS
        return len(peer.topics) < MOST_TOPICS and (most != MOST_PRIVATE or private < most)

    def _unsubscribe(self, topic: bytes, peer: Peer) -> None:
        holders = self._holders.get(topic, [])
        if peer not in holders:
            return  # another one's, which is not its to end
        was_owner = holders[0] is peer
        holders.remove(peer)
        if peer not in holders:
            peer.topics.discard(topic)
        if was_owner and topic in self._listeners and (not holders or holders[0] is not peer):
            self._left(topic)
            if holders:
                self._listeners[topic] = _Listener(holders[0])
        if not holders:
            del self._holders[topic]
            self._public_topics.discard(topic)

    def _left(self, topic: bytes) -> None:
        listener = self._listeners[topic]
        for name in tuple(listener.waits):
            self._stop_waiting(name, topic)
        for table in tuple(listener.fetches):
            self._give_up(table, topic)
        del self._listeners[topic]

    def _subscribed(self, topic: bytes, now: float) -> None:
        for name, table in self.tables.items():
            if name.encode().startswith(topic):
                # A newcomer has nothing: who is there already gets the same once more.
                self._public.setdefault(name, _Public()).position = None
                table.wanted = True
                self._publish(table, now)

    def _has_public(self, name: str) -> bool:
        encoded = name.encode()
        return any(encoded.startswith(topic) for topic in self._public_topics)

    def _publish(self, table: TableState, now: float) -> None:
        if not self._has_public(table.name):
            self._public.pop(table.name, None)
            return
        public = self._public.setdefault(table.name, _Public())
        if now < public.next_at:
            return
        if not public.has_room():
            self._peers.send_away_who_does_not_read(now)
            return
        if (snapshot := self._whole_since(table, public.position)) is None:
            return
        header = self._header(table, snapshot, now)
        frames: list[bytes | memoryview] = [table.name.encode(), header.encode()]
        frames += split(snapshot.body.data)
        sent = self._send(frames)
        if len(self._peers):
            self._unsent.add(table.name, snapshot, sent)
        public.on_their_way.append((sent, len(snapshot.body.data)))
        public.position = snapshot.position
        public.next_at = now + PUBLIC_SECONDS
