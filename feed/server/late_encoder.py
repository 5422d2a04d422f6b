"""What encodes a table's frames: it is imported when the first viewer asks."""

from __future__ import annotations

from typing import Any

from livetable.feed.base.late_import import loaded
from livetable.feed.frames.body import Body
from livetable.feed.frames.captured import Captured


class LateEncoder:
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
