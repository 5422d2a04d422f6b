"""A table that changes row by row: rows by key, and the changes since recent states.

Only one thread at a time may change it (`RowChanges` sees to that); a `State` is immutable.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from livetable.feed.errors import BadFrame
from livetable.feed.rows.change_log import ChangeLog
from livetable.feed.rows.keys import keys_of, told, twice_in
from livetable.feed.rows.row_map import GONE, Numbers, Rows, in_any_order
from livetable.feed.rows.state import Change, Difference, Incoming, State
from livetable.feed.rows.store import Store

_NONE: Final[Numbers] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class _Tail:
    """The last row while it may still change.

    Attributes:
        number: Its number.
        replaced: The row with this key before, None if there was none.
    """

    number: int
    replaced: Incoming | None


class KeyedTable:
    """The rows of one table.

    Args:
        state: The first state.
        key: Fields that identify a row; none for a table that only grows.
        seq: The seq of the first state.
        limit: The most rows it holds: the oldest go first.
        ttl: Seconds after which a row expires unless it is written again.
        now: The time, if `ttl` is given.
        anew: Whether viewers of that seq have other columns, so that a delta can't follow.
    """

    def __init__(
        self,
        state: State,
        key: tuple[int, ...],
        seq: int,
        *,
        anew: bool = False,
        limit: int | None = None,
        ttl: float | None = None,
        now: float = 0.0,
    ) -> None:
        self.now = state
        """The current state."""
        self.key = key
        self._anew = anew
        self._limit = limit
        self._ttl = ttl
        self._index: OrderedDict[Hashable, int] | None = None
        self._written: OrderedDict[int, float] = OrderedDict()
        """Times of the last write, by row number, oldest first. Only with `ttl`."""
        self._log = ChangeLog()
        self.seq = seq
        self._tail: _Tail | None = None
        if ttl is not None:
            numbers = state.rows.numbers(0, len(state.rows))
            self._written.update(dict.fromkeys(numbers.tolist(), now))

    def upsert(self, parts: Sequence[Incoming], state: State, now: float) -> None:
        """Insert rows, or replace those of the same key; columns left out keep what they hold.

        Args:
            parts: The rows; each part has the key's columns.
            state: The state now, with the columns and types that the rows need.
            now: The time.

        Raises:
            BadFrame: a key occurs twice. The table is unchanged then.
        """
        index = self._keys()
        keys = self._keys_in(parts)
        if (twice := twice_in(keys)) is not None:
            raise BadFrame(f"these rows have the key {told(twice)} twice: keep only the last")
        numbers = np.array([index.get(key, GONE) for key in keys], dtype=np.int64)
        store = _with_parts(state, parts, numbers)
        stored = len(state.store) + np.arange(len(numbers), dtype=np.int64)
        there, new = np.flatnonzero(numbers != GONE), np.flatnonzero(numbers == GONE)
        there = there[np.argsort(numbers[there], kind="stable")]
        rows = state.rows.changed(numbers[there], stored[there])
        touched = numbers[there]
        numbers[new] = rows.end + np.arange(len(new), dtype=np.int64)
        rows = rows.with_more(stored[new])
        for place in new.tolist():
            index[keys[place]] = int(numbers[place])
        self._take(replace(state, rows=rows, store=store), touched, numbers, _NONE, now)

    def append(self, parts: Sequence[Incoming], state: State, now: float) -> None:
        """Add rows at the end.

        Raises:
            BadFrame: a key already exists. The table is unchanged then.
        """
        if self.key:
            index = self._keys()
            known = next((key for key in self._keys_in(parts) if key in index), None)
            if known is not None:
                raise BadFrame(
                    f"the key {told(known)} already exists: use upsert to replace its row"
                )
            self.upsert(parts, state, now)
            return
        added = sum(part.rows for part in parts)
        store = _with_parts(state, parts, np.full(added, GONE, dtype=np.int64))
        first = state.rows.end
        rows = state.rows.with_more(np.arange(len(state.store), len(store), dtype=np.int64))
        written = np.arange(first, first + added, dtype=np.int64)
        self._take(replace(state, rows=rows, store=store), _NONE, written, _NONE, now)

    @property
    def unfinished(self) -> int | None:
        """Position of the row that `show_tail` added, None if there is none."""
        if self._tail is None:
            return None
        at = int(self.now.rows.positions_of(np.array([self._tail.number], dtype=np.int64))[0])
        return None if at == GONE else at

    def show_tail(self, part: Incoming, state: State, now: float) -> None:
        """Add one row that may still change: `drop_tail` removes it again.

        If its key exists, it replaces that row in the meantime.
        """
        replaced: Incoming | None = None
        if self.key:
            found = self._keys().get(self._keys_in([part])[0])
            if found is not None:
                number = np.array([found], dtype=np.int64)
                reader = state.store.reader(state.rows.stored_of(number))
                replaced = Incoming(dict(enumerate(reader.columns())), 1)
            self.upsert([part], state, now)
            number_of = self._keys()[self._keys_in([part])[0]]
        else:
            self.append([part], state, now)
            rows = self.now.rows
            number_of = int(rows.numbers(len(rows) - 1, len(rows))[0])
        self._tail = _Tail(number_of, replaced)

    def drop_tail(self, now: float) -> None:
        """Remove the row that `show_tail` added, and restore the row that it replaced."""
        tail, self._tail = self._tail, None
        if tail is None:
            return
        if tail.replaced is not None:
            self.upsert([tail.replaced], self.now, now)
            return
        number = np.array([tail.number], dtype=np.int64)
        # else it has expired, or exceeded the limit
        if self.now.rows.positions_of(number)[0] != GONE:
            self._remove(number, now, at_end=True)

    def delete(self, keys: Sequence[Hashable], now: float) -> int:
        """Remove rows by key; return how many existed. Unknown keys are skipped."""
        index = self._keys()
        found = sorted({index[key] for key in keys if key in index})
        if found:
            self._remove(np.array(found, dtype=np.int64), now)
        return len(found)

    def expire(self, now: float) -> bool:
        """Remove expired rows; tell whether there were any."""
        over = []
        for number, written in self._written.items() if self._ttl is not None else ():
            assert self._ttl is not None
            if written + self._ttl > now:
                break
            over.append(number)
        numbers = np.array(sorted(over), dtype=np.int64)
        if len(numbers):
            numbers = numbers[self.now.rows.stored_of(numbers) != GONE]
            self._remove(numbers, now)
        return bool(len(numbers))

    @property
    def next_expiry(self) -> float | None:
        """When the next row expires, None if none does."""
        if self._ttl is None or not self._written:
            return None
        return next(iter(self._written.values())) + self._ttl

    def _remove(self, gone: Numbers, now: float, *, at_end: bool = False) -> None:
        state = self.now
        after = replace(state, rows=state.rows.without(gone))
        self._take(after, _NONE, _NONE, gone, now, at_end=at_end)

    def _take(
        self,
        after: State,
        touched: Numbers,
        written: Numbers,
        gone: Numbers,
        now: float,
        *,
        at_end: bool = False,
    ) -> None:
        """Make a state the current one, without the rows over the limit; remember what changed."""
        # Long, as rows, keys, times and the log must change together.
        before = self.now
        rows = after.rows
        left = [(gone, before.rows.stored_of(gone))]
        surplus = len(rows) - self._limit if self._limit is not None else 0
        if surplus > 0:
            oldest = rows.numbers(0, surplus)
            left.append((oldest, rows.stored(0, surplus)))
            rows = rows.without(oldest)
            known = oldest[oldest < before.rows.end]
            gone, touched = np.union1d(gone, known), np.setdiff1d(touched, known)
        if self._index is not None:
            for numbers, stored in left:
                for key in self._keys_of(after.store, stored) if len(numbers) else ():
                    self._index.pop(key, None)
        if self._ttl is not None:
            for number in written.tolist():
                self._written[number] = now
                self._written.move_to_end(number)
            for numbers, _ in left:
                for number in numbers.tolist():
                    self._written.pop(number, None)
        first = after.first
        counts = after.shape.described["range"]
        if counts and not self.key:
            # Rows keep their index labels: when the first rows go, the index starts later.
            first += counts[1] * ((0 if at_end else len(left[0][0])) + max(surplus, 0))
        self.now = replace(after, rows=rows, first=first)
        self.seq += 1
        if after.shape is before.shape and not self._anew:
            self._log.remember(Change(self.seq, before.rows.end, touched, gone), len(self.now.rows))
        else:
            self._log.forget()
            self._anew = False
        if rows.is_sparse:
            self._number_anew()

    def _number_anew(self) -> None:
        rows = self.now.rows
        old = rows.numbers(0, len(rows))
        anew = dict(zip(old.tolist(), range(len(old)), strict=True))
        self.now = replace(self.now, rows=Rows.of(rows.stored(0, len(rows))))
        if self._tail is not None:
            self._tail = replace(self._tail, number=anew[self._tail.number])
        if self._index is not None:
            self._index = OrderedDict((key, anew[at]) for key, at in self._index.items())
        self._written = OrderedDict((anew[at], when) for at, when in self._written.items())
        self._log.forget()

    @property
    def tail(self) -> _Tail | None:
        """The row that may still change."""
        return self._tail

    def restore(self, state: State, seq: int, tail: _Tail | None, now: float) -> None:
        """Restore the table after an interrupted change, which may have been made in part.

        Args:
            state: The state before the change.
            seq: The seq of that state.
            tail: The tail at that state.
            now: The time, for rows whose write time is lost.
        """
        self.now, self.seq, self._tail, self._index = state, seq, tail, None
        self._log.forget()
        if self._ttl is not None:
            numbers = state.rows.numbers(0, len(state.rows)).tolist()
            times = {number: self._written.get(number, now) for number in numbers}
            self._written = OrderedDict(sorted(times.items(), key=lambda one: one[1]))

    # -- by key ------------------------------------------------------------------------------------

    def _keys(self) -> OrderedDict[Hashable, int]:
        """Return the row number of each key. The first call costs O(rows)."""
        if self._index is None:
            rows = self.now.rows
            keys = self._keys_of(self.now.store, rows.stored(0, len(rows)))
            if (twice := twice_in(keys)) is not None:
                raise BadFrame(
                    f"the table has the key {told(twice)} twice: send it without duplicates first"
                )
            self._index = OrderedDict(zip(keys, rows.numbers(0, len(rows)).tolist(), strict=True))
        return self._index

    def _keys_of(self, store: Store, stored: Numbers) -> list[Hashable]:
        reader = store.reader(stored)
        return keys_of([reader.column(field) for field in self.key])

    def _keys_in(self, parts: Sequence[Incoming]) -> list[Hashable]:
        return [
            key
            for part in parts
            for key in keys_of([part.arrays[field] for field in self.key])
        ]  # fmt: skip

    # -- what changed ------------------------------------------------------------------------------

    def since(
        self, seq: int, state: State | None = None, until: int | None = None
    ) -> Difference | None:
        """Return what changed since a seq; None if that is not remembered, or too much.

        May be called from any thread, while the table goes on changing.

        Args:
            seq: The seq of the earlier state.
            state: The later state; None: the current one.
            until: The seq of the later state.
        """
        state, until = state or self.now, self.seq if until is None else until
        return self._log.since(seq, state, until)

    # -- room --------------------------------------------------------------------------------------

    def adopt(self, before: State, compact: Store) -> None:
        """Replace the store of an earlier state by a compact one; later rows stay as they are.

        Args:
            before: The earlier state.
            compact: A store with only its rows, in order.
        """
        if self.now.shape is before.shape:  # a column was added meanwhile: try the next time
            self.now = self.now.on(before, compact)


def compacted(state: State) -> Store:
    """Return a store with only a state's rows, in order. Costs O(rows)."""
    return state.store.only(state.rows.stored(0, len(state.rows)))


def _with_parts(state: State, parts: Sequence[Incoming], numbers: Numbers) -> Store:
    """Append rows to the store; left-out columns keep the old row's value, or become null."""
    store, fields, at = state.store, range(len(state.shape.types)), 0
    for part in parts:
        here = numbers[at : at + part.rows]
        at += part.rows
        arrays = dict(part.arrays)
        if left_out := [field for field in fields if field not in arrays]:
            reader = state.store.reader(in_any_order(state.rows.stored_of, here))
            arrays.update((field, reader.column(field)) for field in left_out)
        store = store.with_more([arrays[field] for field in fields], part.rows)
    return store
