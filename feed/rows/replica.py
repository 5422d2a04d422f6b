"""A reader's copy of a table: a snapshot, to which deltas are applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import without_dictionary
from livetable.feed.errors import BodyError
from livetable.feed.rows.values import Arrays, StoredValues, Values

if TYPE_CHECKING:
    from livetable.feed.frames.decoder import Decoded, Delta, Labels
    from livetable.feed.protocol.messages import Header
    from livetable.feed.rows.row_map import Rows
    from livetable.feed.rows.store import Store


@dataclass(frozen=True)
class Followed:
    """One state of a table; immutable.

    Attributes:
        labels: Labels of columns and index.
        values: The index's levels, then the columns.
        types: Their types; the same object while they don't change.
        count: The number of rows.
        size: Bytes that it does not share with the state before.
        held: Bytes of all its values.
        line: The same object in all states between which a row keeps its number.
        rows: The rows' numbers; None if these are the positions.
        schema: The schema of its stream.
    """

    labels: Labels
    values: Values
    types: tuple[pa.DataType, ...]
    count: int
    size: int
    held: int
    line: object
    rows: Rows | None = None
    schema: pa.Schema | None = None


def body_of(state: Followed) -> memoryview:
    """Encode a whole table as its feed would."""
    from livetable.feed.frames.encoder import stream

    assert state.schema is not None
    # Without columns a column of nulls carries the number of rows.
    fields = len(state.types) if state.labels.dtypes else 0
    return stream(state.schema, [state.values.whole(at) for at in range(fields)], state.count)


def followed(decoded: Decoded, size: int = 0) -> Followed:
    """Return a whole table as the first state of a new line.

    Args:
        decoded: The table.
        size: Bytes of its body.
    """
    values = Arrays(decoded.arrays)
    types = decoded.all_types
    return Followed(
        decoded.labels, values, types, decoded.rows, size, size, object(), schema=decoded.schema
    )


class Follower:
    """Applies the snapshots and deltas of one table. Its states share unchanged data."""

    def __init__(self) -> None:
        self._now: Followed | None = None
        self._store: Store | None = None

    def snapshot(self, decoded: Decoded, size: int) -> Followed:
        """Start over with a whole table.

        Args:
            decoded: The table.
            size: Bytes of its body.
        """
        self._store = None
        self._now = followed(decoded, size)
        return self._now

    def lose(self) -> None:
        """Forget the current state: the last body was unusable, so no delta can follow."""
        self._now = None

    def delta(self, delta: Delta, gone: tuple[tuple[int, int], ...], count: int) -> Followed:
        """Apply a delta; return the next state.

        Args:
            delta: The changed rows.
            gone: Ranges of removed rows: position of the first in the current state, and count.
            count: Rows of the table after the change.

        Raises:
            BodyError: it does not fit the current state; a new snapshot is needed.
        """
        # Long, as everything is checked before anything is changed.
        from livetable.feed.rows.row_map import Rows  # late: most tables are always sent whole

        now = self._now
        if now is None:
            raise BodyError("a delta arrived before any snapshot")
        store, rows = self._stored(now)
        written = rows.written
        arrays = list(map(without_dictionary, delta.table.arrays))
        if tuple(array.type for array in arrays) != store.types:
            raise BodyError("a delta's columns are not those of the table")
        rows = _without(rows, gone)
        positions, before = delta.positions, len(rows)
        changed = int(np.searchsorted(positions, before))
        added = len(positions) - changed
        new = np.arange(before, before + added, dtype=np.int64)
        if before + added != count or not np.array_equal(positions[changed:], new):
            raise BodyError(f"a delta announces {count} rows but leads to {before + added}")
        stored = np.arange(len(store), len(store) + len(positions), dtype=np.int64)
        rows = rows.changed(rows.numbers_at(positions[:changed]), stored[:changed])
        rows = rows.with_more(stored[changed:])
        grown = store.with_more(arrays, len(positions))
        line = now.line
        if grown.is_bloated(count) or rows.is_sparse:
            grown, line = grown.only(rows.stored(0, count)), object()
            rows, written = Rows.of(np.arange(count, dtype=np.int64)), 0
        self._store = grown
        self._now = Followed(
            labels=delta.table.labels,
            values=StoredValues(grown, rows),
            types=grown.types,
            count=count,
            size=grown.nbytes_beside(store) + rows.written - written,
            held=grown.nbytes + 8 * count,
            line=line,
            rows=rows,
            schema=delta.table.schema,
        )
        return self._now

    def _stored(self, now: Followed) -> tuple[Store, Rows]:
        from livetable.feed.rows.row_map import Rows
        from livetable.feed.rows.store import Store

        if self._store is not None and now.rows is not None:
            return self._store, now.rows
        fields = range(len(now.values))
        arrays = [without_dictionary(now.values.whole(field)) for field in fields]
        return Store.of(arrays, now.count), Rows.of(np.arange(now.count, dtype=np.int64))


class Reading:
    """Decodes and applies the bodies of one table: snapshots and deltas."""

    def __init__(self) -> None:
        from livetable.feed.frames.decoder import Decoder

        self._decoder = Decoder()
        self._follower = Follower()

    def take(self, header: Header, body: bytes | bytearray | memoryview) -> Followed:
        """Return the state after a body.

        Raises:
            BodyError: it can't be read, or does not fit the current state; call `lose` then.
        """
        if header.kind == "delta":
            return self._follower.delta(self._decoder.delta(body), header.gone, header.rows)
        return self._follower.snapshot(self._decoder(body), header.size)

    def lose(self) -> None:
        """Forget the current state: the last body was unusable, so no delta can follow."""
        self._follower.lose()


def _without(rows: Rows, gone: tuple[tuple[int, int], ...]) -> Rows:
    if not gone:
        return rows
    first, count = gone[-1]
    if first + count > len(rows):
        raise BodyError(f"gone: row {first + count - 1} of {len(rows)} rows")
    positions = np.concatenate(
        [np.arange(first, first + count, dtype=np.int64) for first, count in gone]
    )
    return rows.without(rows.numbers_at(positions))
