"""One viewer of an endpoint, with a session for each table that it looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Position, Want
from livetable.feed.server.peer import Peer
from livetable.feed.server.sent import Sent

STALE_SECONDS: Final = 12.0
"""Who fetches a body and does not ask for its next part for so long has given it up."""


@dataclass(slots=True)
class Transfer:
    """A body of several parts on its way to one viewer.

    Attributes:
        snapshot: What is sent.
        parts: Its body, cut in parts.
        sent: How many parts were sent.
        known: How many parts the viewer said that it has.
        moved_at: When it last said so of one more.
        last: The part that was sent last.
    """

    snapshot: Snapshot
    parts: list[memoryview]
    sent: int = 0
    known: int = 0
    moved_at: float = 0.0
    last: Sent | None = None

    def is_given_up(self, now: float) -> bool:
        """Tell whether its viewer has all that was sent, and does not ask for more."""
        return now - self.moved_at >= STALE_SECONDS and (self.last is None or self.last.done)


@dataclass(slots=True, eq=False)
class Session:
    """How one viewer stands with one table.

    Attributes:
        viewer: Whose it is.
        table: The table's name; None is the catalogue.
        answered: Number of the want last answered: if repeated, it has its answer on its way.
        has: What was sent last.
        failure_told: Whether its failure was told: told at each want, it would be asked for ever.
        by_memory: Whether it was told where the body is, and did not say yet that it was read.
        wait: The want that waits for news.
        since: Since when it waits.
        transfer: The body that is got part by part.
    """

    viewer: Viewer
    table: str | None
    answered: int | None = None
    has: Position | None = None
    failure_told: bool = False
    by_memory: bool = False
    wait: Want | None = None
    since: float = 0.0
    transfer: Transfer | None = None

    @property
    def is_looked_at(self) -> bool:
        """Whether its viewer was answered, or waits for that."""
        return self.answered is not None or self.wait is not None

    def is_fetching(self, want: Want) -> bool:
        """Tell whether a want asks for the next part of what is got part by part."""
        return self.transfer is not None and self.transfer.snapshot.position == want.fetching


@dataclass(slots=True, eq=False)
class Viewer:
    """Where one viewer is answered, and what it looks at.

    Attributes:
        topic: The private topic that it is answered on.
        peer: Whose topic it is: only it may ask for answers on it.
        sessions: What it looks at, by table. It and they refer to each other: who deletes a viewer
            empties this, or both stay where the garbage collector is off.
    """

    topic: bytes
    peer: Peer
    sessions: dict[str | None, Session] = field(default_factory=dict)

    def session(self, table: str | None) -> Session:
        """Return its session with a table, begun if there is none."""
        found = self.sessions.get(table)
        if found is None:
            found = self.sessions[table] = Session(self, table)
        return found
