"""`Publisher`: what a producer imports. One line to create it, one line to send."""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Any

from livetable.feed import directory
from livetable.feed.errors import BadFrame, LivetableError, PublisherClosed
from livetable.feed.frames import Captured, capture
from livetable.feed.hub import get_hub
from livetable.feed.labels import to_json
from livetable.feed.state import Body, TableState
from livetable.feed.wire import check_name


class Publisher:
    """A named, live table that viewers on this machine, or on `endpoint`, can watch.

    Nothing a viewer does is felt here: `send` keeps a copy-on-write snapshot and returns; a thread
    of the process encodes the newest one, and only when a viewer asks for it.

        orders = Publisher("orders", key="id")
        orders.send(df)

    Args:
        name: What viewers call the table, at most 64 bytes, without ``/ \\ #``.
        key: The column, or list of columns, that identify a row. None: rows are told apart by
            the index's labels.
        endpoint: Where to publish; None for a local socket that only this user can read. Publishers
            of one process that name the same endpoint share it. ``tcp://127.0.0.1:0`` takes a free
            port, see `endpoint`.
        listed: Whether `livetable` without a source lists the table; one with an endpoint of its
            own need not be.

    Raises:
        NameTaken: a live process, named in the sentence, publishes a table of this name.
        BadName: the name can't be used.
        BadEndpoint: the endpoint can't be bound.
        RuntimeFolder: there is no folder for local sockets that only this user can use.
    """

    def __init__(
        self,
        name: str,
        *,
        key: Any = None,
        endpoint: str | None = None,
        listed: bool = True,
    ) -> None:
        self._open = False
        self.name = check_name(name)
        self._key = tuple(key) if isinstance(key, list) else () if key is None else (key,)
        self._state = TableState(self.name, tuple(map(to_json, self._key)), _LateEncoder())
        self._pid = os.getpid()
        if endpoint is not None:
            directory.check_endpoint(endpoint)
        self._claim: directory.Claim | None = None
        try:
            if listed or endpoint is None:
                self._claim = directory.claim(self.name, endpoint)
        except (LivetableError, ImportError):
            if endpoint is None or not endpoint.startswith("tcp://"):
                raise
            # Over TCP it can do without being listed: the folder only helps to find it.
        self._hub = get_hub()
        bind = endpoint or (self._claim.endpoint if self._claim else "")
        try:
            self.endpoint: str = self._hub.add(self._state, bind)
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
        self._state.put(captured, captured.shape, time.monotonic(), time.time())
        self._hub.news(self._state, self.endpoint)

    def note(self, sentence: str | None) -> None:
        """Show viewers a sentence about the source, until it is replaced or None is given."""
        self._check_open()
        self._state.note = None if sentence is None else str(sentence)[:1000]

    def close(self) -> None:
        """End the table; viewers are told so. A second call does nothing."""
        if not self._open or os.getpid() != self._pid:
            return
        self._open = False
        self._hub.remove(self._state, self.endpoint)
        if self._claim is not None:
            self._claim.release()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
        if not self._open:
            raise PublisherClosed(f"table {self.name!r} was closed: make a new Publisher")

    def _check_key(self, captured: Captured) -> None:
        frame = captured.frame
        known = frame.columns if hasattr(frame, "iloc") else frame.column_names
        for label in self._key:
            if label not in known:
                raise BadFrame(
                    f"table {self.name!r} has the key {label!r}, but the frame has no such column"
                )


class _LateEncoder:
    """An encoder that imports Arrow when the first viewer asks, not when a producer starts."""

    def __init__(self) -> None:
        self._encode: Any = None

    def __call__(self, captured: Captured) -> Body:
        if self._encode is None:
            from livetable.feed.encode import Encoder

            self._encode = Encoder()
        body: Body = self._encode(captured)
        return body
