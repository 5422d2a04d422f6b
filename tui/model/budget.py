"""The memory limit of the histories of all tables. No Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol
from weakref import WeakSet


class Spender(Protocol):
    """A history that shares a budget."""

    bytes: int

    def __len__(self) -> int:
        """Return how many tables it keeps."""
        ...

    def forget(self) -> None:
        """Forget the oldest table."""
        ...


class Budget:
    """A number of bytes that several histories share. For the event loop's thread only.

    The largest history is shortened first: large frames don't displace a small table's past.

    Args:
        limit: The bytes. Each history always keeps its newest table, whatever its size.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._spenders: WeakSet[Spender] = WeakSet()

    @property
    def bytes(self) -> int:
        """The bytes that all histories take now."""
        return sum(one.bytes for one in self._spenders)

    def join(self, spender: Spender) -> None:
        """Count a history in, for as long as it exists."""
        self._spenders.add(spender)

    def keep(self) -> None:
        """Forget tables until the limit is kept."""
        over = self.bytes - self.limit
        while over > 0:
            giving = [one for one in self._spenders if len(one) > 1]
            if not giving:
                return
            most = max(giving, key=lambda one: one.bytes)
            before = most.bytes
            most.forget()
            over -= before - most.bytes


@dataclass(frozen=True, slots=True)
class HistorySize:
    """The size of the history, as a person writes it.

    Attributes:
        megabytes: The limit.
        each: Whether the limit is for each table, not for all together.
    """

    megabytes: float
    each: bool = False

    def __str__(self) -> str:
        """Return the text: ``64``, or ``64/table``."""
        return f"{self.megabytes}{_EACH if self.each else ''}"

    def budget(self) -> Budget:
        """Return a new budget of this size."""
        return Budget(int(self.megabytes * (1 << 20)))


_EACH: Final = "/table"

USUAL: Final = HistorySize(256.0)
"""The default."""


def history_size(text: str) -> HistorySize:
    """Parse ``64`` or ``64/table``.

    Raises:
        ValueError: it is neither, or not above 0.
    """
    number = float(text.removesuffix(_EACH))
    if not 0 < number < 1e9:
        raise ValueError(text)
    return HistorySize(number, text.endswith(_EACH))
