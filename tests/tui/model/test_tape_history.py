"""tui.model.tape_history: a tape is the history of its table, read when it is asked for."""

from __future__ import annotations

from pathlib import Path

from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane.tape_player import moment_when
from tests.tui.tapes import PRICES, record


def test_moments(tmp_path: Path) -> None:
    history = TapeHistory(Playback(TapeReader(record(tmp_path / "x.tape", PRICES))))
    assert moment_when(history, "price > 4", 0) == 2
    assert moment_when(history, "price > 4", 2) == 4
    assert moment_when(history, "price > 4", 4) is None
    assert moment_when(history, "price > 4", 0, lambda: False) is None
    assert history.seconds == 6.0
    assert (history.first, history.last, len(history)) == (0, 6, 7)
    table = history.at(3)
    before, earlier = history.before(table, 0), history.before(table, 2)
    assert before is not None
    assert before.position.seq == 3
    assert earlier is not None
    assert earlier.position.seq == 2
    assert history.before(table, 99) is None
    assert history.before(history.at(0), 0) is None
    assert history.before(table, "mark") is None
    assert history.number_at(table.sent + 0.5) == 3
    assert history.at(99).position.seq == 7
    history.add(table)
    assert history.tables() == []
    history.playback.close()


def test_long_tapes_are_played_in_steady_time(tmp_path: Path) -> None:
    playback = Playback(TapeReader(record(tmp_path / "x.tape", [1.0] * 600)))
    for number in range(600):
        playback.at(number)
    assert len(playback._kept) == 256  # and not all there are
    playback.close()
