"""How often something comes: frames per second, of late."""

from __future__ import annotations

from collections import deque
from typing import Final

RATE_SECONDS: Final = 5.0
"""The rate of a table is counted over this many seconds."""


class Rate:
    """Counts what comes. Told of it by one thread, and asked by another."""

    def __init__(self) -> None:
        self._sends: deque[float] = deque(maxlen=4096)

    def came(self, monotonic: float) -> None:
        """One more came."""
        self._sends.append(monotonic)

    def per_second(self, monotonic: float) -> float:
        """Return frames per second over the last seconds, 0 when none came."""
        while self._sends and self._sends[0] < monotonic - RATE_SECONDS:
            self._sends.popleft()
        sends = list(self._sends)  # the producer goes on meanwhile
        if len(sends) < 2:
            return len(sends) / RATE_SECONDS
        gap = max(sends[-1] - sends[0], 1e-3) / (len(sends) - 1)
        silent = monotonic - sends[-1] > 2 * gap
        return (len(sends) - 1) / max(monotonic - sends[0], 1e-3) if silent else 1 / gap
