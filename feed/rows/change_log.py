"""The last changes of a table: which rows changed, by their numbers."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from livetable.feed.rows.state import Change, Difference, State

MOST_CHANGES: Final = 10_000
"""Most changes that are remembered, for viewers that missed some."""

_LEAST_REMEMBERED: Final = 4096


class ChangeLog:
    """The last changes of one table."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque()
        self._remembered = 0

    def remember(self, change: Change, rows: int) -> None:
        """Remember a change.

        Args:
            change: The change.
            rows: The number of rows now: at most so many changed rows are remembered.
        """
        changes = self._changes
        changes.append(change)
        self._remembered += _size(change)
        most = max(_LEAST_REMEMBERED, rows)
        while self._remembered > most or len(changes) > MOST_CHANGES:
            self._remembered -= _size(changes.popleft())

    def forget(self) -> None:
        """Forget all changes: later states can't be expressed as deltas to earlier ones."""
        self._changes.clear()
        self._remembered = 0

    def since(self, seq: int, state: State, until: int) -> Difference | None:
        """Return what changed since a seq; None if that is not remembered, or too much.

        May be called from any thread, while the table goes on changing.

        Args:
            seq: The seq of the earlier state.
            state: The later state.
            until: The seq of the later state.
        """
        # list() copies the deque in one call: another thread may change it between any two lines.
        changes = [one for one in list(self._changes) if seq < one.seq <= until]
        if not changes or changes[0].seq != seq + 1 or changes[-1].seq != until:
            return None
        end, rows = changes[0].end, state.rows
        gone = np.unique(np.concatenate([change.gone for change in changes]))
        gone = gone[gone < end]
        touched = np.unique(np.concatenate([change.touched for change in changes]))
        touched = np.setdiff1d(touched[touched < end], gone, assume_unique=True)
        old = int(rows.rank(np.array([end], dtype=np.int64))[0])
        if len(touched) + len(rows) - old > len(rows) // 2 + 100:
            return None
        positions, stored = rows.positions_of(touched), rows.stored_of(touched)
        new = np.arange(old, len(rows), dtype=np.int64)
        return Difference(
            # A removed row's position before: the rows in front of it now, plus those removed.
            rows.rank(gone) + np.arange(len(gone), dtype=np.int64),
            np.concatenate((positions, new)),
            np.concatenate((stored, rows.stored(old, len(rows)))),
        )


def _size(change: Change) -> int:
    return 1 + len(change.touched) + len(change.gone)
