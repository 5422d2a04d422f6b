"""What sources publish with in tests: one publisher, or real ones, and all that is said."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from livetable.feed import Publisher


class Recorder(Publisher):
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.frames: list[Any] = []
        self.notes: list[str | None] = []

    def send(self, frame: Any) -> None:
        self.frames.append(frame)

    def note(self, sentence: str | None) -> None:
        self.notes.append(sentence)


class Published:
    """A `Publish` that keeps what it is asked for and told.

    Args:
        first: The publisher of the table that is asked for first; further ones are real.
    """

    def __init__(self, first: Publisher | None = None) -> None:
        self.asked: list[tuple[str, Any, int | None]] = []
        self.said: list[str] = []
        self.states: list[str] = []
        self._first = first

    def __call__(
        self,
        name: str,
        *,
        key: Any = None,
        limit: int | None = None,
        ttl: float | None = None,
        is_further: bool = False,
    ) -> Publisher:
        self.asked.append((name, key, limit))
        if self._first is not None and not is_further:
            return self._first
        return Publisher(name, key=key, limit=limit, ttl=ttl)

    def ready(self, sentence: str) -> None:
        self.said.append(sentence)

    def away(self, state: str) -> None:
        self.states.append(state)


TABLE = pa.table({"a": [1, 2], "b": ["x", None]})


FRAME = TABLE.to_pandas()
