"""tui.batch.record: a table is recorded and watched without a screen, until it is told to end."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.feed.tape.recorder import Recorder
from livetable.tui.batch.read_loop import NoTable, Reading
from livetable.tui.batch.record import NothingRecorded, run
from livetable.tui.model.table import Table
from livetable.tui.target import Target, ViewOptions
from livetable.tui.workers.alerts import Alarm, Alert
from tests.waiting import wait_for

ORDERS = Target(None, "orders")


@pytest.fixture
def signalled(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Give what ends a run as a signal would; the signals are pytest's."""
    readings: list[Reading] = []
    monkeypatch.setattr(Reading, "end_by_signals", lambda self: readings.append(self))
    return lambda code: wait_for(lambda: readings)[0].end(code)


def meanwhile(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_each_frame_is_on_the_tape_and_the_end_says_how_many(
    orders: Publisher, signalled: Callable[[int], None], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    recorder = Recorder(tmp_path / "x.tape")

    def produce() -> None:
        for number in (1, 2):
            wait_for(lambda number=number: recorder.frames == number)  # type: ignore[misc]
            orders.send(pd.DataFrame({"id": range(3), "v": [7, 8, number]}))
        wait_for(lambda: recorder.frames == 3)
        signalled(130)

    producer = meanwhile(produce)
    assert run(ORDERS, ViewOptions(record=recorder, timeout=20.0)) == 130
    producer.join(30)
    assert f"Recorded 3 frames, 0.0 MB to {tmp_path}/x.tape\n" in capsys.readouterr().err
    playback = Playback(TapeReader(tmp_path / "x.tape"))
    assert len(playback) == 3
    assert playback.at(2).state.values.whole(1).to_pylist() == [7, 8, 2]
    playback.close()


def test_a_row_that_meets_a_condition_is_a_line(
    orders: Publisher, signalled: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, "ascii", write_through=True))

    def produce() -> None:
        wait_for(lambda: out.getvalue().count(b"\n") == 1)
        orders.send(pd.DataFrame({"id": [0, 1, "é"], "v": [1, 9, 8]}))
        wait_for(lambda: out.getvalue().count(b"\n") == 3)
        signalled(0)

    producer = meanwhile(produce)
    assert run(ORDERS, ViewOptions(alerts=("v > 2",), timeout=20.0)) == 0
    producer.join(30)
    lines = out.getvalue().decode("ascii").splitlines()  # what it has no letters for is escaped
    assert [line.partition("orders ")[2] for line in lines] == [
        "2: v > 2", "1: v > 2", "\\xe9: v > 2",
    ]  # fmt: skip


def test_a_recording_that_stopped_ends_it_with_its_reason(
    orders: Publisher, signalled: Callable[[int], None], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    recorder = Recorder(tmp_path / "x.tape")
    recorder.problem = "No space left on device"
    with pytest.raises(NothingRecorded, match=r"x\.tape: No space left on device$"):
        run(ORDERS, ViewOptions(record=recorder, timeout=20.0))
    assert "frames, " in capsys.readouterr().err  # what there is of it is told nevertheless


def test_a_condition_that_can_not_be_worked_out_is_said_once(
    orders: Publisher, signalled: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    checked: list[Table] = []
    check = Alarm.check

    def counted(self: Alarm, table: Table) -> list[Alert]:
        checked.append(table)
        return check(self, table)

    monkeypatch.setattr(Alarm, "check", counted)

    def produce() -> None:
        for number in (1, 2):
            wait_for(lambda number=number: len(checked) == number)  # type: ignore[misc]
            orders.send(pd.DataFrame({"id": range(3), "v": number}))
        wait_for(lambda: len(checked) == 3)
        signalled(0)

    producer = meanwhile(produce)
    run(ORDERS, ViewOptions(alerts=("gone > 2",), timeout=20.0))
    producer.join(30)
    assert said.getvalue() == "livetable: gone > 2: No column 'gone'\n"


def test_nothing_to_record_in_time(signalled: Callable[[int], None], tmp_path: Path) -> None:
    with pytest.raises(NoTable, match="No table 'orders'"):
        run(ORDERS, ViewOptions(record=Recorder(tmp_path / "x.tape"), timeout=0.1))
