"""Room for bodies that come one after the other: what one leaves is the next one's.

New memory costs more than what is copied into it: the system hands it out page by page, cleared,
when it is first written to; and allocators give back what they don't need, and ask for it again.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import mmap

    import numpy as np

LEAST: Final = 256 << 10
"""Below this many bytes allocators do as well."""

MOST: Final = 16 << 20
"""Above this many bytes what is kept for the next one would be missed elsewhere."""

PAGE: Final = 4096
"""Pieces are so many bytes long, or a multiple of it."""

_FREE: Final = 2
_SPARE: Final = 16  # a piece has room for a sixteenth more than was asked for: bodies grow
_WASTE: Final = 4  # what has room for a quarter more than is needed is kept for another


class Piece:
    """Some memory.

    Attributes:
        memory: The memory.
        start: Where in it bodies begin.
        array: What is there now. Whoever looks at the body refers to it.
    """

    def __init__(self, memory: mmap.mmap, start: int = 0) -> None:
        self.memory = memory
        self.start = start
        self.array: np.ndarray[Any, Any] | None = None

    @property
    def room(self) -> int:
        """Bytes of the largest body that it can hold."""
        return len(self.memory) - self.start

    def begin(self, size: int) -> None:
        """Make room for a body."""
        import numpy as np

        self.array = np.frombuffer(self.memory, np.uint8, size, self.start)


class Room:
    """Pieces of memory that are used again once nobody refers to them. For any thread.

    Whether anybody does is asked of the references that Python counts, when a piece is needed. A
    finalizer that tells would run Python where Arrow frees memory, on any thread: on its way out a
    process is ended by that.
    """

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._lock = threading.Lock()

    def take(self, size: int) -> memoryview:
        """Return writable memory, which is free again when the view and all made of it are gone.

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
        """Return the pieces that are free, but for those that are too many: they are no more."""
        counts = _references(self._pieces)
        free = [one for one, count in zip(self._pieces, counts, strict=True) if count <= _ALONE]
        for piece in free[:-_FREE]:
            self._pieces.remove(piece)
        return free[-_FREE:]

    def _new(self, room: int) -> Piece:
        """Return new memory."""
        import mmap  # late: small tables need none

        # Not shared with children: what they hold would change under them.
        flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if sys.platform != "win32" else {}
        return Piece(mmap.mmap(-1, room, **flags))


def _references(pieces: list[Piece]) -> list[int]:
    return [sys.getrefcount(piece.array) for piece in pieces]


def _alone() -> int:
    """Return what `_references` says of what nobody else refers to."""
    piece = Piece(None)  # type: ignore[arg-type]
    piece.array = object()  # type: ignore[assignment]
    return _references([piece])[0]


_ALONE: Final = _alone()
