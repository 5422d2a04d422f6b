"""feed.frames.template: bodies that are made after the last one are what Arrow would write."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livetable.feed.frames import encoder as encoder_module
from livetable.feed.frames import template
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.frames.template import MANY, Stencil, layout_of
from tests.ugly import ugly_frames

NUMBERS = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u1"]
OTHERS: dict[str, Callable[[int], Any]] = {
    "text": lambda at: ("x" * (at % 5)) if at % 3 else None,
    "object": lambda at: object() if at % 2 else (1 + 2j),
    "truth": lambda at: at % 3 == 0,
    "missing": lambda at: None,
    "moment": lambda at: pd.Timestamp(at, unit="s", tz="Europe/Berlin"),
    "list": lambda at: [1.5] * (at % 3),
    "bytes": lambda at: b"\0" * at,
    "day": lambda at: datetime.date(2026, 1, 1 + at % 28),
    "complex": lambda at: complex(at, 1),
}


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows of each body that was made by a stencil."""
    found: list[int] = []
    fill = Stencil.fill

    def spy(self: Stencil, layout: template.Layout, rows: int, room: Any) -> memoryview:
        found.append(rows)
        return fill(self, layout, rows, room)

    monkeypatch.setattr(Stencil, "fill", spy)
    return found


def as_arrow_writes(frame: pd.DataFrame) -> bytes:
    return bytes(Encoder()(capture(frame)).data)


