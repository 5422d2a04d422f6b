"""A table of another process, given to viewers here as it comes: its frames, its age, its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from livetable.feed.frames.body import Snapshot
from livetable.feed.protocol.messages import Position
from livetable.feed.protocol.table_info import TableInfo

if TYPE_CHECKING:
    from livetable.feed.server.table_state import TableState


@dataclass(slots=True)
class Elsewhere:
    """What is known here of the process that makes a table's frames.

    Attributes:
        on_wanted: Called for each want, in the feed's thread.
        is_silent: Whether it is not heard: nobody is answered then.
        told: What it says of the table, and when it said so, by the monotonic clock.
    """

    on_wanted: Callable[[], object]
    is_silent: bool = True
    told: tuple[TableInfo, float] | None = None

    def info(self, monotonic: float) -> TableInfo | None:
        """Return the table's line in the catalogue, None while nothing is known."""
        if self.told is None:
            return None
        info, heard = self.told
        age = None if info.age is None else info.age + max(0.0, monotonic - heard)
        return replace(info, age=age, state="gone" if self.is_silent else info.state)


class Mirror:
    """Puts what comes from elsewhere into a table. Any thread.

    Args:
        state: The table.
        tell: Has the feed's thread look at it.
        on_wanted: Called for each want of a viewer, in the feed's thread.
    """

    def __init__(
        self, state: TableState, tell: Callable[[], object], on_wanted: Callable[[], object]
    ) -> None:
        self._state = state
        self._tell = tell
        self._elsewhere = state.elsewhere = Elsewhere(on_wanted)

    @property
    def info(self) -> TableInfo | None:
        """What its process says, or said, of it; None while nothing is known."""
        told = self._elsewhere.told
        return told[0] if told is not None else None

    @property
    def is_silent(self) -> bool:
        """Whether its process is not heard."""
        return self._elsewhere.is_silent

    @property
    def is_ended(self) -> bool:
        """Whether nothing will change any more."""
        return self._state.ended

    def heard(self, info: TableInfo) -> None:
        """Its process lives, and says this of it."""
        self._elsewhere.is_silent = False
        self.remember(info)
        self._age()

    def remember(self, info: TableInfo) -> None:
        """Know it by this: what its process says, or what is left of it."""
        self._elsewhere.told = info, time.monotonic()
        self._state.key = info.key

    def silence(self, is_silent: bool) -> None:
        """Answer nobody, or answer again."""
        self._elsewhere.is_silent = is_silent

    def tell_silence(self) -> None:
        """Tell viewers at once that what they see is the last state; then they hear nothing."""
        self._elsewhere.is_silent = True
        self._tell_at_once()

    def note(self, sentence: str | None) -> None:
        """Show viewers a sentence until it is replaced or None is given; also at the end."""
        self._state.note = sentence

    def put(self, snapshot: Snapshot, key: tuple[str, ...], *, ended: bool = False) -> None:
        """Make a snapshot the newest, with its epoch and seq there.

        Args:
            snapshot: The snapshot, encoded elsewhere.
            key: What its rows are told apart by.
            ended: Whether nothing will change any more.
        """
        self._state.key = key
        snapshot = replace(snapshot, monotonic=self._sent_at(snapshot.position, snapshot.monotonic))
        self._state.mirror(snapshot, ended=ended)  # viewers are told at once: with its age
        self._tell()

    def _age(self) -> None:
        """Have the newest frame be as old, and the last, as its process says."""
        state, latest = self._state, self._elsewhere.told
        if latest is None:
            return
        info, heard = latest
        position = Position(info.epoch, info.seq)
        if info.age is not None:
            state.aged(position, heard - info.age)
        if info.state == "ended" and state.position == position and not state.ended:
            state.ended = True
            self._tell_at_once()

    def _sent_at(self, position: Position, sent_at: float) -> float:
        """Return when a frame was sent: a broker may have kept it longer than it says itself.

        Viewers may be given it as soon as it is there: to be told of it later, by `_age`, is late.
        """
        told = self._elsewhere.told
        if told is None or told[0].age is None or Position(told[0].epoch, told[0].seq) != position:
            return sent_at
        return min(sent_at, told[1] - told[0].age)

    def _tell_at_once(self) -> None:
        self._state.note_is_new = self._state.wanted = True
        self._tell()
