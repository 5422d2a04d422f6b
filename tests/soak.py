"""`python -m tests.soak --hours H`: one viewer, used as a person would use it.

Two tables of 20 frames a second in two tabs. A round is each kind of thing done a few times:
panels, help, tabs, sort, rewind, sizes. After each round: what the viewer holds, and by how many kB
each kind of thing has made it grow. Exit code 1 if it goes on growing once its history is full, or
holds more than the history may take and `ROOM`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import psutil

from tests.terminal import Terminal, environment_for
from tests.waiting import killed_after

FEED: Final = """
import time
import numpy as np, pandas as pd
from livetable.feed import Publisher
chance = np.random.default_rng(1)
orders, sensors = Publisher("orders", key="id"), Publisher("sensors", key="id")
while True:
    numbers = chance.random((200, 8)).round(3)
    frame = pd.DataFrame(numbers, columns=[f"price{at}" for at in range(8)])
    frame.insert(0, "id", [f"row{at:03}" for at in range(200)])
    frame["sector"] = [("tech", "food", "ore")[at % 3] for at in range(200)]
    orders.send(frame)
    heat = {"id": range(40), "heat": chance.random(40), "watt": numbers[:40, 0]}
    sensors.send(pd.DataFrame(heat))
    time.sleep(0.05)
"""

MEGABYTE: Final = 1 << 20

ROOM: Final = 135.0
"""Megabytes that a viewer may take besides its history, when everything in it was used.

