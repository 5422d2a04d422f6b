"""Decides what one endpoint of a feed answers, and when. No sockets: it is given a `send` function.

One rule: a request (`Want`) is answered as soon as there is news, or with `idle` after a second
without. So each viewer has at most one answer (or `WINDOW` parts of one) on its way to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from livetable.feed.errors import WireError
from livetable.feed.protocol.messages import Want
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.admission import Admission, Prepare
from livetable.feed.server.answers import Answers, Catalogue
from livetable.feed.server.peer import Peer, Send
from livetable.feed.server.peers import Peers
from livetable.feed.server.plain_subscribers import PlainSubscribers
from livetable.feed.server.table_state import TableState
from livetable.feed.server.viewers import Session, Subscriptions, Viewer, Waiting, is_private

EXPIRY_SECONDS: Final = 0.05
"""Expired rows are removed together, at most this often."""

_log = logging.getLogger("livetable.feed")


class Serving:
    """The tables of one endpoint and the viewers that look at them.

    Args:
        send: Sends one multipart message. What it returns tells when the message was sent.
        describe: Returns a table's entry in the catalogue.
        prepare: Encodes a large table in a side thread, and then calls `news` for it. None: encode
            all tables here.
        shares: Whether viewers may read bodies from this process's memory.
        peers: The connections of the viewers.
    """

    def __init__(
        self,
        send: Send,
        describe: Callable[[TableState, float], TableInfo],
        prepare: Prepare | None = None,
        *,
        shares: bool = False,
        peers: Peers | None = None,
    ) -> None:
        self._peers = Peers() if peers is None else peers
        self._everybody = Peer()
        """Stands for the sender of a message whose connection is unknown."""
        self._catalogue = Catalogue(describe)
        self.tables = self._catalogue.tables
        self._viewers: dict[bytes, Viewer] = {}
        """The viewers, by their private topic. Only the topic's owner may ask for answers on it."""
        self._subscriptions = Subscriptions(self._peers)
        self._waiting = Waiting(self._peers)
        self._admission = Admission(self._peers, prepare, shares=shares)
        self._answers = Answers(send, self._catalogue, self._admission)
        self._plain = PlainSubscribers(send, self._peers, self._admission)
        self._refused = 0

    # -- tables ------------------------------------------------------------------------------------

    def add(self, table: TableState, now: float) -> None:
        """Serve a table."""
        self._catalogue.add(table)
        table.wanted = True
        self.news(table.name, now)
        self._answer_catalogue(now)

    def remove(self, name: str, now: float) -> list[bytes]:
        """Stop serving a table. Send its viewers the last frame, and tell them that it ended.

        Returns:
            The topics of its viewers.
        """
        with self._admission.at_once():  # nothing can be sent later: the table is removed
            self.news(name, now)
        table = self._catalogue.remove(name)
        topics = []
        for session in self._sessions(name):
            if session.is_looked_at:
                topics.append(session.viewer.topic)
                self._answers.end(session, table, now)
            self._forget(session)
        self._plain.forget(name)
        self._admission.release(name)
        self._answer_catalogue(now)
        return topics

    def remove_all(self, now: float) -> None:
        """Stop serving all tables."""
        for name in list(self.tables):
            self.remove(name, now)

    def put_in_place(self, table: TableState, old: TableState, now: float) -> None:
        """Replace a table by one of the same name. Its viewers are switched to the new one."""
        self._catalogue.make_place(old)
        self.add(table, now)

    @property
    def looked_at(self) -> set[str]:
        """The names of the tables that somebody was sent or waits for."""
        sessions = [pair for one in self._viewers.values() for pair in one.sessions.items()]
        names = {name for name, session in sessions if session.is_looked_at}
        names.update(self._plain.tables)
        return {name for name in names if name is not None and name in self.tables}

    def all_have(self, table: TableState) -> bool:
        """Tell whether all viewers of a table have confirmed its newest frame."""
        newest = table.shown
        return self._plain.have(table) and all(
            one.wait is not None and one.wait.have == newest
            for one in self._sessions(table.name)
            if one.is_looked_at
        )

    def news(self, name: str, now: float) -> None:
        """Answer the viewers that wait for a table, because it has a new frame or has ended."""
        table = self.tables.get(name)
        if table is None:
            return
        if table.note_is_new:
            for session in self._sessions(name):
                session.failure_told = False
        self._admission.release(name)
        for session, want in self._waiting.of(name):
            if self._answers.answer(session, table, want, now):
                self._waiting.stop(session)
            elif table.is_last(want.have) or table.note_is_new:
                self._waiting.stop(session)
                self._answers.idle(session, want, now)
        table.note_is_new = False
        self._plain.publish(table, now)
        table.wanted = name in self._waiting or name in self._plain.tables

    # -- time --------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Do what is due: idle answers, held-back frames, and the removal of expired rows."""
        self._peers.send_guests_away(now)
        for name in self._admission.to_retry(now):
            self.news(name, now)
        for session, want in self._waiting.due(now):
            self._waiting.stop(session)
            table = None if session.table is None else self.tables.get(session.table)
            is_held = self._admission.is_held(session.table)
            if is_held and table is not None and table.has_news(want.have):
                # Keep waiting: "idle" would be wrong, as there is news that could not be sent yet.
                self._wait(session, want, now)
            elif table is None or not table.is_silent:
                self._answers.idle(session, want, now)
            self._forget_absent(session)
        self._admission.look(now)
        for name in list(self._plain.tables):
            if name in self.tables:
                self._plain.publish(self.tables[name], now)
        for name, table in self._catalogue.mortal.items():
            if table.expire(now):
                self.news(name, now)

    def deadline(self, now: float) -> float | None:
        """Return when `tick` has something to do, None if nothing waits."""
        times = self._admission.deadlines(now) + self._plain.deadlines(self.tables, now)
        if (idle := self._waiting.deadline) is not None:
            times.append(idle)
        if (leaves := self._peers.deadline()) is not None:
            times.append(leaves)
        for table in self._catalogue.mortal.values():
            if (expiry := table.rows.next_expiry) is not None and table.wanted:
                times.append(max(expiry, now + EXPIRY_SECONDS))
        return min(times, default=None)

    # -- what viewers say --------------------------------------------------------------------------

    def received(self, message: bytes, now: float, peer: Peer | None = None) -> None:
        """Handle one message from a viewer: subscribe, unsubscribe, or a request (`Want`).

        Args:
            message: The message.
            now: The time.
            peer: The connection that sent it, None if unknown.
        """
        if message[:1] == b"\x01":
            self._subscribe(message[1:], peer or self._everybody, now)
        elif message[:1] == b"\x00":
            # ZeroMQ does not tell whose subscriptions end with a connection: `left` ends them.
            self._unsubscribe(message[1:], peer or self._everybody)
        else:
            try:
                want = Want.decode(message)
            except WireError as error:
                self._refuse("a message from a viewer", str(error))
                return
            self._wanted(want, now, peer or self._everybody)

    def left(self, peer: Peer) -> None:
        """Forget a closed connection and all its subscriptions and requests."""
        for topic in list(peer.topics):
            self._unsubscribe(topic, peer)

    def _refuse(self, what: str, why: str) -> None:
        if not self._refused:  # logged once: a flood must not fill the log
            _log.warning("ignored %s: %s", what, why)
        self._refused += 1

    def _subscribe(self, topic: bytes, peer: Peer, now: float) -> None:
        if not self._subscriptions.add(topic, peer):
            self._refuse(
                "a subscription", "its topic is too long, or the viewer has too many subscriptions"
            )
        elif not is_private(topic):
            self._plain.subscribe(topic, self.tables, now)
        elif topic not in self._viewers:
            self._viewers[topic] = Viewer(topic, peer)

    def _unsubscribe(self, topic: bytes, peer: Peer) -> None:
        if not self._subscriptions.remove(topic, peer):
            return
        owner, viewer = self._subscriptions.owner(topic), self._viewers.get(topic)
        if viewer is not None and viewer.peer is not owner:
            del self._viewers[topic]
            for session in list(viewer.sessions.values()):
                self._forget(session)
            if owner is not None:
                self._viewers[topic] = Viewer(topic, owner)
        if owner is None:
            self._plain.unsubscribe(topic)

    # -- wants -------------------------------------------------------------------------------------

    def _wanted(self, want: Want, now: float, peer: Peer) -> None:
        viewer = self._viewers.get(want.topic)
        if viewer is None or viewer.peer is not peer:
            return  # nobody subscribed to the topic, or another connection owns it
        peer.asked = True
        if peer.guest:
            self._answers.turn_away(want, peer, self._peers.places, now)
            return
        session = viewer.session(want.table)
        if session.answered == want.number and not session.is_fetching(want):
            return
        if want.table is None:
            if want.have == self._catalogue.position or not peer.may_get(now):
                self._wait(session, want, now)
            else:
                self._answers.catalogue(session, want, now)
            return
        session.by_memory = False
        table = self.tables.get(want.table)
        if table is not None:
            table.expire(now)  # before answering: nobody may get expired rows
            if table.elsewhere is not None:
                table.elsewhere.on_wanted()
        if table is not None and self._answers.answer(session, table, want, now):
            return
        if table is None or table.failed is None or session.failure_told:
            self._wait(session, want, now)
        else:
            self._answers.idle(session, want, now)
        self._forget_absent(session)

    def _wait(self, session: Session, want: Want, now: float) -> None:
        if session.wait is None and not self._waiting.has_place(session.viewer.peer):
            return
        self._waiting.add(session, want, now)
        table = self.tables.get(want.table) if want.table is not None else None
        if table is not None:
            table.wanted = True
            if table.has_news(want.have) and not self._admission.is_held(table.name):
                self.news(table.name, now)  # a frame that came since `answer` found none

    def _answer_catalogue(self, now: float) -> None:
        for session, want in self._waiting.of(None):
            self._waiting.stop(session)
            self._answers.catalogue(session, want, now)

    # -- sessions ----------------------------------------------------------------------------------

    def _sessions(self, name: str) -> list[Session]:
        """Return all viewers' sessions of a table."""
        viewers = self._viewers.values()
        return [session for one in viewers if (session := one.sessions.get(name)) is not None]

    def _forget(self, session: Session) -> None:
        """End a session: its viewer left, or its table was removed."""
        self._waiting.stop(session)
        self._admission.give_up(session)
        del session.viewer.sessions[session.table]

    def _forget_absent(self, session: Session) -> None:
        """End an idle session of a table that does not exist: viewers can make up any name."""
        name = session.table
        if session.wait is None and name is not None and name not in self.tables:
            self._forget(session)
