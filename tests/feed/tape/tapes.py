"""Tapes that tests write, record and check."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.rows.replica import Follower
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.recorder import Recorder, Rotation
from livetable.feed.tape.writer import TapeWriter
from tests.feed.rows.changing import Feed


def header(seq: int, size: int, *, kind: str = "snapshot", **more: Any) -> Header:
    return Header(
        kind, "orders", 9, Position("e", seq), time=1000.0 + seq, rows=1, columns=1, size=size,
        key=("id",), **more,
    )  # fmt: skip


def body(number: int) -> bytes:
    return bytes(Encoder()(capture({"id": [number], "x": [f"row {number}"]})).data)


def write(path: Path, count: int, *, close: bool = True) -> TapeWriter:
    writer = TapeWriter(path, "orders")
    for number in range(count):
        data = body(number)
        writer.add(1000.0 + number, header(number, len(data)), data)
    if close:
        writer.close()
    return writer


def check(reader: TapeReader, count: int) -> None:
    assert len(reader) == count
    assert reader.table == "orders"
    for number in {0, count // 2, count - 1}:
        frame = reader.frame(number)
        assert frame.time == reader.time(number) == 1000.0 + number
        assert bytes(frame.body) == body(number)
        assert frame.header == Header(
            "snapshot", "orders", None, Position("e", number), time=1000.0 + number,
            rows=1, columns=1, size=len(frame.body), key=("id",),
        )  # fmt: skip
        assert reader.number_at(frame.time) == number
        assert reader.number_at(frame.time + 0.5) == number
        assert reader.whole(number) == number
    assert reader.number_at(0) == 0
    assert reader.number_at(1e9) == count - 1
    for wrong in (-1, count):
        with pytest.raises(IndexError):
            reader.frame(wrong)


def record(path: Path, steps: int, rotation: Rotation | None = None) -> list[dict[str, list[Any]]]:
    """Record a table that changes row by row; return its states."""
    feed, recorder = Feed("id"), Recorder(path, rotation)
    decoder, follower = Decoder(), Follower()
    choose, have, states = random.Random(5), None, []
    for number in range(steps):
        keys = choose.sample(range(200), 5)
        feed.change("upsert", {"id": keys, "x": [number] * 5})
        if number % 3 == 2:
            feed.delete(keys[:2])
        if number == steps // 2:
            feed.send({"id": range(50), "x": number})
        answer = feed.state.since(have, deltas=True)
        assert answer is not None
        have, data = answer.position, answer.body.data
        if answer.since is None:
            state = follower.snapshot(decoder(data), len(data))
        else:
            state = follower.delta(decoder.delta(data), answer.gone, answer.body.rows)
        kind = "snapshot" if answer.since is None else "delta"
        recorder.add(
            Header(
                kind, "t", 1, answer.position, time=100.0 + number, rows=answer.body.rows,
                columns=2, size=len(data), key=("id",), since=answer.since, gone=answer.gone,
            ),
            data, state,
        )  # fmt: skip
        states.append(table_in(state))
    assert recorder.problem is None
    assert recorder.frames == steps
    recorder.close()
    recorder.close()
    return states


def table_in(state: Any) -> dict[str, list[Any]]:
    return {
        str(label): state.values.whole(at).to_pylist()
        for at, label in enumerate(state.labels.columns)
    }
