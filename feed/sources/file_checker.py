"""Checks that the bytes already read are still in the file, within a share of a processor."""

from __future__ import annotations

import io
import os
import time
from typing import Final

from livetable.feed.sources.blocks import Blocks

AT_ONCE: Final = 64 << 20
"""Up to this many bytes, check all after each change. Beyond, check samples, then the rest."""

_SHARE: Final = 0.17
"""The share of a processor for checks."""

_SLICE: Final = 0.02
_TICK_NS: Final = 50_000_000
"""Two writes within this tick of the file system's clock get the same time."""


def signature(status: os.stat_result) -> tuple[int, ...]:
    """Return values that change with each write, except within one tick of the clock."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_settled(status: os.stat_result) -> bool:
    """Tell whether the last write is old enough that another one would change the time."""
    newest: int = max(status.st_mtime_ns, status.st_ctime_ns)
    return abs(time.time_ns() - newest) > _TICK_NS


class FileChecker:
    """Checks that the bytes already read are still in the file, within a share of a processor."""

    def __init__(self) -> None:
        self.due: float | None = None
        """When to check again, None if there is no need to."""
        self._blocks = Blocks()
        self._verified: tuple[int, ...] | None = None
        self._next = 0.0
        self._rest: list[int] | None = None  # blocks that are still to be checked
        self._rest_of: tuple[int, ...] = ()
        self._again = False

    def begin(self, blocks: Blocks) -> None:
        """Check another file's blocks from now on."""
        self._blocks = blocks
        self._verified = None
        self._rest = None
        self._again = False

    @property
    def is_checking(self) -> bool:
        """Whether some blocks were not checked since the last change."""
        return self._rest is not None

    def look(self, file: io.BufferedReader, status: os.stat_result, now: float) -> bool:
        """Tell whether the bytes already read are still in the file, as far as was checked.

        Args:
            file: The file.
            status: Its status.
            now: The time, by the monotonic clock.
        """
        self.due = None
        current = signature(status)
        if current == self._verified and self._rest is None:
            return True
        if now < self._next:
            self.due = self._next
            return True
        began = time.thread_time()
        try:
            if self._blocks.size <= AT_ONCE:
                numbers = range(self._blocks.count)
                still = all(self._blocks.holds(file, number) for number in numbers)
                self._note(status, current)
                return still
            return self._look_at_rest(file, status, current, began)
        finally:
            cost = time.thread_time() - began
            self._next = now + min(1.0, cost / _SHARE)
            if self._verified != current or self._rest is not None:
                wait = max(self._next, now + _TICK_NS / 1e9 + 0.01)
                self.due = self._next if self._rest is not None else wait

    def _note(self, status: os.stat_result, current: tuple[int, ...]) -> None:
        # Another write within the same tick would have the same time: check again later.
        self._verified = current if is_settled(status) else None

    def _look_at_rest(
        self,
        file: io.BufferedReader,
        status: os.stat_result,
        current: tuple[int, ...],
        began: float,
    ) -> bool:
        if self._rest is None or current != self._rest_of:
            if not all(self._blocks.holds(file, number) for number in self._blocks.samples()):
                return False
            if self._rest is None:
                self._rest = list(range(self._blocks.count))
                self._again = not is_settled(status)
            else:
                self._again = True  # it changed while it was checked
            self._rest_of = current
        while self._rest:
            if not self._blocks.holds(file, self._rest.pop()):
                return False
            if self._rest and time.thread_time() - began > _SLICE:
                return True  # check at least one: on a slow machine the samples use up the slice
        self._rest = None
        if self._again:
            self._again = False
            self._verified = None
        else:
            self._verified = current
        return True