def numbers(rows: int, columns: int = MANY, kind: str = "f8") -> pd.DataFrame:
    values = np.random.default_rng(rows).normal(100, 50, (columns, rows)).astype(kind)
    return pd.DataFrame(values.T, columns=[f"c{at}" for at in range(columns)])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw two frames of one kind, with other values and maybe other numbers of rows."""
    kinds = draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3))
    names = draw(st.lists(st.sampled_from(sorted(OTHERS)), max_size=4))
    order = random.Random(draw(st.integers(0, 99)))
    columns = [kind for kind in kinds for _ in range(MANY)] + names
    order.shuffle(columns)
    index = draw(st.sampled_from([None, "text", "several"]))

    def frame(rows: int, first: int) -> pd.DataFrame:
        made = {
            f"{at} {kind}": (
                pd.Series([OTHERS[kind](first + row) for row in range(rows)], dtype=object)
                if kind in OTHERS
                else pd.Series(np.arange(first, first + rows).astype(kind))
            )
            for at, kind in enumerate(columns)
        }
        found = pd.DataFrame(made)
        labels = [f"row {row}" for row in range(rows)]
        if index == "text":
            found.index = pd.Index(labels, name="name")
        elif index == "several":
            found.index = pd.MultiIndex.from_arrays([labels, np.arange(rows) * 0.5])
        return found.copy()  # its blocks are put together

    # Two rows at least, or what is missing in one would be another type of column.
    return frame(draw(st.integers(7, 20)), 1), frame(draw(st.integers(7, 20)), 2)


@given(pairs())
@settings(max_examples=120, deadline=None)
def test_byte_for_byte(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    encoder = Encoder()
    for frame in (*frames, *frames):
        body = encoder(capture(frame))
        fresh = Encoder()(capture(frame))
        assert bytes(body.data) == bytes(fresh.data)
        assert (body.rows, body.columns, body.note) == (fresh.rows, fresh.columns, fresh.note)


def test_it_is_used(filled: list[int]) -> None:
    encoder = Encoder()
    for rows in (5, 5, 9, 5000, 1):
        frame = numbers(rows)
        assert bytes(encoder(capture(frame)).data) == as_arrow_writes(frame)
    assert filled == [5, 9, 5000, 1]


def test_large_bodies_are_in_one_piece_too(filled: list[int]) -> None:
    encoder = Encoder()
    frames = [numbers(3000, 100), numbers(3000, 100) + 1.0]
    for frame in frames:
        assert bytes(encoder(capture(frame)).data) == as_arrow_writes(frame)
    assert filled == [3000]


@pytest.mark.parametrize("name", [name for name, one in ugly_frames().items()
                                  if isinstance(one, pd.DataFrame)])  # fmt: skip
def test_every_ugly_frame_beside_numbers(name: str) -> None:
    ugly = ugly_frames()[name]
    if not len(ugly):
        return
    wide = numbers(len(ugly))
    wide.index = ugly.index
    frame = pd.concat([ugly, wide], axis=1)
    encoder = Encoder()
    for _ in range(3):
        assert bytes(encoder(capture(frame)).data) == as_arrow_writes(frame)


def test_what_is_another_kind_of_frame() -> None:
    """Labels, types, the index, a column more: what is sent is each time what is there."""
    base = numbers(5)
    text = base.assign(t=pd.Series(["a", "b", "c", "d", None]))
    others: list[Any] = [
        base,
        base.rename(columns={"c3": "other"}),
        base.rename_axis(columns="names"),
        base.astype("f4"),
        base.assign(c0=[1, 2, 3, 4, 5]),
        base.set_axis(range(10, 15)),
        base.set_axis(range(3, 8)),
        base.set_axis(list("vwxyz")),
        text,
        text.assign(t=pd.Series([1, "b", 2.5, None, object], dtype=object)),
        text.assign(t=pd.Categorical(list("aabbc"))),
        text.assign(t=pd.Series(list("abcde"), dtype="string[pyarrow]")),
        base.iloc[:0],
        base[[f"c{at}" for at in reversed(range(MANY))]],
        pd.DataFrame({"x": [1]}),
        pa.table({"c0": [1.5]}),
        pd.DataFrame(np.zeros((5, 2 * MANY))).astype({at: "i8" for at in range(0, 2 * MANY, 2)}),
    ]
    encoder = Encoder()
    chance = random.Random(1)
    for _ in range(200):
        frame = chance.choice(others)
        body = encoder(capture(frame))
        if isinstance(frame, pa.Table):
            assert Decoder()(body.data).columns[0].to_pylist() == [1.5]
        else:
            assert bytes(body.data) == as_arrow_writes(frame)


def test_a_frame_that_fails_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, filled: list[int]
) -> None:
    """The stencil of the one before must not be taken for its, when it comes again."""
    encoder = Encoder()
    encoder(capture(numbers(5)))
    other = numbers(5, MANY + 1)
    with monkeypatch.context() as failing:
        failing.setattr(encoder_module, "_batch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            encoder(capture(other))
    for _ in range(2):
        assert bytes(encoder(capture(other)).data) == as_arrow_writes(other)
    assert filled == [5]


def test_what_is_no_use() -> None:
    few = numbers(5, MANY - 1)
    assert layout_of(few, []) is None
    many_others = pd.concat([numbers(5), pd.DataFrame({f"t{at}": list("abcde")
                                                       for at in range(65)})], axis=1)  # fmt: skip
    assert layout_of(many_others, []) is None
    in_turns = pd.DataFrame(np.zeros((2, 300))).astype({at: "i8" for at in range(0, 300, 2)})
    assert layout_of(in_turns, []) is None
    by_rows = pd.DataFrame(np.zeros((MANY, 5)).copy()).T  # in memory row by row
    by_rows = pd.DataFrame(np.ascontiguousarray(by_rows.to_numpy()), copy=False)
    assert layout_of(by_rows, []) is None
    another_pandas = SimpleNamespace(_mgr=None, shape=(5, 100))
    assert layout_of(cast(pd.DataFrame, another_pandas), []) is None
    odd = numbers(5).astype(np.dtype(">f8"))
    assert layout_of(odd, []) is None


def test_a_body_that_is_none_of_it() -> None:
    frame = numbers(5)
    layout = layout_of(frame, [])
    assert layout is not None
    for other in (numbers(5, MANY + 1), frame.iloc[:0], pd.DataFrame({"a": ["x"]})):
        with pytest.raises(ValueError, match=r"other buffers|single plain batch"):
            Stencil(memoryview(as_arrow_writes(other)), layout)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("a", pa.int64())])):
        pass
    with pytest.raises(ValueError, match=r"single plain batch|other buffers"):
        Stencil(memoryview(sink.getvalue()), layout)


def test_a_column_that_begins_to_hold_nothing(
    monkeypatch: pytest.MonkeyPatch, filled: list[int]
) -> None:
    """Then it is Arrow that writes, as it does before there is any stencil."""
    encoder = Encoder()
    frame = numbers(5).assign(t=list("abcde"))
    for _ in range(2):
        encoder(capture(frame))
    with monkeypatch.context() as changed:
        changed.setattr(template, "first_batch", lambda _: None)
        assert bytes(encoder(capture(frame)).data) == as_arrow_writes(frame)
    assert filled == [5, 5]
