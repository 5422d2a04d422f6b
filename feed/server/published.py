"""The life of a published table: it claims a name, is served under it, and is closed."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Literal, NoReturn

from livetable.feed.base.closing import Closing
from livetable.feed.base.late_import import loaded
from livetable.feed.base.native import sleep, start_thread
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.curve.keys import pair_for
from livetable.feed.errors import LivetableError, NameTaken, PublisherClosed
from livetable.feed.local import claims, endpoints, records
from livetable.feed.protocol.labels import to_json
from livetable.feed.protocol.names import check_name
from livetable.feed.protocol.place import can_share
from livetable.feed.rows.key_columns import key_of
from livetable.feed.server.arguments import (
    is_by_broker,
    is_made_again,
    limit_of,
    maker,
    ttl_of,
    types_of,
)
from livetable.feed.server.encoding import LateEncoder
from livetable.feed.server.hub import Hub, get_hub
from livetable.feed.server.row_changes import PATIENCE_SECONDS
from livetable.feed.server.table_state import TableState
from livetable.feed.server.zmtp import say_taken


class Published(Closing):
    """Claims a name, serves a table under it, and ends it. `Publisher` adds the sending of rows."""

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
        # Long, because the order matters: check all arguments, then claim the name, then bind the
        # socket. A refused argument must leave no name claimed and no socket bound.
        self._open = False
        self._pid = os.getpid()
        self._taken_by: str | None = None
        self._made = maker()
        self.on_failure: Callable[[str], object] | None = None
        """Called with the sentence that `fail` was given."""
        self.name = check_name(name)
        self._limit = limit_of(limit)
        self._ttl = ttl_of(ttl)
        if taken not in ("error", "replace", "number"):
            raise ValueError(f'taken={taken!r}: must be "error", "replace" or "number"')
        self._key = key_of(key)
        by_broker = is_by_broker(endpoint)
        self._schema = types_of(schema)
        pair = None if endpoint is None or by_broker else pair_for(endpoint, secure)
        if pair is not None:  # `loaded` here: a fork waits for it, but not for the hub
            loaded("livetable.feed.server.keyed_socket")
        self._claim: claims.Claim | None = None
        older: Published | None = None
        try:
            if endpoint is None or (listed and not by_broker):
                self._claim, older = self._claimed(endpoint, taken)
        except (LivetableError, ImportError):
            if endpoint is None or not endpoint.startswith("tcp://"):
                raise
            # A TCP table works without being listed: viewers can name its endpoint.
        self._state = TableState(
            self.name,
            tuple(map(to_json, self._key)),
            LateEncoder(is_local=endpoint is None or can_share(endpoint)),
            limit=self._limit,
            ttl=self._ttl,
        )
        bind = self._claim.bind if self._claim is not None else endpoint or ""
        try:
            self._hub = _hub_of(endpoint) if by_broker and endpoint else get_hub()
            if older is None or by_broker:
                self._bound: str = self._hub.add(self._state, bind, pair)
            else:
                self._bound = self._hub.add(self._state, bind, pair, replaces=older._state)  # noqa: SLF001 - one of ours
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

    def _claimed(self, endpoint: str | None, taken: str) -> tuple[claims.Claim, Published | None]:
        """Claim the name. Return the claim, and this process's Publisher that held it before."""
        name, number, older = self.name, 1, None
        while True:
            try:
                claim = claims.claim(self.name, endpoint, replace=taken == "replace")
                claim.holder = weakref.ref(self)
                return claim, older
            except NameTaken as error:
                if taken == "number":
                    number += 1
                    self.name = check_name(f"{name}-{number}")
                    continue
                holder = error.holder() if callable(error.holder) else None
                if older is not None or not isinstance(holder, Published):
                    raise
                if taken != "replace" and not is_made_again(holder._made, self._made):  # noqa: SLF001
                    raise
                older = holder
                by = f"a newer Publisher of this process (made at {self._made[0]})"
                older._give_up(by)  # noqa: SLF001

    def _lose(self) -> None:
        """Close, because another process took the name. Ignored unless the folder confirms it."""
        if self._claim is not None and not self._claim.is_held:
            self._taken_by, self._open = "another process", False
            self._claim.release()
            self._hub.remove(self._state, self._bound, waits=False)

    def _give_up(self, by: str) -> None:
        self._taken_by, self._open = by, False
        if self._claim is not None:
            self._claim.release()

    @property
    def key(self) -> tuple[Any, ...]:
        """The columns that identify a row; empty without ``key=``."""
        return self._key

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns of the current table."""
        self._state.expire(time.monotonic(), patience=PATIENCE_SECONDS)
        return self._state.shape

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all current viewers of the table have its newest frame.

        A script that sends and exits need not call this: viewers get the last frame when it exits.
        Call it when viewers must have the frame before the program goes on.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            True if no viewer lacks the newest frame (also if there are no viewers). With a broker:
            True if the frame is on its way to the broker.
        """
        self._check_forked()
        if not self._open:
            return True
        if isinstance(self._hub, Hub):
            return self._hub.flush(self._state, self._bound, float(timeout))
        until = time.monotonic() + float(timeout)
        while self._state.seq and not self._state.encoding.is_encoded and time.monotonic() < until:
            sleep(0.005)
        return not self._state.seq or self._state.encoding.is_encoded

    def end(self, note: str | None = None) -> None:
        """Declare the table complete. Viewers can still read it until `close`.

        A second call does nothing.

        Args:
            note: A sentence to show to viewers.
        """
        self._check_forked()
        if not self._open or self._state.ended:
            return
        if note is not None:
            self.note(note)
        self._state.ended = True
        self._hub.news(self._state, self._bound)

    def note(self, sentence: str | None) -> None:
        """Show viewers a sentence about the source. A new sentence replaces it; None clears it."""
        self._check_open()
        self._state.failed = None  # a note replaces a failure: waiting may help again
        self._state.note = None if sentence is None else str(sentence)[:1000]

    def close(self) -> None:
        """End the table and tell its viewers. A second call does nothing."""
        self._close(waits=True)

    def _close(self, *, waits: bool) -> None:
        if not self._open or os.getpid() != self._pid:
            return
        self._open = False
        if self._claim is not None:
            self._claim.release()  # first: the name must be free again as soon as close() is called
        if isinstance(self._hub, Hub):
            self._hub.remove(self._state, self._bound, waits=waits)
        elif waits:
            self._hub.remove(self._state, self._bound)
        else:
            start_thread(partial(self._hub.remove, self._state, self._bound))

    def __del__(self) -> None:
        # Without this, a dropped Publisher would keep its name claimed. It may interrupt any code,
        # also code that holds a lock, so it must not wait.
        if getattr(self, "_open", False) and not sys.is_finalizing():  # at exit `hub` ends tables
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
            f"can't copy the Publisher of table {self.name!r}: pass on the one you have"
        )

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__copy__()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise PublisherClosed(
            f"can't pickle the Publisher of table {self.name!r}: make one in the other process"
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
                f"table {self.name!r} was taken over by {self._taken_by}: use that Publisher"
            )
        if not self._open or self._state.ended:
            how = "closed" if not self._open else "ended"
            raise PublisherClosed(f"table {self.name!r} was {how}: make a new Publisher")


def _if_there(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call a method, unless its object was collected. A strong reference would keep it alive."""
    if (bound_method := method()) is not None:
        bound_method()


def _tell_taken(other: records.Entry, name: str) -> None:
    # Connect to the other process's own socket: the link of the name already leads to this process.
    path = endpoints.socket_path(other.process or other.endpoint)
    if path is not None:
        with contextlib.suppress(RuntimeError):
            start_thread(partial(say_taken, path, name))


def _hub_of(endpoint: str) -> Any:
    """Return the broker's hub, which takes the place of this process's `Hub`."""
    from livetable.feed.server.broker_hub import broker_hub

    return broker_hub(endpoint)
