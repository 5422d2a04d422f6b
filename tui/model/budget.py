"""The bytes that the histories of all tables may take together. No Textual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol
from weakref import WeakSet


class Spender(Protocol):
    """What takes bytes of a budget."""

    bytes: int

    def __len__(self) -> int:
        """Return how many tables it holds."""
        ...

    def forget(self) -> None:
        """Forget the oldest table."""
        ...


class Budget:
    """Bytes that several histories may take together. Lives in the event loop.

    Whoever takes the most gives first, so that a table of large frames leaves a small one its past.

    Args:
        limit: The bytes. The newest table of each history is always kept, whatever it takes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._spenders: WeakSet[Spender] = WeakSet()

    @property
    def bytes(self) -> int:
        """What all of them take now."""
        return sum(one.bytes for one in self._spenders)

    def join(self, spender: Spender) -> None:
        """Count what a history takes from now on, for as long as it is there."""
        self._spenders.add(spender)

    def keep(self) -> None:
        """Have tables forgotten until the rest is no more than may be."""
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
    """How much of what was shown may be kept, as a person says it.

    Attributes:
        megabytes: Of all tables together, or of each.
        each: Whether of each.
    """

    megabytes: float
    each: bool = False

    def __str__(self) -> str:
        """Return it as it is written: ``64``, or ``64/table``."""
        return f"{self.megabytes}{_EACH if self.each else ''}"

    def budget(self) -> Budget:
        """Return a new budget of so much."""
        return Budget(int(self.megabytes * (1 << 20)))


_EACH: Final = "/table"

USUAL: Final = HistorySize(256.0)
"""What is kept of what was shown if nobody said how much."""


def history_size(text: str) -> HistorySize:
    """Return what ``64`` or ``64/table`` says.

    Raises:
        ValueError: it says nothing that can be kept.
    """
    number = float(text.removesuffix(_EACH))
    if not 0 < number < 1e9:
        raise ValueError(text)
    return HistorySize(number, text.endswith(_EACH))
