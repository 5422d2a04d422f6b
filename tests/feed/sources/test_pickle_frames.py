"""livetable.feed.sources.pickle_frames: frames of three pandas versions come back."""

from __future__ import annotations

import datetime
import decimal
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.sources.pickle_frames import thaw
from livetable.feed.sources.pickle_reader import Refused, looks_pickled, read
from tests.feed.sources.pickled import FILES
from tests.feed.sources.pickles.make import frames

EXPECTED = frames()


def shown(frame: Any) -> tuple[list[str], list[list[Any]]]:
    decoded = Decoder()(Encoder()(capture(frame)).data)
    cells = []
    levels = decoded.index if decoded.rows else ()  # pandas 1 had no empty range
    for column in (*levels, *decoded.columns):
        if pa.types.is_timestamp(column.type):  # pandas 3 counts microseconds, not nanoseconds
            column = column.cast(pa.timestamp("us", column.type.tz))
        elif pa.types.is_duration(column.type):
            column = column.cast(pa.duration("us"))
        cells.append([str(value) for value in column.to_pylist()])
    return list(map(str, decoded.labels.columns)), cells


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_frames_of_three_pandas_versions(file: Path) -> None:
    data = file.read_bytes()
    assert looks_pickled(data)
    assert shown(thaw(read(data))) == shown(EXPECTED[file.stem.split("-")[0]])


@pytest.mark.parametrize("protocol", range(3, 6))
@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"objects"}))
def test_every_protocol(name: str, protocol: int) -> None:
    frame: Any = EXPECTED[name]
    assert shown(thaw(read(pickle.dumps(frame, protocol)))) == shown(frame)


def test_there_are_three_versions() -> None:
    assert len({file.stem.split("-")[1] for file in FILES}) >= 3


def test_objects_in_cells() -> None:
    cells = pd.Series(
        [
            datetime.date(2026, 1, 2),
            datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
            datetime.time(1, 2, 3),
            datetime.timedelta(1),
            pd.Timestamp("2026-01-02"),
            pd.Timestamp("2026-01-02", tz="Europe/Berlin").as_unit("ns"),
            pd.NaT,
            pd.NA,
            decimal.Decimal("1.5"),
            1 + 2j,
            np.int64(7),
            np.float32(0.5),
            (1, "x"),
            2**300,
        ],
        dtype=object,
    )
    values = thaw(read(pickle.dumps(cells.to_frame())))[0].tolist()
    assert values[0] == datetime.date(2026, 1, 2)
    assert values[1] == datetime.datetime(2026, 1, 2, 3, 4, 5, 6)
    assert values[2] == datetime.time(1, 2, 3)
    assert values[3] == datetime.timedelta(1)
    assert str(values[4]) == "2026-01-02 00:00:00"
    assert str(values[5]) == "2026-01-02 00:00:00+01:00"
    assert values[8:13] == [decimal.Decimal("1.5"), 1 + 2j, 7, 0.5, (1, "x")]
    assert values[13] == "<an int of 301 bits>"


@pytest.mark.parametrize(
    "value",
    [{"a": 1}, [1], None, "text", np.zeros(2), pd.Index([1]), pd.Timestamp("2026")],
    ids=lambda value: type(value).__name__,
)
def test_only_frames(value: Any) -> None:
    with pytest.raises(Refused):
        thaw(read(pickle.dumps(value)))
