"""A tape as a history: each state is read from the file when it is needed."""

from __future__ import annotations

import time
from dataclasses import replace

from livetable.feed.tape.player import Playback
from livetable.tui.model.budget import Budget
from livetable.tui.model.headings import Span
from livetable.tui.model.history import History
from livetable.tui.model.table import Table, build


class TapeHistory(History):
    """The states of a tape, numbered from 0. Times are converted to this machine's monotonic clock.

    Args:
        playback: Reads the tape.
    """

    def __init__(self, playback: Playback) -> None:
        super().__init__(Budget(playback.tape.bytes))
        self.playback = playback
        self.bytes = playback.tape.bytes
        self._offset = time.time() - time.monotonic()

    @property
    def to_wall(self) -> float:
        """The difference to seconds since 1970; constant, even if the system's clock is set."""
        return self._offset

    def __len__(self) -> int:
        return len(self.playback)

    @property
    def last(self) -> int:
        """The number of the newest table."""
        return len(self.playback) - 1

    @property
    def seconds(self) -> float:
        """How long the tape is."""
        return self.playback.time(self.last) - self.playback.time(0)

    def add(self, table: Table) -> None:
        """Do nothing: a tape is complete."""

    def moment(self, number: int) -> float:
        """Return when a state was sent, by the monotonic clock; may be negative."""
        return self.playback.time(number) - self._offset

    def at(self, number: int) -> Table:
        """Return the table with a number, or the nearest one."""
        number = min(max(0, number), self.last)
        played = self.playback.at(number)
        header = played.header
        assert header.position is not None
        # Numbered by the tape: after a feed's restart there may be two frames with seq 7.
        position = replace(header.position, epoch=f"tape {header.position.epoch}", seq=number + 1)
        # Strictly later than the one before: states are found by their times.
        sent = played.time - self._offset + number * 1e-6
        table = build(played.state, header.key, position, header.columns, sent=sent)
        return replace(table, past=self)

    def number_at(self, moment: float) -> int:
        """Return the number of the table that was shown at a moment of the monotonic clock."""
        # Plus 1 ms: both clocks were read, one after the other, to compute the moment.
        return self.playback.number_at(moment + self._offset + 1e-3)

    def before(self, table: Table, span: Span) -> Table | None:
        """Return an earlier state, as `History.before` does."""
        if span == "mark":
            return self.marked
        number = table.position.seq - 1
        if span == 0:
            return self.at(number - 1) if number else None
        wanted = self.moment(number) - span
        return self.at(self.number_at(wanted)) if wanted >= self.moment(0) else None

    def tables(self, since: float = float("-inf")) -> list[Table]:
        """Return nothing: a tape's tables are not in memory."""
        return []
