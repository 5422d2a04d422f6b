"""Whether what was read of a file is still there: looked at within a share of a processor."""

from __future__ import annotations

import io
import os
import time
from typing import Final

from livetable.feed.sources.blocks import Blocks

AT_ONCE: Final = 64 << 20
"""Bytes that are checked in full after each change; of more first samples, then the rest."""

_SHARE: Final = 0.17
"""Of a processor, for looking."""

_SLICE: Final = 0.02
_TICK_NS: Final = 50_000_000
"""Two writes within a tick of the clock that dates files have the same time."""


def signature(found: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written to, unless that is within a tick of the clock."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def is_settled(found: os.stat_result) -> bool:
    """Tell whether a file was last written to so long ago that another write has another time."""
    newest: int = max(found.st_mtime_ns, found.st_ctime_ns)
    return abs(time.time_ns() - newest) > _TICK_NS


class FileChecker:
    """Checks whether what was read is still in the file, within a share of a processor."""

    def __init__(self) -> None:
        self.due: float | None = None
        """When to look again, None if there is no need to."""
        self._blocks = Blocks()
        self._verified: tuple[int, ...] | None = None
        self._next = 0.0
        self._behind: list[int] | None = None  # blocks that are still to be looked at
        self._behind_of: tuple[int, ...] = ()
        self._again = False

    def begin(self, blocks: Blocks) -> None:
        """Look at another file's blocks from now on."""
        self._blocks = blocks
        self._verified = None
        self._behind = None
        self._again = False

    @property
    def is_behind(self) -> bool:
        """Whether not all was looked at since the last change."""
        return self._behind is not None

    def look(self, file: io.BufferedReader, found: os.stat_result, now: float) -> bool:
        """Tell whether what was read is still in the file, as far as it was checked.

        Args:
            file: The file.
            found: What the system says of it.
            now: The time, by the monotonic clock.
        """
        self.due = None
        now_is = signature(found)
        if now_is == self._verified and self._behind is None:
            return True
        if now < self._next:
            self.due = self._next
            return True
        began = time.thread_time()
        try:
            if self._blocks.size <= AT_ONCE:
                numbers = range(self._blocks.count)
                still = all(self._blocks.holds(file, number) for number in numbers)
                self._note(found, now_is)
                return still
            return self._look_behind(file, found, now_is, began)
        finally:
            cost = time.thread_time() - began
            self._next = now + min(1.0, cost / _SHARE)
            if self._verified != now_is or self._behind is not None:
                wait = max(self._next, now + _TICK_NS / 1e9 + 0.01)
                self.due = self._next if self._behind is not None else wait

    def _note(self, found: os.stat_result, now_is: tuple[int, ...]) -> None:
        # A write within the same tick of the clock would have the same time: looked at again.
        self._verified = now_is if is_settled(found) else None

    def _look_behind(
        self, file: io.BufferedReader, found: os.stat_result, now_is: tuple[int, ...], began: float
    ) -> bool:
        if self._behind is None or now_is != self._behind_of:
            if not all(self._blocks.holds(file, number) for number in self._blocks.samples()):
                return False
            if self._behind is None:
                self._behind = list(range(self._blocks.count))
                self._again = not is_settled(found)
            else:
                self._again = True  # it changed while it was looked at
            self._behind_of = now_is
        while self._behind:
            if not self._blocks.holds(file, self._behind.pop()):
                return False
            if self._behind and time.thread_time() - began > _SLICE:
                return True  # one at least: on a slow machine the samples take all of the time
        self._behind = None
        if self._again:
            self._again = False
            self._verified = None
        else:
            self._verified = now_is
        return True
