"""What sources are given, and a publisher that keeps what it is given."""

from __future__ import annotations

import argparse
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from livetable.feed import Publisher


class Recorder(Publisher):
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.frames: list[Any] = []
        self.notes: list[str | None] = []

    def send(self, frame: Any) -> None:
        self.frames.append(frame)

    def note(self, sentence: str | None) -> None:
        self.notes.append(sentence)


def options(**more: Any) -> argparse.Namespace:
    defaults: dict[str, Any] = {
        "rows": 5,
        "columns": 3,
        "hz": 200.0,
        "seed": 1,
        "pickle": False,
        "key": None,
        "limit": None,
        "topic": None,
        "pull": False,
        "bind": None,
        "tied": False,
        "secure": None,
    }
    return argparse.Namespace(**defaults | more)


TABLE = pa.table({"a": [1, 2], "b": ["x", None]})


FRAME = TABLE.to_pandas()
