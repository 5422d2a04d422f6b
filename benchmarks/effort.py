"""How long to measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        look: Seconds for each viewer to be looked at.
        long: Seconds for what has to be seen for a while: floods and silence.
        settle: Seconds for a viewer to start.
        sends: How many sends a 99th percentile is taken of.
        tries: How often to repeat what one run does not tell.
        whole: Whether to measure the rows that need minutes, too.
    """

    look: float
    long: float
    settle: float
    sends: int
    tries: int
    whole: bool


THOROUGH = Effort(look=10, long=60, settle=4, sends=600, tries=3, whole=True)
QUICK = Effort(look=1.5, long=3, settle=1.5, sends=40, tries=1, whole=False)
"""A minute for all; its figures show that nothing is wrong by much."""
