"""The tables of an endpoint, and the messages that answer its viewers' requests (`Want`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import (
    PART_BYTES,
    WINDOW,
    Header,
    Position,
    Want,
    new_epoch,
    split,
)
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.admission import Admission
from livetable.feed.server.peer import Peer, Send, Sent
from livetable.feed.server.table_state import TableState
from livetable.feed.server.viewers import Session, Transfer


class Catalogue:
    """The list of the tables of one endpoint, with a version.

    Args:
        describe: Returns a table's entry in the list.
    """

    def __init__(self, describe: Callable[[TableState, float], TableInfo]) -> None:
        self.tables: dict[str, TableState] = {}
        self.mortal: dict[str, TableState] = {}
        """The tables whose rows expire (`ttl=`)."""
        self._describe = describe
        self._epoch = new_epoch()
        self._version = 1

    @property
    def position(self) -> Position:
        """Epoch and version of the current list."""
        return Position(self._epoch, self._version)

    @property
    def beginning(self) -> Position:
        """The position of a viewer that was sent nothing yet."""
        return Position(self._epoch, 0)

    def add(self, table: TableState) -> None:
        """Add a table. It replaces a table of the same name."""
        self.tables[table.name] = table
        if table.rows.is_mortal:
            self.mortal[table.name] = table
        self._version += 1

    def remove(self, name: str) -> TableState:
        """Remove a table and return it."""
        table = self.tables.pop(name)
        self.mortal.pop(name, None)
        self._version += 1
        return table

    def make_place(self, table: TableState) -> None:
        """Remove a table that is replaced at once, unless it was removed already."""
        if self.tables.get(table.name) is table:
            del self.tables[table.name]
            self.mortal.pop(table.name, None)

    def header(self, number: int, now: float) -> Header:
        """Return the message with the list."""
        return Header(
            "catalogue",
            want=number,
            position=self.position,
            tables=tuple(self._describe(table, now) for table in self.tables.values()),
        )


def body_header(
    table: TableState,
    snapshot: Snapshot,
    now: float,
    want: int | None = None,
    part: int = 0,
    parts: int = 1,
) -> Header:
    """Return the header of a body, or of a part of one."""
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


def idle_header(table: TableState, want: Want, now: float) -> Header:
    """Return the header that tells a viewer that there is nothing new."""
    return Header(
        "idle",
        table.name,
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


def end_header(table: TableState, number: int) -> Header:
    """Return the header that tells a viewer that a table is no longer served."""
    return Header(
        "end", table.name, number, table.shown, note=table.body_note, failure=table.failed
    )


class Answers:
    """Answers the viewers of one endpoint.

    Args:
        send: Sends a message.
        catalogue: The tables.
        admission: Decides which bodies may be sent now.
    """

    def __init__(self, send: Send, catalogue: Catalogue, admission: Admission) -> None:
        self._send = send
        self._catalogue = catalogue
        self._admission = admission

    def answer(self, session: Session, table: TableState, want: Want, now: float) -> bool:
        """Send what a viewer lacks of a table. Return whether anything was sent."""
        name, peer, admission = table.name, session.viewer.peer, self._admission
        transfer = session.transfer
        if transfer is not None and session.is_fetching(want):
            if not peer.may_get(now):
                admission.hold(name, now)
                return False
            self._send_parts(session, transfer, table, want, now)
            if transfer.sent == len(transfer.parts):
                admission.give_up(session)
            return True
        admission.give_up(session)
        if not peer.has_credit(name, now):
            if table.has_news(want.have):
                admission.hold(name, now)
            return False
        snapshot = admission.admitted(table, want, now, free=peer.fd is None)
        if snapshot is None:
            return False
        session.has = snapshot.position
        if admission.by_memory(snapshot, want):
            header = body_header(table, snapshot, now, want.number)
            session.by_memory = True
            self._reply(session, want, replace(header, memory=snapshot.body.place))
            return True
        transfer = Transfer(snapshot, split(snapshot.body.data))
        self._send_parts(session, transfer, table, want, now)
        if transfer.sent < len(transfer.parts):
            admission.begin(session, name, transfer)
        return True

    def idle(self, session: Session, want: Want, now: float) -> None:
        """Answer that there is nothing new. A viewer of the catalogue gets the catalogue again."""
        if session.table is None:
            self.catalogue(session, want, now)
            return
        table = self._catalogue.tables.get(session.table)
        if table is None:
            header = Header("absent", session.table, want.number)
        else:
            if table.failed is not None:
                session.failure_told = True
            header = idle_header(table, want, now)
        self._reply(session, want, header)

    def catalogue(self, session: Session, want: Want, now: float) -> None:
        """Send the list of tables."""
        self._reply(session, want, self._catalogue.header(want.number, now))

    def end(self, session: Session, table: TableState, now: float) -> None:
        """Tell a viewer that a table ended. Send it the last frame first if it lacks it."""
        topic, name, want = session.viewer.topic, table.name, session.wait
        # A viewer that is painting has no open request: reuse the number of the last one.
        number = want.number if want is not None else session.answered or 0
        if want is None and (session.by_memory or session.has != table.shown):
            snapshot = table.since(None)
            if snapshot is not None and len(snapshot.body.data) <= WINDOW * PART_BYTES:
                transfer = Transfer(snapshot, split(snapshot.body.data))
                self._send_parts(session, transfer, table, Want(number, topic, name), now)
        self._send([topic, end_header(table, number).encode()])

    def turn_away(self, want: Want, peer: Peer, places: int, now: float) -> None:
        """Tell a viewer that this feed takes no more viewers."""
        why = (
            f"this feed already has {places} viewers, its limit: close one of them, "
            "or raise its process's limit of open files (ulimit -n)"
        )
        kind = "catalogue" if want.table is None else "idle"
        position = self._catalogue.beginning
        header = Header(kind, want.table or "", want.number, position, note=why, failure=why)
        self._send([want.topic, header.encode()])
        peer.told = peer.told or now

    def _reply(
        self, session: Session, want: Want, header: Header, body: memoryview | None = None
    ) -> Sent:
        name = session.table
        # Keep a number for tables that exist only: viewers can make up any number of names.
        if name is None or name in self._catalogue.tables:
            session.answered = want.number
        message: list[bytes | memoryview] = [want.topic, header.encode()]
        sent = self._send(message if body is None else [*message, body])
        session.viewer.peer.got(sent)
        return sent

    def _send_parts(
        self, session: Session, transfer: Transfer, table: TableState, want: Want, now: float
    ) -> None:
        peer, snapshot = session.viewer.peer, transfer.snapshot
        known = want.part if want.fetching == snapshot.position else 0
        until = min(len(transfer.parts), known + WINDOW)
        if known > transfer.known or not transfer.sent:
            transfer.known, transfer.moved_at = known, now
        for part in range(transfer.sent, until):
            header = body_header(table, snapshot, now, want.number, part, len(transfer.parts))
            transfer.last = self._reply(session, want, header, transfer.parts[part])
            if peer.fd is not None:
                self._admission.unsent.add(table.name, snapshot, transfer.last)
        if transfer.last is not None:
            peer.got_body(table.name, transfer.last)
        transfer.sent = max(transfer.sent, until)
