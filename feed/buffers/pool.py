"""A pool of memory for bodies that come one after the other: freed memory is used again.

Fresh memory costs more than the copy into it: the system clears each page when it is first written
to, and allocators return large blocks to it and ask for them again.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import mmap

    import numpy as np

LEAST: Final = 256 << 10
"""Smallest body in the pool, in bytes; for smaller ones the allocator is as fast."""

MOST: Final = 16 << 20
"""Largest body in the pool, in bytes; keeping more would take too much memory."""

PAGE: Final = 4096
"""The size of a piece is a multiple of this many bytes."""

_FREE: Final = 2
_SPARE: Final = 16  # a piece is a sixteenth larger than needed, as bodies grow
_WASTE: Final = 4  # a piece that is more than a quarter too large is not used


class Piece:
    """A piece of memory.

    Attributes:
        memory: The memory.
        start: Offset at which bodies begin.
        array: The body in it now; all who use the body hold a reference to this array.
    """

    def __init__(self, memory: mmap.mmap, start: int = 0) -> None:
        self.memory = memory
        self.start = start
        self.array: np.ndarray[Any, Any] | None = None

    @property
    def room(self) -> int:
        """Size of the largest body that fits, in bytes."""
        return len(self.memory) - self.start

    def begin(self, size: int) -> None:
        """Prepare the memory for a body."""
        import numpy as np

        self.array = np.frombuffer(self.memory, np.uint8, size, self.start)


class Room:
    """A pool of pieces that are used again once nobody refers to them. Thread-safe.

    It looks at Python's reference counts when a piece is needed. A finalizer would not do: it would
    run Python code where Arrow frees memory, on any thread, which crashes a process at its exit.
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> memoryview:
        """Return writable memory, which is free again when nobody refers to it any more.

        Args:
            size: Its bytes.
        """
        import numpy as np

        with self._lock:
            free = self._let_go()
            if not LEAST <= size <= MOST:
                return np.empty(size, np.uint8).data
            fitting = (one for one in free if size <= one.room <= size + size // _WASTE + PAGE)
            piece = next(fitting, None)
            if piece is None:
                piece = self._new(-(-(size + size // _SPARE) // PAGE) * PAGE)
                self._pieces.append(piece)
            piece.begin(size)
            assert piece.array is not None
            return piece.array.data

    def _let_go(self) -> list[Piece]:
        """Drop all but the last few free pieces; return those."""
        counts = _references(self._pieces)
        free = [one for one, count in zip(self._pieces, counts, strict=True) if count <= _ALONE]
        for piece in free[:-_FREE]:
            self._pieces.remove(piece)
        return free[-_FREE:]

    def _new(self, room: int) -> Piece:
        """Return new memory."""
        import mmap  # late: small tables need none

        # Private: in shared memory a forked child's bodies would change under it.
        flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if sys.platform != "win32" else {}
        return Piece(mmap.mmap(-1, room, **flags))


def _references(pieces: list[Piece]) -> list[int]:
    return [sys.getrefcount(piece.array) for piece in pieces]


def _alone() -> int:
    """Return the reference count of an array that nobody else refers to."""
    piece = Piece(None)  # type: ignore[arg-type]
    piece.array = object()  # type: ignore[assignment]
    return _references([piece])[0]


_ALONE: Final = _alone()
