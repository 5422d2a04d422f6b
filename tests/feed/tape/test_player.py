"""livetable.feed.tape.player: every state of a tape, from anywhere in it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from livetable.feed.protocol.messages import Header, Position
from livetable.feed.tape import file as file_module
from livetable.feed.tape import recorder as recorder_module
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.writer import TapeWriter
from tests.feed.tape.tapes import body, header, record, table_in, write


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_damaged_tapes_never_do_harm(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "INDEX_BYTES", 1500)
    path, choose = tmp_path / "x.tape", random.Random(seed)
    write(path, 12)
    good = path.read_bytes()
    for _ in range(200):
        content = bytearray(good)
        for _ in range(choose.randrange(1, 7)):
            content[choose.randrange(len(content))] = choose.randrange(256)
        path.write_bytes(content)
        try:
            playback = Playback(TapeReader(path))
        except BadTape:
            continue
        for number in range(len(playback)):
            try:
                playback.at(number)
            except (BadTape, IndexError):
                continue
        playback.close()


def test_every_state_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_LEAST_BYTES", 2000)
    monkeypatch.setattr("livetable.feed.tape.player._KEPT_BYTES", 5000)
    path = tmp_path / "day.tape"
    states = record(path, 120)
    playback = Playback(TapeReader(path))
    kinds = [frame.header.kind for frame in playback.tape.frames()]
    assert 3 < kinds.count("snapshot") < 40  # whole tables come again in between
    choose = random.Random(7)
    for number in [*range(120), *(choose.randrange(120) for _ in range(200))]:
        played = playback.at(number)
        assert table_in(played.state) == states[number]
        assert played.time == playback.time(number) == 100.0 + number
        assert len(playback._kept) < 40
    assert playback.number_at(150.5) == 50
    playback.close()


def test_a_delta_without_what_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    writer = TapeWriter(path, "t")
    data = body(1)
    writer.add(1.0, header(1, len(data), kind="delta", since=0), data)
    writer.add(2.0, Header("idle", "t", None, Position("e", 1)), b"")
    writer.close()
    playback = Playback(TapeReader(path))
    for number in (0, 1):
        with pytest.raises(BadTape, match=r"x\.tape: frame"):
            playback.at(number)
    playback.close()
