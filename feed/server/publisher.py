"""`Publisher`: what a producer imports. One line to create it, one line to send."""

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
    """A named, live table that viewers on this machine, or on `endpoint`, can watch.

    Nothing a viewer does is felt here: `send` keeps a copy-on-write snapshot and returns; a thread
    of the process encodes the newest one, and only when a viewer asks for it.

        orders = Publisher("orders", key="id")
        orders.send(df)
        orders.upsert({"id": 7, "price": 1.5})

    Args:
        name: What viewers call the table, at most 64 bytes, without ``/ \\ #``.
        key: The column, or list of columns, that identify a row. None: rows are told apart by
            the index's labels.
        endpoint: Where to publish; None for a local socket that only this user can read. Publishers
            of one process that name the same endpoint share it. ``tcp://127.0.0.1:0`` takes a free
            port, see `endpoint`. ``nats://…`` or ``redis://…`` puts it to a broker, of which
            any machine reads it.
        limit: The most rows that the table holds; of more the oldest ones go, by when they came.
        ttl: Seconds after which a row goes that was not sent again.
        schema: Types that columns have whatever comes: ``{"price": float}``. Others widen: whole
            numbers to floats, dates to times.
        taken: What to do where a live process publishes a table of this name. ``"error"``: raise
            NameTaken; in this very process the newer Publisher takes over if the same line made
            the older, or both were made in an interactive session (a cell that is run again).
            ``"replace"``: take the name, the other one raises PublisherClosed from then on.
            ``"number"``: call this one ``name-2``, the lowest number that is free (`name`).
        listed: Whether `livetable` without a source lists the table; one with an endpoint of its
            own need not be.
        secure: Whether viewers have to have a key that authorized_viewers names, and all is
            encrypted (docs/security.md). None: on ``tcp://`` endpoints that other machines
            can connect to. False: anybody who can connect reads it.

    Raises:
        NameTaken: a live process, named in the sentence, publishes a table of this name.
        BadName: the name can't be used.
        BadEndpoint: the endpoint can't be bound; or other machines can connect to it and there is
            no key.
        BadKey: there is one that can't be used.
        RuntimeFolder: there is no folder for local sockets that only this user can use.
    """

    def send(self, frame: Any) -> None:
        """Make `frame` the table: viewers see it at once, and only the newest.

        Takes the same few hundred microseconds at most for a thousand rows as for a million, never
        blocks, and never raises because of a viewer. `frame` may be changed as soon as this
        returns. The first holds for pandas frames (pandas 3) that own their memory. Copied before
        it returns, at some gigabytes a second, is memory that somebody else may still write to: a
        frame over a NumPy array that you hold, Arrow tables (pyarrow, polars, duckdb), pandas'
        extension arrays but Arrow's (categories, nullable numbers, times with a zone), lists and
        dicts in cells. The text of other objects in cells is made later: don't change those, nor
        NumPy's columns through ``.array``.

        Args:
            frame: A pandas DataFrame or Series; anything with the Arrow PyCapsule interface
                (polars, pyarrow, duckdb) or ``to_pandas()``; a dict of columns; rows one after the
                other: dicts, named tuples, dataclasses, models.

        Raises:
            BadFrame: it is none of these, or lacks a key column.
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
        """Make what was captured the table: `send` without its checks, for sources.

        Args:
            captured: The table.
            unfinished: Whether its last row may still become another one.
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
        """Insert rows, or replace those of the same key. Columns that are left out stay.

        All of them at once: no viewer sees half of it. Takes time in proportion to `rows`, whatever
        the table's size; only the first one after a `send` reads all keys.

        Args:
            rows: What `send` takes, or one dict: a row. Without ``key=`` a pandas DataFrame, whose
                index is the key. A new column is null in all other rows.

        Raises:
            BadFrame: a key is missing, or there twice; or a column changes its type. The table is
                as it was then.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        if not self._key and not _has_index(rows):
            raise BadFrame(
                f"table {self.name!r} has no key: make the Publisher with key=, or upsert a pandas "
                "DataFrame, whose index then is the key"
            )
        self._add(rows, "upsert")

    def append(self, rows: Any) -> None:
        """Add rows at the end, all of them at once.

        Args:
            rows: What `upsert` takes. Columns that are left out are null.

        Raises:
            BadFrame: a key is missing, or there already; or a column changes its type. The table is
                as it was then.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        self._add(rows, "append")

    def delete(self, keys: Any) -> int:
        """Remove rows by key, all of them at once.

        Args:
            keys: A key, or several as list, array, Series or Index; of a compound key tuples, or a
                DataFrame with its columns.

        Returns:
            How many were there; keys that were not are passed over. 0 where it can't be waited for:
            in a signal handler or a finalizer that interrupted a change of this table, after which
            the rows go.

        Raises:
            BadFrame: these can't be keys of the table.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        # Long by what it says: how keys are given, and when they are tried as they are.
        self._check_open()
        if not self._state.seq:
            return 0
        loaded("livetable.feed.rows.deltas")
        from livetable.feed.rows.deltas import keys_given, keys_held

        now = time.monotonic()
        if not self._key:
            # None where it is not waited for: then the keys are tried as they are.
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
        """Return the table now as a body: an Arrow IPC stream (docs/protocol.md).

        Raises:
            LivetableError: there is no table yet, or its newest frame can't be encoded.
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
        # Of memory that viewers read a copy: to a child that is forked it would change.
        return body.data if body.place is None else memoryview(bytes(body.data))

    def show_tail(self, row: Any) -> None:
        """Add one row that may still become another one, for sources: a line without an end.

        Viewers show it as such, and no condition counts it. The next change of the table takes it
        back first.

        Args:
            row: A table of one row.
        """
        self._add(row, "tail")

    def drop_tail(self) -> None:
        """Take back what `show_tail` added, if that is still there."""
        self._check_open()
        if self._state.rows.has_tail:
            now = time.monotonic()
            self._state.rows.change(lambda table: table.drop_tail(now), now, time.time())
            self._changed()

    def set_source(self, **changes: Any) -> None:
        """Say how this process stands with what it reads the table from, for sources.

        Args:
            changes: Attributes of `SourceStatus`.
        """
        self._check_open()
        if self._state.set_source(**changes):
            self._hub.news(self._state, self._bound)

    def mirror(self, on_wanted: Callable[[], object]) -> Mirror:
        """Have the table's frames come from another process, through what is returned.

        Args:
            on_wanted: Called for each want of a viewer, in the feed's thread.
        """
        from livetable.feed.server.mirror import Mirror  # late: few tables come from elsewhere

        return Mirror(self._state, partial(self._hub.news, self._state, self._bound), on_wanted)

    def fail(self, sentence: str, *, for_good: bool = False) -> None:
        """Say at once that there is no table to show and that waiting brings none.

        A script (`livetable NAME --once`) ends with the sentence; a screen shows it as a note, and
        stays. A frame that is sent later shows as ever. Where a frame was sent before, this is a
        note: viewers keep that table.

        Args:
            sentence: Why.
            for_good: Whether the source is broken for ever, so that also a table that was sent
                before stays a part of what it should be: a script does not take it for the whole.
        """
        self._check_open()
        state = self._state
        state.note = str(sentence)[:1000]
        state.failed = state.note if for_good or not state.seq else None
        # In this order: the feed's thread looks at `wanted` last, and who waits is told at once.
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
        if not sum(one.shape[0] for one in captured):
            return  # of no rows there is nothing to do
        # All that may run somebody's code, before the table's turn is taken.
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
