"""Changes single rows of one table. Threads take turns, and none waits for long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from livetable.feed.base.late_import import loaded
from livetable.feed.base.log_thread import tell
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.base.turns import Job, Turns
from livetable.feed.errors import LivetableError
from livetable.feed.server.newest import Held, Newest, Now

if TYPE_CHECKING:
    from livetable.feed.rows.keyed_table import KeyedTable
    from livetable.feed.rows.state import State

Beginning: TypeAlias = "tuple[State, tuple[int, ...]]"
"""The state before the first row change, and the positions of its key fields."""

T = TypeVar("T")
_log = logging.getLogger("livetable.feed")

PATIENCE_SECONDS: Final = 0.25
"""How long a call waits for its result while another thread is changing the table."""


class RowChanges:
    """Changes the rows of one table.

    Args:
        name: The table's name.
        key: Labels of the key columns, as JSON labels.
        newest: The table's newest frame.
        turns: Runs one change at a time.
        on_change: Called with the monotonic time of each change.
        limit: The most rows that the table holds.
        ttl: Remove a row that was not written again for this many seconds.
    """

    def __init__(
        self,
        name: str,
        key: tuple[Any, ...],
        newest: Newest,
        turns: Turns,
        on_change: Callable[[float], None],
        *,
        limit: int | None,
        ttl: float | None,
    ) -> None:
        self._name = name
        self._key = key
        self._newest = newest
        self._turns = turns
        self._came = on_change
        self._limit = limit
        self.ttl = ttl
        """Seconds until a row expires, None if rows never expire."""

    def change(
        self,
        act: Callable[[KeyedTable], T],
        monotonic: float,
        time: float,
        *,
        first: Beginning | None = None,
        by_index: bool = False,
        patience: float = PATIENCE_SECONDS,
    ) -> T | None:
        """Change single rows.

        Returns without waiting if another thread's change takes long, or if this call interrupts a
        change of the same thread (in a signal handler or a finalizer). The change is then made as
        soon as the other one is done.

        Args:
            act: Changes the table, or raises and leaves it unchanged.
            monotonic: The time, by the monotonic clock.
            time: The time, in seconds since 1970.
            first: The state to begin with, if nothing was sent yet.
            by_index: Whether the index identifies rows if there is no key.
            patience: How many seconds to wait for another thread's change.

        Returns:
            What `act` returns, None if this call did not wait for it.

        Raises:
            BadFrame: the table can't be changed like this.
        """
        # Long because of its many arguments: it makes one job and waits for it.
        # Import before the turn, with `loaded`: a fork waits for that. A child that is forked while
        # the turn imports would have half a module.
        if self._newest.now.state is None:
            loaded("livetable.feed.rows.deltas")
            loaded("livetable.feed.rows.keyed_table")
        held = self._newest.now.held
        begun = self._begun(held, first) if self._newest.now.state is None else None

        def job() -> T:
            return self._change(act, monotonic, time, held, begun, first, by_index=by_index)

        posted = Job(job)
        self._turns.post(posted)
        if not self._turns.settle(posted, patience):
            posted.abandon(lambda error: tell(_log, "table %r: %s", self._name, safe_str(error)))
            return None
        if posted.error is not None:
            raise posted.error
        return posted.result

    def _change(
        self,
        act: Callable[[KeyedTable], T],
        monotonic: float,
        time: float,
        held: Held,
        begun: Beginning | None,
        first: Beginning | None,
        *,
        by_index: bool,
    ) -> T:
        now, table = self._newest.now, self._newest.table
        if table is None:
            if begun is None or now.held is not held:  # another frame was sent meanwhile
                begun = self._begun(now.held, first)
                assert begun is not None  # inside a turn no other frame can arrive
            table = self._changing(*begun, now.seq)
        if by_index and not table.key:
            table = self._begun_by_index(table)
        before = table.now, table.seq, table.tail
        try:
            table.expire(monotonic)
            result = act(table)
            self._newest.table = table
            self._commit(table, monotonic, time)
        except LivetableError:
            if table is self._newest.table:  # rows may have expired before `act` was refused
                self._commit(table, monotonic, time)
            raise
        except BaseException:  # Ctrl-C during the change: undo it
            table.restore(*before, monotonic)
            raise
        return result

    def _commit(self, table: KeyedTable, monotonic: float, time: float) -> None:
        """Show the changed rows to readers, in one assignment: readers must not see half of it."""
        now, source = self._newest.now, self._newest.now.source
        if table.unfinished != source.unfinished:
            source = replace(source, unfinished=table.unfinished)
        if table.seq == now.seq and now.state is not None:
            self._newest.now = replace(
                now, state=table.now, source=source, expiry=table.next_expiry
            )
            return
        if table.seq > now.seq:
            self._came(monotonic)
            self._newest.encoded = None  # no longer needed, and as large as the table
            shape = len(table.now.rows), len(table.now.shape.described["labels"])
            times = monotonic, time
        else:
            shape, times = now.shape, (now.sent_at, now.sent_time)
        self._newest.now = Now(
            now.epoch, table.seq, Held(None), table.now, shape, *times, source, table.next_expiry
        )

    def _begun(self, held: Held, first: Beginning | None) -> Beginning | None:
        """Return the state to change; None if another frame was sent before this turn began."""
        from livetable.feed.rows.deltas import begun, nothing_of

        # Read the frame before the bytes: an encoder stores the bytes before it drops the frame, so
        # at least one of the two is found. In the other order both could be None.
        frame, now, newest = held.frame, self._newest.now, self._newest.encoded
        if now.held is held and not now.seq:
            if first is None:
                raise LivetableError(f"table {self._name!r} has no rows yet")
            state, key = first
            return nothing_of(state), key
        body = (
            newest.body if newest is not None and newest.position == self._newest.position else None
        )
        if frame is None and body is None:
            return None
        return begun(frame, body, self._key)

    def _begun_by_index(self, table: KeyedTable) -> KeyedTable:
        """Return the table with its index as the key; until now rows were only appended."""
        anew = not table.now.shape.levels
        state = table.now.with_index() if anew else table.now
        return self._changing(state, tuple(range(state.shape.levels)), table.seq, anew=anew)

    def _changing(
        self, state: State, key: tuple[int, ...], seq: int, *, anew: bool = False
    ) -> KeyedTable:
        from livetable.feed.rows.keyed_table import KeyedTable

        sent_at = self._newest.now.sent_at
        return KeyedTable(state, key, seq, anew=anew, limit=self._limit, ttl=self.ttl, now=sent_at)

    @property
    def next_expiry(self) -> float | None:
        """When the next row expires, None if no row does."""
        return self._newest.now.expiry

    @property
    def is_mortal(self) -> bool:
        """Whether rows expire."""
        return self.ttl is not None

    def expire(self, monotonic: float, *, patience: float = 0.0) -> bool:
        """Remove the expired rows. Return whether there were any.

        Args:
            monotonic: The time.
            patience: How many seconds to wait for another thread's change.
        """
        due = self._newest.now.expiry
        if due is None or due > monotonic:
            return False
        seq = self._newest.now.seq
        try:
            self.change(lambda table: None, monotonic, time.time(), patience=patience)
        except Exception as error:  # one table's error must not stop the others
            self.ttl = None
            self._newest.failure = f"can't remove expired rows: {safe_str(error):.200}"
            tell(_log, "table %r: %s", self._name, self._newest.failure)
            self._turns.post(Job(self._stay))
        return self._newest.now.seq > seq

    def _stay(self) -> None:
        self._newest.now = replace(self._newest.now, expiry=None)

    @property
    def has_tail(self) -> bool:
        """Whether the table has an unfinished row (`Publisher.show_tail`)."""
        now = self._newest.now
        return now.state is not None and now.source.unfinished is not None

    @property
    def is_bloated(self) -> bool:
        """Whether `compact` would free much memory."""
        state = self._newest.now.state
        return state is not None and state.store.is_bloated(len(state.rows))

    def compact(self) -> None:
        """Free the memory of replaced rows. Reads the whole table, but blocks no other thread."""
        from livetable.feed.rows.keyed_table import compacted

        table, before = self._newest.table, self._newest.now.state
        if table is None or before is None or not before.store.is_bloated(len(before.rows)):
            return
        store = compacted(before)

        def act() -> None:
            if self._newest.table is table and self._newest.now.state is not None:
                table.adopt(before, store)
                self._newest.now = replace(self._newest.now, state=table.now)

        self._turns.post(Job(act))
