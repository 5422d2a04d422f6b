"""The clock of the machine is set forth and back while a table is looked at: no age follows it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from livetable.feed.local import directory
from tests.terminal import Terminal
from tests.waiting import wait_for

HOUR = 3600

# In place of the machine's: each process of the test reads how far off its clock is.
OFF = """
import os, time
true = time.time
def off():
    with open(os.environ["CLOCK_OFF"]) as file:
        return true() + float(file.read() or 0)
time.time = off
time.time_ns = lambda: int(off() * 1e9)
"""

FEED = """
import sys, time
import pandas as pd
from livetable.feed import Publisher
orders = Publisher("orders", key="id")
n = 0
for line in sys.stdin:
    for _ in range(int(line)):
        n += 1
        orders.send(pd.DataFrame({"id": ["row"], "n": [n]}))
        time.sleep(0.02)
"""


class Clock:
    """What the processes take for the time of day."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "off"
        (folder / "sitecustomize.py").write_text(OFF)
        self.environment = {"PYTHONPATH": str(folder), "CLOCK_OFF": str(self._file)}
        self.set(0)

    def set(self, seconds: float) -> None:
        """Set all clocks so many seconds forth, or back."""
        aside = self._file.with_suffix(".new")
        aside.write_text(str(seconds))
        aside.replace(self._file)  # at once: a half-written one would be no number


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Return a clock that can be set."""
    return Clock(tmp_path)


@pytest.fixture
def feed(clock: Clock, runtime_folder: Path) -> Iterator[Terminal]:
    """Start a feed that sends as many frames as it is told."""
    with Terminal(
        sys.executable, "-c", FEED, folder=runtime_folder, environment=clock.environment
    ) as started:
        wait_for(lambda: directory.find("orders"), 20, "the feed")
        yield started


def age(terminal: Terminal) -> float | None:
    """Return the newest frame's age in seconds, as the status line tells it; None if in more."""
    found = re.search(r"(\d+(?:\.\d+)?) s ago", terminal.lines[0])
    return float(found[1]) if found else None


def ages_on(terminal: Terminal, before: float) -> bool:
    """Tell whether the age is a little more than it was."""
    return before < (age(terminal) or 0) < before + 10


def test_no_age_follows_the_clock(clock: Clock, feed: Terminal, runtime_folder: Path) -> None:
    feed.send("3\r")
    command = ("livetable", "orders", "--stale-after", "60")
    with Terminal(
        *command, folder=runtime_folder, environment=clock.environment, size=(24, 120)
    ) as terminal:
        shown = 3
        terminal.wait_for(f"row  {shown}")
        for off in (HOUR, -HOUR, 24 * HOUR, 0):
            clock.set(off)
            terminal.wait_for(partial(ages_on, terminal, age(terminal) or 0))
            assert "● live" in terminal.lines[0]
            feed.send("3\r")
            shown += 3
            terminal.wait_for(f"row  {shown}")
            terminal.wait_for(lambda: (age(terminal) or 99) < 10)
            assert "● live" in terminal.lines[0]
