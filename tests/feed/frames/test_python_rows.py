"""livetable.feed.frames.python_rows: what rows may be; and what is no row."""

from __future__ import annotations

import collections
import copy
import dataclasses
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.feed.errors import BadFrame, PublisherClosed
from livetable.feed.frames.capture import capture
from livetable.feed.frames.python_rows import rows_of


class Trade(NamedTuple):
    id: int
    x: float


@dataclasses.dataclass
class Fill:
    id: int
    x: float


class Model:
    """As pydantic's look."""

    model_fields: dict[str, object] = {"id": None, "x": None}  # noqa: RUF012

    def __init__(self, id: int, x: float) -> None:
        self.id, self.x = id, x

    def __iter__(self) -> Iterator[tuple[str, object]]:
        yield from vars(self).items()


class Foreign:
    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame({"id": [1], "x": [2.0]})


def seen(data: Any) -> dict[str, list[Any]]:
    frame = capture(data).frame
    if isinstance(frame, pa.Table):
        return dict(frame.to_pydict())
    return {str(label): frame[label].to_list() for label in frame.columns}


ONE = {"id": [1], "x": [2.0]}


@pytest.mark.parametrize(
    "data",
    [
        [Trade(1, 2.0)], [Fill(1, 2.0)], [Model(1, 2.0)], Trade(1, 2.0), Fill(1, 2.0),
        ({"id": one, "x": 2.0} for one in [1]), collections.deque([{"id": 1, "x": 2.0}]),
        Foreign(), pd.DataFrame(ONE).to_records(index=False), {"id": 1, "x": 2.0},
        {"id": [np.array(1)], "x": [np.array(2.0)]}, [{"id": np.array(1), "x": np.array(2.0)}],
        [pd.Series({"id": 1, "x": 2.0})],
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_rows(data: Any) -> None:
    assert seen(data) == ONE


def test_series_of_other_libraries() -> None:
    assert seen(pl.Series("x", [1, 2])) == {"x": [1, 2]}
    assert seen(pa.array([1, 2])) == {"0": [1, 2]}


def test_what_is_no_row() -> None:
    class Thing:
        def __init__(self) -> None:
            self.a = 1

    with pytest.raises(BadFrame, match="Thing: send a list of dicts"):
        capture([Thing()])
    assert rows_of([1, "a", None]) == [1, "a", None]


def test_large_numbers_beside_missing_ones() -> None:
    large = 2**60 + 1
    for data in ([{"id": large}, {}], {"id": [large, None]}, [{"id": 2**70}, {"id": None}]):
        first = capture(data).frame["id"][0]
        assert first in (large, 2**70)


def test_one_row_by_each_form() -> None:
    with Publisher("orders", key="id") as orders:
        for row in (Trade(1, 1.0), Fill(2, 1.0), {"id": 3, "x": 1}, pd.Series({"id": 4, "x": 1.0})):
            orders.upsert(row)
        orders.append(Model(i, 0.5) for i in (5, 6))
        assert orders.shape == (6, 2)


def test_a_publisher_is_not_copied(tmp_path: Path) -> None:
    with Publisher("orders") as orders:
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(PublisherClosed, match="orders"):
                make(orders)
        orders.send({"a": [1]})
