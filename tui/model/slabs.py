"""Memory for small bodies of frames, which are kept for long and forgotten in turn. No Textual.

Left to the C library, a history lies in between all else that comes and goes: where one frame is
forgotten, there is soon something small, and the next frame finds no room. A viewer that is used
grows by a megabyte a minute so, though it holds no more.
"""

from __future__ import annotations

import mmap
import sys
from typing import Final

SLAB: Final = 1 << 18
"""Bytes that are taken from the system at once; given back when none of their bodies is held."""

MOST: Final = SLAB // 4
"""Of larger bodies each has memory of its own from the C library, or of whoever read it."""

_ALIGNED: Final = 64  # Arrow reads what begins elsewhere as well, but not as fast


class Slabs:
    """Copies bodies one behind the other. For one thread."""

    def __init__(self) -> None:
        self._slab: memoryview | None = None
        self._used = 0

    def keep(self, body: bytes | bytearray | memoryview) -> bytes | bytearray | memoryview:
        """Return a body, in memory that holds nothing but bodies; a large one as it is."""
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
"""Not shared with children: they would hold on to it."""
