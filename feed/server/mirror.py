"""Republishes a table of another process: its frames, their age, and its end."""

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
    """The other process that makes a table's frames, as far as this process knows.

    Attributes:
        on_wanted: Called for each request of a viewer, in the feed's thread.
        is_silent: Whether the other process is not heard. Viewers are then left unanswered.
        reported: The other process's catalogue entry of the table, and when it arrived, by the
            monotonic clock.
    """

    on_wanted: Callable[[], object]
    is_silent: bool = True
    reported: tuple[TableInfo, float] | None = None

    def info(self, monotonic: float) -> TableInfo | None:
        """Return the table's entry in the catalogue, None until the first one arrives."""
        if self.reported is None:
            return None
        info, heard = self.reported
        age = None if info.age is None else info.age + max(0.0, monotonic - heard)
        return replace(info, age=age, state="gone" if self.is_silent else info.state)


class Mirror:
    """Puts frames of another process into a table. May be called from any thread.

    Args:
        state: The table.
        tell: Makes the feed's thread look at the table.
        on_wanted: Called for each request of a viewer, in the feed's thread.
    """

    def __init__(
        self, state: TableState, tell: Callable[[], object], on_wanted: Callable[[], object]
    ) -> None:
        self._state = state
        self._tell = tell
        self._elsewhere = state.elsewhere = Elsewhere(on_wanted)

    @property
    def info(self) -> TableInfo | None:
        """The last catalogue entry from the other process, None until the first one arrives."""
        reported = self._elsewhere.reported
        return reported[0] if reported is not None else None

    @property
    def is_silent(self) -> bool:
        """Whether the other process is not heard."""
        return self._elsewhere.is_silent

    @property
    def is_ended(self) -> bool:
        """Whether the table is complete."""
        return self._state.ended

    def heard(self, info: TableInfo) -> None:
        """Take in a catalogue entry from the other process, which is alive."""
        self._elsewhere.is_silent = False
        self.remember(info)
        self._age()

    def remember(self, info: TableInfo) -> None:
        """Store a catalogue entry, without taking the other process for alive."""
        self._elsewhere.reported = info, time.monotonic()
        self._state.key = info.key

    def silence(self, is_silent: bool) -> None:
        """Leave viewers unanswered, or answer them again."""
        self._elsewhere.is_silent = is_silent

    def tell_silence(self) -> None:
        """Tell viewers at once that the other process is silent; then leave them unanswered."""
        self._elsewhere.is_silent = True
        self._tell_at_once()

    def note(self, sentence: str | None) -> None:
        """Show viewers a sentence, also after the end. A new one replaces it; None clears it."""
        self._state.note = sentence

    def put(self, snapshot: Snapshot, key: tuple[str, ...], *, ended: bool = False) -> None:
        """Make a snapshot of the other process the newest. It keeps its epoch and seq.

        Args:
            snapshot: The snapshot.
            key: Labels of the key columns, as JSON labels.
            ended: Whether the table is complete.
        """
        self._state.key = key
        snapshot = replace(snapshot, monotonic=self._sent_at(snapshot.position, snapshot.monotonic))
        self._state.mirror(snapshot, ended=ended)  # its age must be right: viewers get it at once
        self._tell()

    def _age(self) -> None:
        """Correct the newest frame's age, and end the table, as the other process reports."""
        state, latest = self._state, self._elsewhere.reported
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
        """Return when a frame was sent: a broker may have kept it longer than its own age says.

        Correcting it later, in `_age`, is too late: viewers may already have the frame by then.
        """
        reported = self._elsewhere.reported
        if reported is None:
            return sent_at
        info, heard = reported
        if info.age is None or Position(info.epoch, info.seq) != position:
            return sent_at
        return min(sent_at, heard - info.age)

    def _tell_at_once(self) -> None:
        self._state.note_is_new = self._state.wanted = True
        self._tell()