90 are there at the start, 55 of them the pages of libraries. 120 are wanted; measured were 120 to
131, after a minute and after half an hour.
"""

NOISE: Final = 4.0
"""Megabytes by which the last third of the rounds may be above the one before."""

POOL: Final = 2
"""Threads that may come late: a pool starts another one the first time that all are at work."""

_ESC: Final = "\x1b[27u"  # as terminals send it that tell it from the start of a sequence
_SMALL, _USUAL = (20, 70), (40, 140)


class Deed(NamedTuple):
    """A kind of thing that is done.

    Attributes:
        name: What it is called in the table that is printed.
        steps: Keys, or a size; and what is then on the screen, or with a minus before it is not.
    """

    name: str
    steps: tuple[tuple[str | tuple[int, int], str], ...]


DEEDS: Final = (
    Deed("row", (("\r", "row row"), (_ESC, "-row row"))),
    Deed("column", (("l", ""), ("i", "distinct"), (_ESC, "-distinct"), ("h", ""))),
    Deed("charts", (
        ("l", ""), ("p", "by row"), (_ESC, "-by row"),
        ("P", "seconds ago"), (_ESC, "-seconds ago"), ("h", ""),
    )),
    Deed("help", (("?", "Esc closes"), (_ESC, "-Esc closes"))),
    Deed("palette", (("\x10", "Search for commands"), ("theme", "Theme"), (_ESC, "-Theme"))),
    Deed("columns", (
        ("C", "[x]"), (_ESC, "-[x]"), ("l", ""), ("-", "1 hidden"), ("+", "-1 hidden"), ("h", ""),
    )),
    Deed("copies", (("\x19", "Markdown"), (_ESC, "-Markdown"), ("y", ""))),
    Deed("tabs", (("\t", "watt"), ("\t", "-watt"))),
    Deed("twice", (("t", "3 sensors"), ("\x17", "-3 sensors"), ("1", "price0"))),
    Deed("split", (("|", "watt"), ("|", "-watt"))),
    Deed("picker", (("T", "process"), (_ESC, "-process"))),
    Deed("rewind", (
        ("[", "behind live"), (",,.", ""), ("{", ""), (" ", "-behind live"),
    )),
    Deed("pause", ((" ", "paused"), ("jjkk", ""), (" ", "-paused"))),
    Deed("mark", (("m", "changed ·"), ("M", "-changed ·"))),
    Deed("sort", (("l", ""), ("s", "↑"), ("s", "↓"), ("s", "-↓"), ("h", ""))),
    Deed("filter", (("f", ""), ("price0 > 0.5\r", "price0 > 0.5 "), ("F", "-price0 > 0.5 "))),
    Deed("search", (("/", ""), ("row01\r", "row01"), ("nN", ""), ("/", ""), (_ESC, ""))),
    Deed("groups", (("G", ""), ("$", ""), ("b", "by sector"), ("B", "-by sector"), ("g0", ""))),
    Deed("numbers", (("l", ""), ("vvv", ""), ("%%%%%%%", ""), ("()", ""), ("uuu", ""), ("h", ""))),
    Deed("moves", (("jjjj", ""), ("\x06\x06", ""), ("G", "row199"), ("g", "row000"))),
    Deed("sizes", ((_SMALL, "-sector"), (_USUAL, "sector"))),
)  # fmt: skip


class Use:
    """A viewer of the two tables, and who uses it.

    Args:
        viewer: The viewer.
        times: How often each thing is done in a round.
        pause: Seconds of a look at what a key has led to.
    """

    def __init__(self, viewer: Terminal, times: int, pause: float) -> None:
        self._viewer = viewer
        self._process = psutil.Process(viewer.pid)
        self._times = times
        self._pause = pause

    def do(self, deed: Deed) -> float:
        """Do a thing a few times; return by how many kB the viewer has grown."""
        before = self.megabytes
        for _ in range(self._times):
            for pressed, wanted in deed.steps:
                self._step(deed.name, pressed, wanted)
        return (self.megabytes - before) * 1024

    def _step(self, name: str, pressed: str | tuple[int, int], wanted: str) -> None:
        viewer = self._viewer
        if isinstance(pressed, tuple):
            viewer.resize(*pressed)
        else:
            viewer.send(pressed)
        try:
            viewer.wait_for(_met(viewer, wanted))
        except AssertionError as error:
            state = self._process.status() if self._process.is_running() else "gone"
            says = f"{name}: {pressed!r}, {wanted!r}, the viewer is {state}: {error}"
            raise AssertionError(says) from None
        time.sleep(self._pause)

    def round(self) -> tuple[float, list[float]]:
        """Do all things; return the megabytes then held, and the growth in kB by each of them."""
        grown = [self.do(deed) for deed in DEEDS]
        viewer = self._viewer
        viewer.wait_for(lambda: "● live" in viewer.text and "row000" in viewer.text)
        with viewer._lock:
            viewer.raw.clear()
        return self.megabytes, grown

    @property
    def megabytes(self) -> float:
        """What the viewer holds."""
        return float(self._process.memory_info().rss) / MEGABYTE

    @property
    def handles(self) -> tuple[int, int]:
        """How many file descriptors and threads it has."""
        return self._process.num_fds(), self._process.num_threads()


def _met(viewer: Terminal, wanted: str) -> Callable[[], bool]:
    if wanted.startswith("-"):
        return lambda: wanted[1:] not in viewer.text
    return lambda: wanted in viewer.text


def soak(folder: Path, seconds: float, history: float, times: int, pause: float) -> list[str]:
    """Use a viewer for a while, and print what it holds; return what is wrong.

    Args:
        folder: Where all is.
        seconds: How long.
        history: Megabytes that the history may take.
        times: How often each thing is done in a round.
        pause: Seconds between keys.
    """
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    given = environment_for(folder)
    feed = subprocess.Popen([sys.executable, "-c", FEED], env=given)
    command = ("livetable", "orders", "sensors", "--history", f"{history:g}")
    held: list[float] = []
    handles: list[tuple[int, int]] = []
    with killed_after(feed), Terminal(*command, folder=folder, size=_USUAL) as viewer:
        viewer.wait_for(lambda: "● live" in viewer.text and "row000" in viewer.text)
        use = Use(viewer, times, pause)
        print("| min | MB | fds | threads | " + " | ".join(deed.name for deed in DEEDS) + " |")
        print("|---" * (len(DEEDS) + 4) + "|")
        began = time.monotonic()
        while time.monotonic() < began + seconds or len(held) < 6:
            megabytes, grown = use.round()
            held.append(megabytes)
            handles.append(use.handles)
            minutes = (time.monotonic() - began) / 60
            said = " | ".join(f"{kilobytes:+.0f}" for kilobytes in grown)
            fds, threads = handles[-1]
            print(f"| {minutes:.1f} | {megabytes:.1f} | {fds} | {threads} | {said} |", flush=True)
    return wrong(held, handles, history)


def wrong(held: list[float], handles: list[tuple[int, int]], history: float) -> list[str]:
    """Return what is wrong with what was held, round by round.

    Args:
        held: Megabytes after each round.
        handles: File descriptors and threads.
        history: Megabytes that the history may take.
    """
    found = []
    if max(held) > history + ROOM:
        found.append(f"it held {max(held):.0f} MB, more than {history:.0f} + {ROOM:.0f}")
    third = len(held) // 3
    for what, counts in zip(("descriptors", "threads"), zip(*handles, strict=True), strict=True):
        allowed = POOL if what == "threads" else 0
        if min(counts[-third:]) > max(counts[:third]) + allowed:
            found.append(f"its {what} grew: {counts}")
    before, after = median(held[third : 2 * third]), median(held[2 * third :])
    if after > before + NOISE:
        found.append(f"it grew from {before:.1f} to {after:.1f} MB in the last third of the time")
    return found


def main() -> int:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1 / 2, help="default: half an hour")
    parser.add_argument("--history", type=float, default=32.0, help="megabytes; default: 32")
    parser.add_argument("--times", type=int, default=3, help="each thing in a round; default: 3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lt-", dir="/tmp") as name:
        seconds = options.hours * 3600
        found = soak(Path(name), seconds, options.history, options.times, 0.1)
    print("\n".join(found) or "flat")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
