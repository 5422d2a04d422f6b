"""`python -m tests.monkey.feeds FOLDER SEED SECONDS`: the tables that the monkey plays with.

They change ten times a second, but stand still while there is a file `hold` in the folder; `held`
is there then. Ends by itself after so many seconds, whatever became of whoever started it.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from livetable.feed import Publisher
from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape.writer import TapeWriter

NAMES = ("tech", "energy", "x[/b]", "Ünïcode", "数据", "-", "NaN", "0501")


def key(number: int) -> str:
    """Return a row's key; no other cell looks like one."""
    return f"r{number:06}"


def some_rows(chance: random.Random, numbers: list[int], turn: int) -> dict[str, list[Any]]:
    """Return rows with columns of each kind, none of whose values holds a blank."""
    start = pd.Timestamp("2026-01-01")
    return {
        "id": [key(number) for number in numbers],
        "price": [round(chance.uniform(-50, 150), 2) for _ in numbers],
        "qty": [chance.choice((None, 0, 1, turn, 10**6)) for _ in numbers],
        "name": [chance.choice(NAMES) for _ in numbers],
        "done": [chance.random() < 0.5 for _ in numbers],
        "created": [start + pd.Timedelta(days=chance.randrange(400)) for _ in numbers],
    }


def frame_of(rows: dict[str, list[Any]]) -> pd.DataFrame:
    """Return rows as a frame; whole numbers with missing ones stay whole."""
    return pd.DataFrame(rows).astype({"qty": "Int64"})


def write_tape(path: Path, chance: random.Random) -> None:
    """Write a tape of five seconds."""
    writer, encode = TapeWriter(path, "tape"), Encoder()
    for seq in range(1, 51):
        data = encode(capture(frame_of(some_rows(chance, list(range(40)), seq)))).data
        header = Header("snapshot", "tape", 1, Position("e", seq), rows=40, columns=6, key=("id",))
        writer.add(1_790_000_000.0 + seq / 10, header, data)
    writer.close()


class Feeds:
    """The tables, and how each changes."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.turn = 0
        self.keyed = Publisher("keyed", key="id")
        self.keyed.send(frame_of(some_rows(self.chance, list(range(60)), 0)))
        self.changing = Publisher("changing", key="id")
        self.limited = Publisher("limited", key="id", limit=200)
        self.large = Publisher("large", key="id")
        count = 200_000
        numbers = np.arange(count)
        self.large.send(
            pd.DataFrame(
                {
                    "id": [key(number) for number in range(count)],
                    "price": (numbers * 7919 % 10_007) / 100,
                    "qty": numbers % 97,
                    "name": np.array(NAMES)[numbers % len(NAMES)],
                }
            )
        )
        self.empty = Publisher("empty", key="id")
        self.empty.send(frame_of(some_rows(self.chance, [0], 0)).iloc[:0])
        self.csv = folder / "rows.csv"
        self.csv_rows = list(range(30))
        self._write_csv()
        tape = folder / "day.tape"
        if not tape.exists():
            write_tape(tape, self.chance)

    def _write_csv(self) -> None:
        rows = some_rows(self.chance, self.csv_rows, self.turn)
        with self.csv.with_suffix(".part").open("w") as file:
            pd.DataFrame(rows).drop(columns=["qty"]).to_csv(file, index=False)
        self.csv.with_suffix(".part").rename(self.csv)

    def change(self) -> None:
        """Let each table be another one."""
        self.turn += 1
        chance, turn = self.chance, self.turn
        numbers = sorted(chance.sample(range(80), 12))
        self.keyed.upsert(frame_of(some_rows(chance, numbers, turn)))
        self.keyed.delete([key(number) for number in chance.sample(range(80), 6)])
        rows = frame_of(
            some_rows(chance, chance.sample(range(50), chance.choice((0, 1, 45))), turn)
        )
        columns = [one for one in rows.columns if one == "id" or chance.random() < 0.8]
        chance.shuffle(columns)
        rows = rows[columns]
        if "price" in columns and chance.random() < 0.3:
            rows["price"] = rows["price"].astype(str)
        if turn % 5 == 0:
            self.changing.send(rows)
        self.limited.append(frame_of(some_rows(chance, [turn * 4 + at for at in range(4)], turn)))
        some = chance.randrange(199_000)
        self.large.upsert(
            pd.DataFrame(
                {
                    "id": [key(some + at) for at in range(50)],
                    "price": [chance.random() * 100 for _ in range(50)],
                    "qty": turn,
                    "name": "new",
                }
            )
        )
        if turn % 10 == 0:
            some_rows_of_it = self.csv_rows[: chance.randrange(1, 60)]
            self.csv_rows = some_rows_of_it or [1]
            self.csv_rows += [turn + at for at in range(chance.randrange(20))]
            self.csv_rows = sorted(set(self.csv_rows))
            self._write_csv()


def main(folder: Path, seed: int, seconds: float) -> None:
    """Publish until the time is over."""
    last = threading.Timer(seconds, os._exit, [0])
    last.daemon = True
    last.start()
    feeds = Feeds(folder, seed)
    (folder / "ready").touch()
    while True:
        if (folder / "hold").exists():
            (folder / "held").touch()
        else:
            (folder / "held").unlink(missing_ok=True)
            feeds.change()
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
