"""Room for bodies that come one after the other: what one leaves is the next one's.

New memory costs more than what is copied into it: the system hands it out page by page, cleared,
when it is first written to; and allocators give back what they don't need, and ask for it again.
"""

from __future__ import annotations

import contextlib
import mmap
import weakref
from typing import Final

LEAST: Final = 256 << 10
"""Below this many bytes allocators do as well."""

MOST: Final = 16 << 20
"""Above this many bytes what is kept for the next one would be missed elsewhere."""

PAGE: Final = 4096
"""Pieces are so many bytes long, or a multiple of it."""

_FREE: Final = 2
_SPARE: Final = 16  # a piece has room for a sixteenth more than was asked for: bodies grow


class Piece:
    """Some memory.

    Attributes:
        memory: The memory.
        start: Where in it bodies begin.
    """

    def __init__(self, memory: mmap.mmap, start: int = 0) -> None:
        self.memory = memory
        self.start = start

    @property
    def room(self) -> int:
        """Bytes of the largest body that it can hold."""
        return len(self.memory) - self.start


class Room:
    """Pieces of memory that are used again once nobody refers to them. For any thread."""

    def __init__(self) -> None:
        self._free: list[Piece] = []

    def take(self, size: int) -> memoryview:
        """Return writable memory, which is free again when the view and all made of it are gone.

        Args:
            size: Its bytes.
        """
        import numpy as np

        if not LEAST <= size <= MOST:
            return np.empty(size, np.uint8).data
        piece = self._fitting(size) or self._piece(-(-(size + size // _SPARE) // PAGE) * PAGE)
        # Of the array, not of the view: whoever makes an array of the view holds on to this one.
        array = np.frombuffer(piece.memory, np.uint8, size, piece.start)
        weakref.finalize(array, self._give_back, piece, id(array)).atexit = False
        self._taken(piece, id(array))
        return array.data

    def _fitting(self, size: int) -> Piece | None:
        # Taken out before it is looked at: other threads take and give back meanwhile.
        aside, found = [], None
        while found is None and self._free:
            with contextlib.suppress(IndexError):
                piece = self._free.pop()
                if size <= piece.room <= 2 * size:
                    found = piece
                else:
                    aside.append(piece)
        self._free += aside
        return found

    def _piece(self, room: int) -> Piece:
        """Return new memory."""
        return Piece(mmap.mmap(-1, room))

    def _taken(self, piece: Piece, owner: int) -> None:
        """Note that a piece is in use.

        Args:
            piece: The piece.
            owner: Identity of what the view of it is of.
        """

    def _give_back(self, piece: Piece, owner: int) -> None:
        self._free.append(piece)
        del self._free[:-_FREE]
