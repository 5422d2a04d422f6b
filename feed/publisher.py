"""`Publisher`: what a producer imports. One line to create it, one line to send."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from livetable.feed import directory
from livetable.feed.closing import Closing
from livetable.feed.errors import BadFrame, LivetableError, PublisherClosed
from livetable.feed.frames import Captured, capture
from livetable.feed.hub import get_hub
from livetable.feed.keys import pair_for
from livetable.feed.labels import to_json
from livetable.feed.state import Body, TableState
from livetable.feed.wire import can_share, check_name

if TYPE_CHECKING:
    from livetable.feed.changing import ChangingTable


class Publisher(Closing):
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

    def __init__(
        self,
        name: str,
        *,
        key: Any = None,
        endpoint: str | None = None,
        limit: int | None = None,
        ttl: float | None = None,
        listed: bool = True,
        secure: bool | None = None,
    ) -> None:
        self._open = False
        self.on_failure: Callable[[str], object] | None = None
        """Told of what `fail` is called with."""
        self.name = check_name(name)
        if limit is not None and (isinstance(limit, bool) or limit != int(limit) or limit < 1):
            raise ValueError(f"limit={limit!r}: a number of rows, 1 at least")
        if ttl is not None and not ttl > 0:
            raise ValueError(f"ttl={ttl!r}: a number of seconds, more than 0")
        self._limit = None if limit is None else int(limit)
        self._key = tuple(key) if isinstance(key, list) else () if key is None else (key,)
        self._state = TableState(
            self.name,
            tuple(map(to_json, self._key)),
            _LateEncoder(is_local=endpoint is None or can_share(endpoint)),
            limit=self._limit,
            ttl=None if ttl is None else float(ttl),
        )
        self._pid = os.getpid()
        by_broker = endpoint is not None and "://" in endpoint and _is_brokers(endpoint)
        if endpoint is not None and not by_broker:
            directory.check_endpoint(endpoint)
        pair = None if endpoint is None or by_broker else pair_for(endpoint, secure)
        self._claim: directory.Claim | None = None
        try:
            if endpoint is None or (listed and not by_broker):
                self._claim = directory.claim(self.name, endpoint)
        except (LivetableError, ImportError):
            if endpoint is None or not endpoint.startswith("tcp://"):
                raise
            # Over TCP it can do without being listed: the folder only helps to find it.
        self._hub = _hub_of(endpoint) if by_broker and endpoint else get_hub()
        bind = endpoint or (self._claim.endpoint if self._claim else "")
        try:
            self.endpoint: str = self._hub.add(self._state, bind, pair)
            if (path := directory.socket_path(self.endpoint)) is not None:
                os.chmod(path, 0o600)
            if self._claim is not None:
                self._claim.publish(self.endpoint)
        except BaseException:
            if self._claim is not None:
                self._claim.release()
            raise
        self._open = True

    def send(self, frame: Any) -> None:
        """Make `frame` the table: viewers see it at once, and only the newest.

        Takes the same few microseconds for a thousand rows as for a million, never blocks, and
        never raises because of a viewer. `frame` may be changed as soon as this returns.

        Args:
            frame: A pandas DataFrame or Series; anything with the Arrow PyCapsule interface
                (polars, pyarrow, duckdb); a dict of columns; a list of dicts.

        Raises:
            BadFrame: it is none of these, or lacks a key column.
            PublisherClosed: after `close`, or in a forked child.
        """
        self._check_open()
        captured = capture(frame)
        if self._key:
            self._check_key(captured)
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
            unfinished=rows - 1 if unfinished and rows else None,
        )  # fmt: skip
        self._hub.news(self._state, self.endpoint)

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
                "DataFrame, whose index is the key then"
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
        if self._state.has_tail:
            now = time.monotonic()
            self._state.change(lambda table: table.drop_tail(now), now, time.time())
            self._changed()

    def set_source(self, **changes: Any) -> None:
        """Say how this process stands with what it reads the table from, for sources.

        Args:
            changes: Attributes of `SourceStatus`.
        """
        self._check_open()
        if self._state.set_source(**changes):
            self._hub.news(self._state, self.endpoint)

    def _add(self, rows: Any, how: Literal["upsert", "append", "tail"]) -> None:
        self._check_open()
        from livetable.feed.incoming import captured_rows, fit

        captured = captured_rows(rows, self._key)
        if not sum(one.shape[0] for one in captured):
            return  # of no rows there is nothing to do
        now = time.monotonic()

        def act(table: ChangingTable) -> None:
            table.drop_tail(now)
            parts, state = fit(captured, table.now, table.key)
            if how == "tail":
                table.show_tail(parts[0], state, now)
            elif how == "upsert":
                table.upsert(parts, state, now)
            else:
                table.append(parts, state, now)

        by_index = how == "upsert" and not self._key
        self._state.change(act, now, time.time(), first=captured[0], by_index=by_index)
        self._changed()

    def delete(self, keys: Any) -> int:
        """Remove rows by key, all of them at once.

        Args:
            keys: A key, or several as list, array, Series or Index; of a compound key tuples, or a
                DataFrame with its columns.

        Returns:
            How many were there; keys that were not are passed over.

        Raises:
            BadFrame: these can't be keys of the table.
            PublisherClosed: after `close` or `end`, or in a forked child.
        """
        self._check_open()
        if not self._state.seq:
            return 0
        from livetable.feed.changes import keys_given

        now = time.monotonic()
        if not self._key:
            labelled = self._state.change(
                lambda table: bool(table.now.shape.levels), now, time.time()
            )
            if not labelled:
                raise BadFrame(
                    f"table {self.name!r} has no key, and its index only counts: make the "
                    "Publisher with key=, or send frames with an index"
                )
        gone = self._state.change(
            lambda table: table.delete(keys_given(keys, table.now, table.key), now),
            now,
            time.time(),
            by_index=not self._key,
        )
        self._changed()
        return gone

    def _changed(self) -> None:
        self._hub.news(self._state, self.endpoint)
        if self._state.is_bloated:
            self._hub.tidy(self._state)

    @property
    def key(self) -> tuple[Any, ...]:
        """The columns that identify a row, none if there are none."""
        return self._key

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the table now."""
        return self._state.shape

    def snapshot(self) -> memoryview:
        """Return the table now as a body: an Arrow IPC stream (docs/protocol.md).

        Raises:
            LivetableError: there is no table yet, or its newest frame can't be encoded.
        """
        self._check_open()
        found = self._state.since(None)
        if found is None:
            raise LivetableError(self._state.failure or f"table {self.name!r} has no frame yet")
        # Of memory that viewers read a copy: to a child that is forked it would change.
        return found.body.data if found.body.place is None else memoryview(bytes(found.body.data))

    def end(self) -> None:
        """Say that nothing will change any more. The table can be looked at until `close`."""
        self._check_open()
        self._state.ended = True
        self._hub.news(self._state, self.endpoint)

    def note(self, sentence: str | None) -> None:
        """Show viewers a sentence about the source, until it is replaced or None is given."""
        self._check_open()
        self._state.failed = None  # the newest word counts: what is noted may be cured by waiting
        self._state.note = None if sentence is None else str(sentence)[:1000]

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
        self._hub.news(state, self.endpoint)
        if self.on_failure is not None and state.failed is not None:
            self.on_failure(state.failed)

    def close(self) -> None:
        """End the table; viewers are told so. A second call does nothing."""
        if not self._open or os.getpid() != self._pid:
            return
        self._open = False
        self._hub.remove(self._state, self.endpoint)
        if self._claim is not None:
            self._claim.release()

    def __del__(self) -> None:
        # Without this the name would stay taken by a table that nobody can send to.
        if self._open:
            self.close()

    def __repr__(self) -> str:
        return f"Publisher({self.name!r}, endpoint={getattr(self, 'endpoint', None)!r})"

    def _check_open(self) -> None:
        if os.getpid() != self._pid:
            raise PublisherClosed(
                f"table {self.name!r} belongs to process {self._pid}, from which this one was "
                "forked: make a Publisher here under another name"
            )
        if not self._open or self._state.ended:
            how = "closed" if not self._open else "ended"
            raise PublisherClosed(f"table {self.name!r} was {how}: make a new Publisher")

    def _check_key(self, captured: Captured) -> None:
        frame = captured.frame
        # A list: `in` of pandas' own index asks NumPy for types, which swallows a Ctrl-C.
        known = list(frame.columns if hasattr(frame, "iloc") else frame.column_names)
        for label in self._key:
            if known.count(label) > 1:
                raise BadFrame(f"the frame has several columns called {label!r}, which is the key")
            if label not in known:
                as_index = label in getattr(getattr(frame, "index", None), "names", ())
                there = ", ".join(map(repr, known[:20])) + (", …" if len(known) > 20 else "")
                raise BadFrame(
                    f"table {self.name!r} has the key {label!r}, but the frame has no such column"
                    + (
                        ": it is the index; hand over .reset_index()"
                        if as_index
                        else f"; there are {there or 'none'}"
                    )
                )


def _is_brokers(endpoint: str) -> bool:
    from livetable.feed.addresses import scheme_of

    return scheme_of(endpoint) is not None


def _hub_of(endpoint: str) -> Any:
    """Return what puts tables to a broker; it takes the place of the hub."""
    from livetable.feed.brokerhub import broker_hub

    return broker_hub(endpoint)


def _has_index(rows: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)


class _LateEncoder:
    """An encoder that imports Arrow when the first viewer asks, not when a producer starts."""

    def __init__(self, *, is_local: bool) -> None:
        self._is_local = is_local
        self._encode: Any = None

    def __call__(self, captured: Captured) -> Body:
        if hasattr(captured.frame, "labels"):  # a state that came over the wire, or from a tape
            from livetable.feed.following import body_of

            return Body(body_of(captured.frame), *captured.shape)
        if self._encode is None:
            from livetable.feed.encode import Encoder
            from livetable.feed.memory import SharedRoom

            self._encode = Encoder(SharedRoom() if self._is_local else None)
        body: Body = self._encode(captured)
        return body
