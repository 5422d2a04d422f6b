"""What one endpoint of a feed answers, and when. No sockets: it is given a way to send.

One rule: a want is answered at once if there is news, else when there is; after a second without,
with `idle`. So each viewer has at most one answer (or `WINDOW` parts of one) on its way to it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from livetable.feed.errors import WireError
from livetable.feed.state import Snapshot, TableState
from livetable.feed.wire import (
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

PUBLIC_SECONDS: Final = 0.25
"""Plain subscribers get a table's snapshots at most this often."""

PUBLIC_BYTES: Final = 64 << 20
"""While this much of a table is on its way to plain subscribers, newer snapshots are skipped."""

MAX_WANTS: Final = 10_000
"""Wants that wait at one endpoint; more are refused by silence."""

MAX_TOPICS: Final = 20_000
"""Topics that viewers of one endpoint are subscribed to; more are refused by silence."""

EXPIRY_SECONDS: Final = 0.05
"""Rows whose time is over go together, this often at most."""

Frames = Sequence[bytes | memoryview]
_log = logging.getLogger("livetable.feed")


class Sent(Protocol):
    """A message on its way."""

    @property
    def done(self) -> bool:
        """Whether no peer needs it any more."""
        ...


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
    """

    def __init__(
        self,
        send: Callable[[Frames], Sent],
        describe: Callable[[TableState, float], TableInfo],
        prepare: Callable[[TableState, Position | None, bool], None] | None = None,
        *,
        shares: bool = False,
    ) -> None:
        self._prepare = prepare
        self._shares = shares
        self.tables: dict[str, TableState] = {}
        self._mortal: dict[str, TableState] = {}  # of these, those whose rows go by themselves
        self._send = send
        self._describe = describe
        self._epoch = new_epoch()
        self._version = 1
        self._subscriptions: Counter[bytes] = Counter()
        self._waiting: dict[str | None, dict[bytes, _Waiting]] = {}
        self._transfers: dict[tuple[bytes, str], _Transfer] = {}
        self._answered: dict[bytes, dict[str | None, int]] = {}
        """Numbers of the wants last answered: a repeated one has its answer on its way."""
        self._has: dict[bytes, dict[str, Position]] = {}
        """What viewers were sent last."""
        self._failure_told: set[tuple[bytes, str]] = set()
        """Who knows of which table's failure: told at each want, it would be asked for ever."""
        self._by_memory: set[tuple[bytes, str]] = set()
        """Who was told where a table is, and did not say yet that it was read."""
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
        waiting = self._waiting.pop(name, {})
        # Who is painting just now waits for nothing: it is told under its last want's number.
        numbers = {
            topic: answered[name] for topic, answered in self._answered.items() if name in answered
        } | {topic: one.want.number for topic, one in waiting.items()}
        for topic, number in numbers.items():
            unread = (topic, name) in self._by_memory
            has_it = self._has.get(topic, {}).get(name) == table.shown
            if topic not in waiting and (unread or not has_it):
                self._send_last(Want(number, topic, name), table, now)
            self._by_memory.discard((topic, name))
            note, failure = table.body_note, table.failed
            header = Header("end", name, number, table.shown, note=note, failure=failure)
            self._send([topic, header.encode()])
        self._public.pop(name, None)
        self._failure_told = {one for one in self._failure_told if one[1] != name}
        for at in [at for at in self._transfers if at[1] == name]:
            del self._transfers[at]
        for had in self._has.values():
            had.pop(name, None)
        for answered in self._answered.values():
            answered.pop(name, None)  # the rest of a transfer will never come: it may ask again
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
        names = {name for numbers in self._answered.values() for name in numbers}
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
        looking = {topic for topic, numbers in self._answered.items() if name in numbers}
        return all(
            topic in waiting and waiting[topic].want.have == at for topic in looking | set(waiting)
        )

    def received(self, message: bytes, now: float) -> None:
        """Take in one upstream message: a subscription, its end, or a want."""
        if message[:1] == b"\x01":
            topic = message[1:]
            if len(topic) > MAX_NAME or len(self._subscriptions) >= MAX_TOPICS:
                self._refuse(
                    "a subscription", "it is longer than any table's name, or one too many"
                )
                return
            self._subscriptions[topic] += 1
            self._subscribed(topic, now)
        elif message[:1] == b"\x00":
            topic = message[1:]
            self._subscriptions[topic] -= 1
            if self._subscriptions[topic] <= 0:
                del self._subscriptions[topic]
                self._left(topic)
        else:
            try:
                want = Want.decode(message)
            except WireError as error:
                self._refuse("a message from a viewer", str(error))
                return
            self._wanted(want, now)

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
            self._failure_told = {one for one in self._failure_told if one[1] != name}
        for topic, one in list(waiting.items()) if waiting else ():
            if waiting is not None and self._answer(table, one.want, now):
                del waiting[topic]
            elif waiting is not None and (table.is_last(one.want.have) or table.note_is_new):
                del waiting[topic]
                self._answer_idle(name, one.want, now)
        table.note_is_new = False
        self._publish(table, now)
        table.wanted = bool(waiting) or table.name in self._public

    def tick(self, now: float) -> None:
        """Do what is due by now: idle answers and held-back public snapshots."""
        for name, waiting in list(self._waiting.items()):
            for topic, one in list(waiting.items()):
                if one.since + IDLE_SECONDS <= now:
                    del waiting[topic]
                    table = None if name is None else self.tables.get(name)
                    if table is None or not table.silent:
                        self._answer_idle(name, one.want, now)
            if not waiting:
                del self._waiting[name]
        for name in list(self._public):
            if name in self.tables:
                self._publish(self.tables[name], now)
        for name, table in self._mortal.items():
            if table.expire(now):
                self.news(name, now)

    def deadline(self, now: float) -> float | None:
        """Return when `tick` has something to do, None if nothing waits."""
        times = [
            one.since + IDLE_SECONDS
            for waiting in self._waiting.values()
            for one in waiting.values()
        ]
        for name, public in self._public.items():
            table = self.tables.get(name)
            if table and table.has_news(public.position) and self._has_public(name):
                times.append(max(public.next_at, now + 0.01))
        for table in self._mortal.values():
            if (expiry := table.next_expiry) is not None and table.wanted:
                times.append(max(expiry, now + EXPIRY_SECONDS))
        return min(times, default=None)

    # -- wants ----------------------------------------------------------------------------------

    def _wanted(self, want: Want, now: float) -> None:
        if want.topic not in self._subscriptions:
            return  # nobody would hear the answer
        transfer = self._transfers.get((want.topic, want.table or ""))
        goes_on = transfer is not None and transfer.snapshot.position == want.fetching
        if self._answered.get(want.topic, {}).get(want.table) == want.number and not goes_on:
            return
        if want.table is None:
            if want.have == Position(self._epoch, self._version):
                self._wait(want, now)
            else:
                self._send_catalogue(want, now)
            return
        self._by_memory.discard((want.topic, want.table))
        table = self.tables.get(want.table)
        if table is not None:
            table.expire(now)  # rows whose time is over are nobody's any more
            if table.on_wanted is not None:
                table.on_wanted()
        if table is not None and self._answer(table, want, now):
            return
        if table is None or table.failed is None or (want.topic, want.table) in self._failure_told:
            self._wait(want, now)
        else:
            self._answer_idle(want.table, want, now)

    def _wait(self, want: Want, now: float) -> None:
        waiting = self._waiting.setdefault(want.table, {})
        if want.topic not in waiting and sum(map(len, self._waiting.values())) >= MAX_WANTS:
            return
        before = waiting.get(want.topic)
        # A want that is repeated goes on waiting: its idle answer is due when the first one's was.
        same = before is not None and before.want.number == want.number
        waiting[want.topic] = _Waiting(want, before.since if before and same else now)
        table = self.tables.get(want.table) if want.table is not None else None
        if table is not None:
            table.wanted = True
            if table.has_news(want.have):  # it came after the look that found none
                self.news(table.name, now)

    def _reply(self, want: Want, header: Header, body: memoryview | None = None) -> None:
        if want.table is None or want.table in self.tables:  # of names there are there is an end
            self._answered.setdefault(want.topic, {})[want.table] = want.number
        message: list[bytes | memoryview] = [want.topic, header.encode()]
        self._send(message if body is None else [*message, body])

    def _send_last(self, want: Want, table: TableState, now: float) -> None:
        """Send the last frame of a table that ends to a viewer that has not asked for it yet."""
        snapshot = table.since(None)
        if snapshot is not None and len(snapshot.body.data) <= WINDOW * PART_BYTES:
            transfer = _Transfer(snapshot, split(snapshot.body.data))
            self._send_parts(transfer, table, want, now)

    def _answer(self, table: TableState, want: Want, now: float) -> bool:
        at = (want.topic, table.name)
        transfer = self._transfers.get(at)
        if transfer is not None and transfer.snapshot.position == want.fetching:
            self._send_parts(transfer, table, want, now)
            if transfer.sent == len(transfer.parts):
                del self._transfers[at]
            return True
        self._transfers.pop(at, None)
        if (snapshot := self._newer(table, want)) is None:
            return False
        self._has.setdefault(want.topic, {})[table.name] = snapshot.position
        if self._shares and want.memory and snapshot.body.place is not None:
            header = self._header(table, snapshot, now, want.number)
            self._by_memory.add((want.topic, table.name))
            self._reply(want, replace(header, memory=snapshot.body.place))
            return True
        transfer = _Transfer(snapshot, split(snapshot.body.data))
        self._send_parts(transfer, table, want, now)
        if transfer.sent < len(transfer.parts):
            self._transfers[at] = transfer
        return True

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
        for part in range(transfer.sent, until):
            header = self._header(
                table, transfer.snapshot, now, want.number, part, len(transfer.parts)
            )
            self._reply(want, header, transfer.parts[part])
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
                self._failure_told.add((want.topic, name))
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
            )
        self._reply(want, header)

    # -- catalogue ------------------------------------------------------------------------------

    def _answer_catalogue(self, now: float) -> None:
        for waiting in self._waiting.pop(None, {}).values():
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

    def _left(self, topic: bytes) -> None:
        self._answered.pop(topic, None)
        self._has.pop(topic, None)
        self._by_memory = {one for one in self._by_memory if one[0] != topic}
        self._failure_told = {one for one in self._failure_told if one[0] != topic}
        for waiting in self._waiting.values():
            waiting.pop(topic, None)
        for at in [at for at in self._transfers if at[0] == topic]:
            del self._transfers[at]

    def _subscribed(self, topic: bytes, now: float) -> None:
        if topic.startswith(b"@"):
            return
        for name, table in self.tables.items():
            if name.encode().startswith(topic):
                # A newcomer has nothing: who is there already gets the same once more.
                self._public.setdefault(name, _Public()).position = None
                table.wanted = True
                self._publish(table, now)

    def _has_public(self, name: str) -> bool:
        encoded = name.encode()
        return any(
            encoded.startswith(topic) for topic in self._subscriptions if not topic.startswith(b"@")
        )

    def _publish(self, table: TableState, now: float) -> None:
        if not self._has_public(table.name):
            self._public.pop(table.name, None)
            return
        public = self._public.setdefault(table.name, _Public())
        if now < public.next_at or not public.has_room():
            return
        if (snapshot := self._whole_since(table, public.position)) is None:
            return
        header = self._header(table, snapshot, now)
        frames: list[bytes | memoryview] = [table.name.encode(), header.encode()]
        frames += split(snapshot.body.data)
        public.on_their_way.append((self._send(frames), len(snapshot.body.data)))
        public.position = snapshot.position
        public.next_at = now + PUBLIC_SECONDS
