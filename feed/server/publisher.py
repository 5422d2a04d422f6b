"""`Publisher`: the class that a producer imports. One line creates it, one line sends a frame."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from livetable.feed.base.late_import import loaded
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import BadFrame, LivetableError
from livetable.feed.frames.capture import capture
from livetable.feed.frames.captured import Captured, with_types
from livetable.feed.rows.key_columns import check_key
from livetable.feed.server.encoding import LateEncoder
from livetable.feed.server.published import Published
from livetable.feed.server.row_changes import PATIENCE_SECONDS

if TYPE_CHECKING:
    from livetable.feed.rows.keyed_table import KeyedTable
    from livetable.feed.server.mirror import Mirror


class Publisher(Published):
    """A named, live table that viewers can watch, on this machine or through `endpoint`.

    Viewers never slow the producer down: `send` keeps a copy-on-write snapshot and returns. A
    background thread encodes the newest snapshot, and only when a viewer asks for it.

        orders = Publisher("orders", key="id")
        orders.send(df)
        orders.upsert({"id": 7, "price": 1.5})

    Args:
        name: The table's name, at most 64 bytes, without ``/ \\ #``.
        key: The column, or list of columns, that identify a row. None: the index's labels
            identify a row.
        endpoint: Where to publish. None: a local socket that only this user can read. Publishers
            of one process that name the same endpoint share it. ``tcp://127.0.0.1:0`` takes a free
            port; read it from `endpoint`. ``nats://…`` or ``redis://…`` publishes through a
            broker, where any machine can read the table.
        limit: The most rows that the table holds. Beyond it, the oldest rows are removed.
        ttl: Remove a row that was not sent again for this many seconds.
        schema: Fixed column types, e.g. ``{"price": float}``. Other columns widen when they must:
            integers to floats, dates to times.
        taken: What to do when a live process already publishes a table of this name.
            ``"error"``: raise NameTaken. Within one process, the newer Publisher takes over if
            the same line made the older one, or if both were made in an interactive session
            (e.g. a cell that is run again).
            ``"replace"``: take the name. From then on, the other Publisher raises PublisherClosed.
            ``"number"``: use ``name-2``, with the lowest free number; read it from `name`.
        listed: Whether `livetable` without a source lists the table. Only a table with its own
            endpoint can be left out of the list.
        secure: Whether to encrypt, and to admit only viewers whose key is in authorized_viewers
            (docs/security.md). None: yes for ``tcp://`` endpoints that other machines can
            connect to. False: anybody who can connect can read the table.

    Raises:
        NameTaken: a live process already publishes a table of this name; the message names it.
        BadName: the name can't be used.
        BadEndpoint: the endpoint can't be bound, or other machines can connect to it and there is
            no key.
        BadKey: the key can't be used.
        RuntimeFolder: there is no folder for local sockets that only this user can access.
    """

    def send(self, frame: Any) -> None:
        """Replace the table with `frame`. Viewers always show the newest frame.

        Never blocks, and never raises because of a viewer. You may change `frame` as soon as this
        returns. For a pandas frame (pandas 3) that owns its memory, it takes a few hundred
        microseconds at most, for a thousand rows as for a million.

        Memory that other code may still write to is copied first, at some gigabytes a second: a
        frame over a NumPy array that you hold, Arrow tables (pyarrow, polars, duckdb), pandas'
        extension arrays except Arrow's (categories, nullable numbers, times with a zone), and
        lists and dicts in cells. Other objects in cells are turned into text later: don't change
        them. Don't change NumPy columns through ``.array`` either.

        Args:
            frame: A pandas DataFrame or Series; anything with the Arrow PyCapsule interface
                (polars, pyarrow, duckdb) or ``to_pandas()``; a dict of columns; or a list of rows
                (dicts, named tuples, dataclasses, models).

        Raises:
            BadFrame: `frame` is none of these, or lacks a key column.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        self._check_open()
        captured = capture(frame)
        if self._schema:
            captured = with_types(captured, self._schema)
        if self._key:
            check_key(captured, self._key, self.name)
        self.send_captured(captured)

    def send_captured(self, captured: Captured, *, unfinished: bool = False) -> None:
        """Replace the table with a captured frame: `send` without its checks, for sources.

        Args:
            captured: The frame.
            unfinished: Whether its last row may still change (a line that has no end yet).
        """
        self._check_open()
        if self._limit is not None and captured.shape[0] > self._limit:
            captured = captured.last(self._limit)
        rows = captured.shape[0]
        self._state.put(
            captured, captured.shape, time.monotonic(), time.time(),
            unfinished=rows - 1 if unfinished and rows else None, beside=captured.beside,
        )  # fmt: skip

    def upsert(self, rows: Any) -> None:
        """Insert rows, or replace rows that have the same key. Omitted columns keep their values.

        The call is atomic: no viewer sees half of it. It costs O(rows in the call), whatever the
        table's size. Only the first call after a `send` reads all keys.

        Args:
            rows: Whatever `send` takes, or a dict for one row. Without ``key=``, pass a pandas
                DataFrame: its index is the key. A new column is null in all other rows.

        Raises:
            BadFrame: a key is missing or duplicated, or a column changes its type. The table is
                unchanged then.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        if not self._key and not _has_index(rows):
            raise BadFrame(
                f"table {self.name!r} has no key: make the Publisher with key=, or upsert a pandas "
                "DataFrame, whose index then is the key"
            )
        self._add(rows, "upsert")

    def append(self, rows: Any) -> None:
        """Add rows at the end. The call is atomic: no viewer sees half of it.

        Args:
            rows: Whatever `upsert` takes. Omitted columns are null.

        Raises:
            BadFrame: a key is missing or already in the table, or a column changes its type. The
                table is unchanged then.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        self._add(rows, "append")

    def delete(self, keys: Any) -> int:
        """Remove rows by key. The call is atomic: no viewer sees half of it.

        Args:
            keys: One key, or a list, array, Series or Index of keys. For a compound key, tuples or
                a DataFrame with the key columns.

        Returns:
            How many rows were removed; keys that are not in the table are ignored. 0 in a signal
            handler or finalizer that interrupts a change of this table: the rows are removed
            after that change.

        Raises:
            BadFrame: the keys can't be keys of this table.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        # Long, because keys come in several forms, and a table without key= needs a check first.
        self._check_open()
        if not self._state.seq:
            return 0
        loaded("livetable.feed.rows.deltas")
        from livetable.feed.rows.deltas import keys_given, keys_held

        now = time.monotonic()
        if not self._key:
            # None if the call could not wait for its turn: then the keys are used unchecked.
            labelled = self._state.rows.change(
                lambda table: bool(table.now.shape.levels), now, time.time()
            )
            if labelled is False:
                raise BadFrame(
                    f"table {self.name!r} has no key, and its index only numbers the rows: make "
                    "the Publisher with key=, or send frames with an index"
                )
        given = keys_held(keys)
        gone = self._state.rows.change(
            lambda table: table.delete(keys_given(given, table.now, table.key), now),
            now,
            time.time(),
            by_index=not self._key,
        )
        self._changed()
        return gone or 0

    def snapshot(self) -> memoryview:
        """Return the current table as a body: an Arrow IPC stream (docs/protocol.md).

        Raises:
            LivetableError: nothing was sent yet, or the newest frame can't be encoded.
        """
        self._check_open()
        self._state.expire(time.monotonic(), patience=PATIENCE_SECONDS)
        try:
            body = self._state.encoding.whole(LateEncoder(is_local=False))
        except Exception as error:
            said = f"can't encode table {self.name!r}: {safe_str(error):.200}"
            raise LivetableError(said) from error
        if body is None:
            raise LivetableError(self._state.failure or f"table {self.name!r} has no frame yet")
        # A copy of memory shared with viewers: this process writes to it again, so the bytes would
        # change under a forked child that holds them.
        return body.data if body.place is None else memoryview(bytes(body.data))

    def show_tail(self, row: Any) -> None:
        """Add one unfinished row, for sources: a line whose end was not read yet.

        Viewers mark the row as unfinished, and no condition counts it. The next change of the table
        removes it first.

        Args:
            row: A table of one row.
        """
        self._add(row, "tail")

    def drop_tail(self) -> None:
        """Remove the row that `show_tail` added, if the table still has it."""
        self._check_open()
        if self._state.rows.has_tail:
            now = time.monotonic()
            self._state.rows.change(lambda table: table.drop_tail(now), now, time.time())
            self._changed()

    def set_source(self, **changes: Any) -> None:
        """Update the status of the source that this process reads the table from, for sources.

        Args:
            changes: Attributes of `SourceStatus`.
        """
        self._check_open()
        if self._state.set_source(**changes):
            self._hub.news(self._state, self._bound)

    def mirror(self, on_wanted: Callable[[], object]) -> Mirror:
        """Return a `Mirror`, through which this table gets its frames from another process.

        Args:
            on_wanted: Called for each request of a viewer, in the feed's thread.
        """
        from livetable.feed.server.mirror import Mirror  # late: few tables are mirrored

        return Mirror(self._state, partial(self._hub.news, self._state, self._bound), on_wanted)

    def fail(self, sentence: str, *, for_good: bool = False) -> None:
        """Tell viewers at once that the source failed, and that waiting for a table is useless.

        A script (`livetable NAME --once`) exits with the sentence. A viewer with a screen shows it
        as a note and stays open. A frame that is sent later is shown as usual. If a frame was sent
        before, this is only a note: viewers keep showing that frame.

        Args:
            sentence: Why the source failed.
            for_good: Whether the source can't recover, so that the table sent before will stay
                incomplete: a script then fails instead of printing it as complete.
        """
        self._check_open()
        state = self._state
        state.note = str(sentence)[:1000]
        state.failed = state.note if for_good or not state.seq else None
        # Set `note_is_new` first: the feed's thread resets `wanted` last. In the other order it
        # could reset `wanted` in between, and waiting viewers would get the note late.
        state.note_is_new = state.wanted = True
        self._hub.news(state, self._bound)
        if self.on_failure is not None and state.failed is not None:
            self.on_failure(state.failed)

    def _add(self, rows: Any, how: Literal["upsert", "append", "tail"]) -> None:
        self._check_open()
        loaded("livetable.feed.rows.deltas")
        from livetable.feed.rows.deltas import begun
        from livetable.feed.rows.input import captured_rows, fit, prepared

        captured = captured_rows(rows, self._key)
        if not sum(part.shape[0] for part in captured):
            return  # no rows: nothing to do
        # Whatever may run the caller's code runs here. Inside the table's turn it would block the
        # other threads that change this table.
        parts = list(map(prepared, captured))
        first = None if self._state.seq else begun(captured[0], None, self._state.key)
        now = time.monotonic()

        def act(table: KeyedTable) -> None:
            table.drop_tail(now)
            fitted_parts, state = fit(parts, table.now, table.key, self._schema)
            if how == "tail":
                table.show_tail(fitted_parts[0], state, now)
            elif how == "upsert":
                table.upsert(fitted_parts, state, now)
            else:
                table.append(fitted_parts, state, now)

        by_index = how == "upsert" and not self._key
        self._state.rows.change(act, now, time.time(), first=first, by_index=by_index)
        self._changed()

    def _changed(self) -> None:
        if self._state.rows.is_bloated:
            self._hub.tidy(self._state)


def _has_index(rows: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)
