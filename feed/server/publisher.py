"""`Publisher`: what a producer imports. One line to create it, one line to send."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from livetable.feed.base.closing import Closing
from livetable.feed.base.late_import import loaded
from livetable.feed.base.native import sleep, start_thread
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.curve.keys import pair_for
from livetable.feed.errors import (
    BadEndpoint,
    BadFrame,
    LivetableError,
    NameTaken,
    PublisherClosed,
)
from livetable.feed.frames.body import Body
from livetable.feed.frames.capture import Captured, capture, with_types
from livetable.feed.local import directory
from livetable.feed.protocol.labels import to_json
from livetable.feed.protocol.messages import can_share, check_name
from livetable.feed.server.hub import Hub
from livetable.feed.server.process_hub import get_hub
from livetable.feed.server.table_state import PATIENCE_SECONDS, TableState
from livetable.feed.server.zmtp import say_taken

if TYPE_CHECKING:
    from livetable.feed.rows.keyed_table import ChangingTable
    from livetable.feed.server.mirror import Mirror


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

    def __init__(
        self,
        name: str,
        *,
        key: Any = None,
        schema: Mapping[Any, Any] | None = None,
        endpoint: str | None = None,
        limit: int | None = None,
        ttl: float | None = None,
        taken: Literal["error", "replace", "number"] = "error",
        listed: bool = True,
        secure: bool | None = None,
    ) -> None:
        self._open = False
        self._pid = os.getpid()
        self._taken_by: str | None = None
        self._made = _maker()
        self.on_failure: Callable[[str], object] | None = None
        """Told of what `fail` is called with."""
        self.name = check_name(name)
        self._limit = _limit(limit)
        ttl = _ttl(ttl)
        if taken not in ("error", "replace", "number"):
            raise ValueError(f'taken={taken!r}: "error", "replace" or "number"')
        self._key = tuple(key) if isinstance(key, list) else () if key is None else (key,)
        if not all(map(_is_label, self._key)):
            raise ValueError(f"key={key!r:.60}: a column's label, or a list of them")
        if endpoint is not None and not isinstance(endpoint, str):
            raise BadEndpoint(f"{endpoint!r:.60} is no endpoint: write tcp://127.0.0.1:5411")
        self._schema = _types(schema)
        by_broker = endpoint is not None and "://" in endpoint and _is_brokers(endpoint)
        if endpoint is not None and not by_broker:
            directory.check_endpoint(endpoint)
        pair = None if endpoint is None or by_broker else pair_for(endpoint, secure)
        self._claim: directory.Claim | None = None
        older: Publisher | None = None
        try:
            if endpoint is None or (listed and not by_broker):
                self._claim, older = self._claimed(endpoint, taken)
        except (LivetableError, ImportError):
            if endpoint is None or not endpoint.startswith("tcp://"):
                raise
            # Over TCP it can do without being listed: the folder only helps to find it.
        self._state = TableState(
            self.name,
            tuple(map(to_json, self._key)),
            _LateEncoder(is_local=endpoint is None or can_share(endpoint)),
            limit=self._limit,
            ttl=ttl,
        )
        self._ttl = ttl
        bind = self._claim.bind if self._claim is not None else endpoint or ""
        try:
            self._hub = _hub_of(endpoint) if by_broker and endpoint else get_hub()
            if older is None or by_broker:
                self._bound: str = self._hub.add(self._state, bind, pair)
            else:
                self._bound = self._hub.add(self._state, bind, pair, replaces=older._state)  # noqa: SLF001 - a Publisher, too
            self._state.on_change = partial(self._hub.news, self._state, self._bound)
            self._state.on_taken = partial(_if_there, weakref.WeakMethod(self._lose))
            is_local = endpoint is None and self._claim is not None
            self.endpoint: str = self._claim.endpoint if is_local and self._claim else self._bound
            if self._claim is not None:
                self._claim.publish(self.endpoint)
        except BaseException:
            if self._claim is not None:
                self._claim.release()
            raise
        self._open = True
        if self._claim is not None and (other := self._claim.replaced) is not None:
            _tell_taken(other, self.name)

    def _claimed(
        self, endpoint: str | None, taken: str
    ) -> tuple[directory.Claim, Publisher | None]:
        """Return the name's claim, and the Publisher of this process that had it."""
        name, number, older = self.name, 1, None
        while True:
            try:
                claim = directory.claim(self.name, endpoint, replace=taken == "replace")
                claim.holder = weakref.ref(self)
                return claim, older
            except NameTaken as error:
                if taken == "number":
                    number += 1
                    self.name = check_name(f"{name}-{number}")
                    continue
                holder = error.holder() if callable(error.holder) else None
                if older is not None or not isinstance(holder, Publisher):
                    raise
                if taken != "replace" and not _is_made_again(holder._made, self._made):  # noqa: SLF001
                    raise
                older = holder
                by = f"a newer Publisher of this process (made at {self._made[0]})"
                older._give_up(by)  # noqa: SLF001

    def _lose(self) -> None:
        """Another process says that it has taken the name; the folder has to say so, too."""
        if self._claim is not None and not self._claim.is_held:
            self._taken_by, self._open = "another process", False
            self._claim.release()
            self._hub.remove(self._state, self._bound, waits=False)

    def _give_up(self, by: str) -> None:
        self._taken_by, self._open = by, False
        if self._claim is not None:
            self._claim.release()

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
            self._hub.news(self._state, self._bound)

    def _add(self, rows: Any, how: Literal["upsert", "append", "tail"]) -> None:
        self._check_open()
        loaded("livetable.feed.rows.deltas")
        from livetable.feed.rows.deltas import begun
        from livetable.feed.rows.input import captured_rows, fit, prepared

        captured = captured_rows(rows, self._key)
        if not sum(one.shape[0] for one in captured):
            return  # of no rows there is nothing to do
        # All that may run somebody's code, before the table's turn is taken.
        came = list(map(prepared, captured))
        first = None if self._state.seq else begun(captured[0], None, self._state.key)
        now = time.monotonic()

        def act(table: ChangingTable) -> None:
            table.drop_tail(now)
            parts, state = fit(came, table.now, table.key, self._schema)
            if how == "tail":
                table.show_tail(parts[0], state, now)
            elif how == "upsert":
                table.upsert(parts, state, now)
            else:
                table.append(parts, state, now)

        by_index = how == "upsert" and not self._key
        self._state.change(act, now, time.time(), first=first, by_index=by_index)
        self._changed()

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
        self._check_open()
        if not self._state.seq:
            return 0
        loaded("livetable.feed.rows.deltas")
        from livetable.feed.rows.deltas import keys_given, keys_held

        now = time.monotonic()
        if not self._key:
            # None where it is not waited for: then the keys are tried as they are.
            labelled = self._state.change(
                lambda table: bool(table.now.shape.levels), now, time.time()
            )
            if labelled is False:
                raise BadFrame(
                    f"table {self.name!r} has no key, and its index only counts: make the "
                    "Publisher with key=, or send frames with an index"
                )
        given = keys_held(keys)
        gone = self._state.change(
            lambda table: table.delete(keys_given(given, table.now, table.key), now),
            now,
            time.time(),
            by_index=not self._key,
        )
        self._changed()
        return gone or 0

    def _changed(self) -> None:
        if self._state.is_bloated:
            self._hub.tidy(self._state)

    @property
    def key(self) -> tuple[Any, ...]:
        """The columns that identify a row, none if there are none."""
        return self._key

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the table now."""
        self._state.expire(time.monotonic(), patience=PATIENCE_SECONDS)
        return self._state.shape

    def snapshot(self) -> memoryview:
        """Return the table now as a body: an Arrow IPC stream (docs/protocol.md).

        Raises:
            LivetableError: there is no table yet, or its newest frame can't be encoded.
        """
        self._check_open()
        self._state.expire(time.monotonic(), patience=PATIENCE_SECONDS)
        try:
            body = self._state.whole(_LateEncoder(is_local=False))
        except Exception as error:
            said = f"table {self.name!r} can't be encoded: {safe_str(error):.200}"
            raise LivetableError(said) from error
        if body is None:
            raise LivetableError(self._state.failure or f"table {self.name!r} has no frame yet")
        # Of memory that viewers read a copy: to a child that is forked it would change.
        return body.data if body.place is None else memoryview(bytes(body.data))

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all who look at the table now have its newest frame.

        A script that sends and ends at once need not call it: viewers get the last frame when it
        ends. It is for what must be seen before something else happens.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all viewers have it, have left, or nobody looks; of a broker: whether it is on
            its way there.
        """
        self._check_forked()
        if not self._open:
            return True
        if isinstance(self._hub, Hub):
            return self._hub.flush(self._state, self._bound, float(timeout))
        until = time.monotonic() + float(timeout)
        while self._state.seq and not self._state.is_encoded and time.monotonic() < until:
            sleep(0.005)
        return not self._state.seq or self._state.is_encoded

    def end(self, note: str | None = None) -> None:
        """Say that nothing will change any more. The table can be looked at until `close`.

        A second call does nothing.

        Args:
            note: A sentence that viewers are shown with it.
        """
        self._check_forked()
        if not self._open or self._state.ended:
            return
        if note is not None:
            self.note(note)
        self._state.ended = True
        self._hub.news(self._state, self._bound)

    def mirror(self, on_wanted: Callable[[], object]) -> Mirror:
        """Have the table's frames come from another process, through what is returned.

        Args:
            on_wanted: Called for each want of a viewer, in the feed's thread.
        """
        from livetable.feed.server.mirror import Mirror  # late: few tables come from elsewhere

        return Mirror(self._state, partial(self._hub.news, self._state, self._bound), on_wanted)

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
        self._hub.news(state, self._bound)
        if self.on_failure is not None and state.failed is not None:
            self.on_failure(state.failed)

    def close(self) -> None:
        """End the table; viewers are told so. A second call does nothing."""
        self._close(waits=True)

    def _close(self, *, waits: bool) -> None:
        if not self._open or os.getpid() != self._pid:
            return
        self._open = False
        if self._claim is not None:
            self._claim.release()  # at once: the name may be wanted again before viewers are told
        if isinstance(self._hub, Hub):
            self._hub.remove(self._state, self._bound, waits=waits)
        elif waits:
            self._hub.remove(self._state, self._bound)
        else:
            start_thread(partial(self._hub.remove, self._state, self._bound))

    def __del__(self) -> None:
        # Without this the name would stay taken by a table that nobody can send to. It may run in
        # the midst of anything, and waits for nothing.
        if getattr(self, "_open", False) and not sys.is_finalizing():  # then `hub` ends all tables
            self._close(waits=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and self._open and os.getpid() == self._pid:
            self.end(f"{type(error).__name__}: {safe_str(error)}"[:200])
        self.close()

    def __copy__(self) -> NoReturn:
        raise PublisherClosed(
            f"table {self.name!r} has one Publisher: hand over that one, it can't be copied"
        )

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise PublisherClosed(
            f"table {self.name!r} belongs to this process: make a Publisher in the other one, "
            "it can't be pickled"
        )

    def __repr__(self) -> str:
        return f"Publisher({self.name!r}, endpoint={getattr(self, 'endpoint', None)!r})"

    def _check_forked(self) -> None:
        if os.getpid() != self._pid:
            raise PublisherClosed(
                f"table {self.name!r} belongs to process {self._pid}, from which this one was "
                "forked: make a Publisher here under another name"
            )

    def _check_open(self) -> None:
        self._check_forked()
        if sys.is_finalizing():
            raise PublisherClosed(f"table {self.name!r} ended with its process")
        if self._taken_by is not None:
            raise PublisherClosed(
                f"table {self.name!r} was taken over by {self._taken_by}: use that one"
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


def _maker() -> tuple[str, bool]:
    """Return which line makes a Publisher, and whether that is one of an interactive session."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("livetable."):
        frame = frame.f_back
    if frame is None:
        return "?", False
    file = frame.f_code.co_filename
    name = os.path.basename(file)
    interactive = file in ("<stdin>", "<console>") or name.startswith(("<ipython", "<python-input"))
    interactive = interactive or "ipykernel" in file
    return f"{file}:{frame.f_lineno}", interactive


def _is_made_again(older: tuple[str, bool], newer: tuple[str, bool]) -> bool:
    """Tell whether a Publisher is made by the line that made one before, or by a cell like it."""
    return (older[0] == newer[0] != "?") or (older[1] and newer[1])


def _if_there(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call a method of what may be gone: who is told must not keep it."""
    if (there := method()) is not None:
        there()


def _tell_taken(other: directory.Entry, name: str) -> None:
    # Its own socket: the name's link leads to this process by now.
    path = directory.socket_path(other.process or other.endpoint)
    if path is not None:
        with contextlib.suppress(RuntimeError):
            start_thread(partial(say_taken, path, name))


def _limit(limit: Any) -> int | None:
    """Return how many rows there may be, None for any number.

    Raises:
        ValueError: it is no number of rows.
    """
    try:
        if limit is None or (not isinstance(limit, bool) and limit == int(limit) and limit >= 1):
            return None if limit is None else int(limit)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"limit={limit!r:.60}: a number of rows, 1 at least")


def _ttl(ttl: Any) -> float | None:
    """Return how many seconds a row stays, None for ever.

    Raises:
        ValueError: it is no number of seconds.
    """
    try:
        if ttl is None or (not isinstance(ttl, (bool, str)) and float(ttl) > 0):
            return None if ttl is None else float(ttl)
    except OverflowError:  # longer than a float tells
        if ttl > 0:
            return math.inf
    except (TypeError, ValueError):
        pass
    raise ValueError(f"ttl={ttl!r:.60}: a number of seconds, more than 0")


def _is_label(one: Any) -> bool:
    """Tell whether something can be a column's label: a tuple is one, a list of them is none."""
    try:
        hash(one)
    except TypeError:
        return False
    return True


def _types(schema: Mapping[Any, Any] | None) -> dict[str, Any]:
    """Return types by label's JSON.

    Raises:
        BadFrame: they are none.
    """
    if not schema:
        return {}
    if not isinstance(schema, Mapping):
        raise BadFrame(f"schema={schema!r:.60}: types by column, as in {{'price': float}}")
    loaded("livetable.feed.arrow.common_type")
    from livetable.feed.arrow.common_type import named_type

    return {json.dumps(to_json(label)): named_type(kind) for label, kind in schema.items()}


def _is_brokers(endpoint: str) -> bool:
    from livetable.feed.base.addresses import scheme_of

    return scheme_of(endpoint) is not None


def _hub_of(endpoint: str) -> Any:
    """Return what puts tables to a broker; it takes the place of the hub."""
    from livetable.feed.server.broker_hub import broker_hub

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
            loaded("livetable.feed.rows.replica")
            from livetable.feed.rows.replica import body_of

            return Body(body_of(captured.frame), *captured.shape)
        if self._encode is None:
            loaded("livetable.feed.frames.encoder")
            from livetable.feed.buffers.shared import SharedRoom
            from livetable.feed.frames.encoder import Encoder

            self._encode = Encoder(SharedRoom() if self._is_local else None)
        body: Body = self._encode(captured)
        return body
