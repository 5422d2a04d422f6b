"""The worker that makes tables of frames that the program itself shows: no socket in between."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from livetable.tui.model.feed_state import FeedState, Link

if TYPE_CHECKING:
    from livetable.feed.frames.captured import Captured
    from livetable.feed.protocol.labels import JsonLabel


_EARLY: Final = 50_000
"""Cells that become a table in a millisecond or two."""


class ShownFrames:
    """Holds the newest frame that was shown, and makes a table of it. It is a `Feed`.

    `run` blocks, in a thread of its own; the rest is for any thread. It never holds more than one
    frame: what is shown while an older one is worked on replaces what waits.

    Args:
        key: The key column, or a list of them; None for none.
        on_news: Called, from the worker's thread, when `take` has something newer.

    Raises:
        ValueError: the key is no column's label, nor a list of them.
    """

    def __init__(self, key: Any, on_news: Callable[[], object]) -> None:
        from livetable.feed.rows.key_columns import key_of

        self.name = ""
        self._key = key_of(key)
        self._on_news = on_news
        self._there = threading.Condition()
        self._newest: tuple[Captured, tuple[Any, ...]] | None = None
        self._is_stopped = False
        self._is_told = False
        self._number = 0
        self._merged = 0
        self._state = FeedState(link=Link.WAITING)

    def show(self, frame: Any, key: Any = None) -> None:
        """Show a frame instead of the last one. Returns at once; see `Publisher.send`.

        Args:
            frame: Whatever `Publisher.send` takes.
            key: The key of this frame and of those after it, None for the key as it is.

        Raises:
            BadFrame: it is no frame, or lacks a key column.
            ValueError: the key is no column's label, nor a list of them.
        """
        from livetable.feed.frames.capture import capture
        from livetable.feed.rows.key_columns import check_key, key_of

        labels = self._key if key is None else key_of(key)
        captured = capture(frame)
        check_key(captured, labels, "LiveTable")
        with self._there:
            self._key = labels
            self._merged += self._newest is not None
            self._newest = captured, labels
            self._there.notify()

    def read_early(self) -> None:
        """Make a table of what was shown before `run`, unless it is large: the loop would wait."""
        from livetable.feed.frames.decoder import Decoder
        from livetable.feed.frames.encoder import Encoder

        self._encode, self._decode = Encoder(), Decoder()
        with self._there:
            self._is_stopped = False  # the widget may be mounted again
            waiting = self._newest
            if waiting is None or waiting[0].beside or math.prod(waiting[0].shape) > _EARLY:
                return
            self._newest = None
        self._make(*waiting)

    def run(self) -> None:
        """Make tables until `stop`."""
        while True:
            with self._there:
                self._there.wait_for(lambda: self._newest is not None or self._is_stopped)
                if self._is_stopped or self._newest is None:
                    return
                waiting, self._newest = self._newest, None
            self._make(*waiting)

    def _make(self, captured: Captured, key: tuple[Any, ...]) -> None:
        from livetable.feed.protocol.labels import to_json
        from livetable.feed.protocol.messages import Position
        from livetable.feed.rows.replica import followed
        from livetable.tui.model.table import build

        sent = time.monotonic()
        labels: tuple[JsonLabel, ...] = tuple(map(to_json, key))
        try:
            body = self._encode(captured)
            state = followed(self._decode(body.data), len(body.data))
            self._number += 1
            table = build(state, labels, Position("shown", self._number), sent=sent)
        except Exception as error:  # a frame that can't be shown must not end the host
            self._change(problem=f"{error!r:.200}", skipped=self._state.skipped + 1)
            return
        self._change(
            link=Link.LIVE, table=table, age=0.0, heard=sent, merged=self._merged, problem=None
        )

    def _change(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        if not self._is_told and not self._is_stopped:
            self._is_told = True
            with contextlib.suppress(RuntimeError):  # the event loop has just ended
                self._on_news()

    def take(self) -> FeedState:
        """Return the newest state; the next news will be told again."""
        self._is_told = False  # first: news in between are told twice rather than never
        return self._state

    def credit(self) -> None:
        """Do nothing: the newest frame is there."""

    def stop(self) -> None:
        """End `run`. Returns at once."""
        with self._there:
            self._is_stopped = True
            self._there.notify()
