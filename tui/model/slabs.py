"""Memory for the small bodies of frames, which are kept long and forgotten in order. No Textual.

Allocated by the C library, they would be scattered among short-lived objects: the memory of a
forgotten frame is soon used for something smaller, and the next frame does not fit there. Measured:
a viewer in use then grows by a megabyte per minute.
"""

from __future__ import annotations

import mmap
import sys
from typing import Final

SLAB: Final = 1 << 18
"""Bytes that are allocated at once; freed when none of their bodies is in use."""

MOST: Final = SLAB // 4
"""Larger bodies are not copied."""

_ALIGNED: Final = 64  # Arrow reads unaligned bodies more slowly


class Slabs:
    """Copies bodies into large blocks, one after the other. For one thread."""

    def __init__(self) -> None:
        self._slab: memoryview | None = None
        self._used = 0

    def keep(self, body: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """Return a copy of a body in a slab; a large body itself."""
        size = len(body)
        if not 0 < size <= MOST:
            return body
        if self._slab is None or self._used + size > SLAB:
            self._slab, self._used = memoryview(mmap.mmap(-1, SLAB, **_PRIVATE)), 0
        place = self._slab[self._used : self._used + size]
        place[:] = body
        self._used += -(-size // _ALIGNED) * _ALIGNED
        return place.toreadonly()


_PRIVATE: Final[dict[str, int]] = (
    {} if sys.platform == "win32" else {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
)
"""Not shared with child processes: they would keep the memory."""
