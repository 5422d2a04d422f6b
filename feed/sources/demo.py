"""The source `demo`: a synthetic market that is the same for the same seed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from livetable.feed.sources.options import TableOptions
from livetable.feed.sources.publish import Publish

_SHARE: Final = 0.1
"""Share of the rows that trade between two frames."""

_SECTORS: Final = ("energy", "finance", "health", "industry", "materials", "retail", "tech")
_START: Final = np.datetime64("2026-01-05T09:30:00", "ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(TableOptions):
    """What the market is like.

    Attributes:
        rows: Number of symbols.
        columns: Number of columns.
        hz: Frames a second.
        seed: Same seed, same market.
    """

    rows: int = 1000
    columns: int = 9
    hz: float = 10.0
    seed: int = 1


class Market:
    """Prices that wander, row by row.

    Args:
        rows: Number of symbols.
        columns: Number of columns, 9 of the market's own and then indicators `x0`, `x1`….
        seed: Same seed, same market.
    """

    def __init__(self, rows: int, columns: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._rows, self._columns = rows, columns
        self._symbols = _symbols(rows)
        self._sector = np.array(_SECTORS)[self._random.integers(0, len(_SECTORS), rows)]
        self._open = np.round(np.exp(self._random.normal(4.0, 0.8, rows)), 2)
        self._last = self._open.copy()
        self._spread = np.round(0.01 + self._random.gamma(2.0, 0.01, rows), 2)
        self._volume = np.zeros(rows, dtype=np.int64)
        self._trades = np.zeros(rows, dtype=np.int64)
        self._time = np.full(rows, _START)
        self._halted = np.zeros(rows, dtype=bool)
        self._extra = self._random.normal(0.0, 1.0, (max(0, columns - 9), rows))
        self._ticks = 0

    def step(self, milliseconds: int) -> None:
        """Let a tenth of the symbols trade, `milliseconds` later."""
        if self._rows == 0:
            return
        self._ticks += 1
        who = self._random.random(self._rows) < _SHARE
        count = int(who.sum())
        moved = self._last[who] * (1 + self._random.normal(0.0, 0.0015, count))
        self._last[who] = np.maximum(np.round(moved, 2), 0.01)
        size = self._random.integers(1, 50, count) * 100
        self._volume[who] += size
        self._trades[who] += 1
        self._time[who] = _START + np.timedelta64(self._ticks * milliseconds, "ms")
        self._halted[self._random.integers(0, self._rows)] ^= self._random.random() < 0.02
        for extra in self._extra:
            extra[who] += self._random.normal(0.0, 0.1, count)

    def frame(self) -> pd.DataFrame:
        """Return the market now, keyed by `symbol`."""
        columns: dict[str, object] = {
            "symbol": self._symbols,
            "sector": pd.Categorical(self._sector, categories=_SECTORS),
            "bid": np.round(self._last - self._spread, 2),
            "ask": np.round(self._last + self._spread, 2),
            "last": self._last.copy(),
            "change %": np.round((self._last / self._open - 1) * 100, 2),
            "volume": self._volume.copy(),
            "halted": self._halted.copy(),
            "time": self._time.copy(),
        }
        for number, extra in enumerate(self._extra):
            columns[f"x{number}"] = extra.copy()
        frame = pd.DataFrame(columns)
        return frame.iloc[:, : self._columns]


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Send the market `options.hz` times a second until stopped."""
    seconds = 1.0 / options.hz
    with publish(
        options.name or "demo", key=options.key or "symbol", limit=options.limit
    ) as publisher:
        market = Market(options.rows, options.columns, options.seed)  # may take minutes
        due = time.monotonic()
        while not stop.is_set():
            publisher.send(market.frame())
            market.step(max(1, round(seconds * 1000)))
            due = max(due + seconds, time.monotonic() - seconds)  # late: skip, don't catch up
            stop.wait(max(0.0, due - time.monotonic()))


def _symbols(rows: int) -> list[str]:
    letters = [chr(ord("A") + number) for number in range(26)]

    def symbol(number: int) -> str:
        text = ""
        for _ in range(4):
            number, rest = divmod(number, 26)
            text = letters[rest] + text
        return text if number == 0 else f"{text}{number}"

    # A step that shares no factor with 26**4 visits every symbol before it repeats one.
    return [symbol(row * 35_537 % 26**4 + row // 26**4 * 26**4) for row in range(rows)]
