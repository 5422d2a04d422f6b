"""Slow tables, encoded beside the feed's thread, which goes on answering meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from livetable.feed.base.native import Pausing, start_thread
from livetable.feed.protocol.messages import Position
from livetable.feed.server.table_state import TableState

_MOST_ENCODING: Final = 8


class SideEncoding:
    """Encodes slow tables, each once at a time. Its methods are called in the feed's thread.

    Args:
        post: Has a job done in the feed's thread.
        news: Tells viewers of a table.
    """

    def __init__(
        self, post: Callable[[Callable[[], None]], None], news: Callable[[TableState], None]
    ) -> None:
        self._post = post
        self._news = news
        self._preparing: set[TableState] = set()
        self._queue: deque[tuple[TableState, Position | None, bool]] = deque()
        self._after: dict[TableState, list[Callable[[], None]]] = {}

    def prepare(self, table: TableState, have: Position | None, deltas: bool) -> None:
        """Encode what a viewer needs of a slow table, then tell viewers of it."""
        if table in self._preparing:
            return
        self._preparing.add(table)
        self._queue.append((table, have, deltas))
        self._encode_next()

    def prepare_last(self, table: TableState, finish: Callable[[], None]) -> None:
        """Encode a slow table whole, then do what is to be done when viewers know it."""
        self._after.setdefault(table, []).append(finish)
        self.prepare(table, None, False)

    def _encode_next(self) -> None:
        if self._queue and len(self._preparing) - len(self._queue) < _MOST_ENCODING:
            table, have, deltas = self._queue.popleft()
            try:
                start_thread(lambda: self._encode(table, have, deltas))
            except RuntimeError:  # no more threads
                self._encode(table, have, deltas)

    def _encode(self, table: TableState, have: Position | None, deltas: bool) -> None:
        made = None
        try:
            with Pausing():
                made = table.since(have, deltas=deltas)
        finally:

            def done() -> None:
                self._preparing.discard(table)
                table.encoding.prepared = made
                self._news(table)
                for finish in self._after.pop(table, ()):
                    finish()
                self._encode_next()

            self._post(done)
