"""Hashes of the blocks read from a file, to check that they are still in it."""

from __future__ import annotations

import io
import random
from typing import Final

BLOCK: Final = 1 << 18
"""Bytes of a block."""

SAMPLES: Final = 64
"""The number of blocks to check if there is no time for all."""


class Blocks:
    """The beginning of a file as it was read, 8 bytes for each 256 KiB.

    Python's own hash of bytes: 5 GB/s here, and keyed anew in each process, so that nobody can
    make two texts that have the same one.
    """

    def __init__(self) -> None:
        self.size = 0
        """Bytes that were read."""
        self._hashes: list[int] = []
        self._rest = b""

    @property
    def count(self) -> int:
        """The number of blocks, with the unfinished last one."""
        return len(self._hashes) + bool(self._rest)

    def add(self, data: bytes) -> None:
        """Add the next bytes."""
        self.size += len(data)
        data = self._rest + data if self._rest else data
        whole = len(data) // BLOCK * BLOCK
        for start in range(0, whole, BLOCK):
            self._hashes.append(hash(data[start : start + BLOCK]))
        self._rest = data[whole:]

    def holds(self, file: io.BufferedIOBase | io.RawIOBase, number: int) -> bool:
        """Tell whether a block of the file is unchanged.

        Raises:
            OSError: the file can't be read.
        """
        file.seek(number * BLOCK)
        if number < len(self._hashes):
            data = _read(file, BLOCK)
            return len(data) == BLOCK and hash(data) == self._hashes[number]
        return _read(file, len(self._rest)) == self._rest

    def samples(self) -> list[int]:
        """Return the blocks to check first: the first, the last, and random others."""
        if self.count <= SAMPLES:
            return list(range(self.count))
        # Choose anew each time: what one check misses, the next may find.
        between = random.sample(range(1, self.count - 1), SAMPLES - 2)
        return [0, self.count - 1, *sorted(between)]


def _read(file: io.BufferedIOBase | io.RawIOBase, size: int) -> bytes:
    """Read this many bytes, fewer only at the file's end."""
    data = file.read(size) or b""
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data
