"""A row of the measured table, and the table as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A row.

    Attributes:
        number: The target's number.
        what: What was measured.
        target: What it should be.
        figure: What it is.
        against: What it is compared to in the same run.
        met: Whether the target is met.
    """

    number: str
    what: str
    target: str
    figure: str
    against: str
    met: bool

    def __str__(self) -> str:
        cells = self.number, self.what, self.target, self.figure, self.against
        return f"| {' | '.join(cells)} | {'yes' if self.met else '**no**'} |"


HEADER = (
    "| # | what | target | figure | against, in the same run | met |\n|---|---|---|---|---|---|"
)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile; NaN of nothing."""
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """Return the median; NaN of nothing."""
    return statistics.median(values) if values else float("nan")
