"""tui.batch.follow: each row that is new, changed or gone is a line, and none is told twice."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.tui.batch.follow import GONE, follow
from livetable.tui.batch.read_loop import NoTable, Reading
from livetable.tui.target import Target, ViewOptions
from tests.waiting import wait_for

ORDERS = Target(None, "orders")
WAIT = ViewOptions(timeout=20.0)


@pytest.fixture(autouse=True)
def unheeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signals to pytest."""
    monkeypatch.setattr(Reading, "end_by_signals", lambda self: None)


def frame(**rows: Any) -> pd.DataFrame:
    return pd.DataFrame({"id": list(rows), "v": list(rows.values())})


def followed(
    form: str, *frames: pd.DataFrame, key: str | None = "id", options: ViewOptions = WAIT
) -> list[str]:
    """Return the lines of a table of these states, each sent when the one before is written."""
    out = io.StringIO()

    def publish(orders: Publisher) -> None:
        for data in frames:
            before = out.tell()
            orders.send(data)
            wait_for(lambda before=before: out.tell() > before)  # type: ignore[misc]
        orders.close()

    with Publisher("orders", key=key) as orders:
        producer = threading.Thread(target=publish, args=(orders,))
        producer.start()
        try:
            assert follow(ORDERS, options, form, out) == 0
        finally:
            producer.join(30)
    return out.getvalue().splitlines()


def test_rows_that_change_come_and_go() -> None:
    lines = followed("jsonl", frame(a=1, b=2), frame(b=2, a=5), frame(a=5, c=9), frame(a=5, c=8))
    assert [json.loads(line) for line in lines] == [
        {"id": "a", "v": 1}, {"id": "b", "v": 2},
        {"id": "a", "v": 5},
        {"id": "c", "v": 9}, {"id": "b", GONE: True},
        {"id": "c", "v": 8},
    ]  # fmt: skip


def test_titles_come_again_when_they_change() -> None:
    wider = frame(a=1).assign(w=7)
    assert followed("csv", frame(a=1), frame(a=2), wider) == [
        "id,v", "a,1", "a,2", "id,v,w", "a,1,7",
    ]  # fmt: skip


def test_rows_without_a_key_are_told_apart_by_their_place() -> None:
    frames = (pd.DataFrame({"v": values}) for values in ([1, 2], [1, 3], [1, 3, 4]))
    lines = followed("csv", *frames, key=None)
    assert lines == ["v", "1", "2", "3", "4"]


def test_only_rows_and_columns_that_were_asked_for() -> None:
    options = ViewOptions(timeout=20.0, where=("v > 1",), columns=("v",))
    lines = followed("jsonl", frame(a=1, b=2), frame(a=3, b=2), frame(a=3, b=0), options=options)
    assert [json.loads(line)["v"] for line in lines if GONE not in line] == [2, 3]
    assert GONE in lines[-1]  # b is there, and is not shown any more


def test_until_a_row_comes_to_it_and_that_row_is_told() -> None:
    assert followed("csv", frame(a=1), options=ViewOptions(timeout=20.0, until="v > 0")) == [
        "id,v", "a,1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (ViewOptions(timeout=20.0, columns=("w",)), "No column 'w'"),
        (ViewOptions(timeout=20.0, until="w > 1"), "No column 'w'"),
        (ViewOptions(timeout=0.2, until="v > 99"), "No row matched within 0.2 s"),
    ],
)
def test_what_can_not_be_followed_is_told(
    orders: Publisher, options: ViewOptions, says: str
) -> None:
    with pytest.raises(NoTable, match=says):
        follow(ORDERS, options, "csv", io.StringIO())


def test_nobody_reads_it_any_more(orders: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet: list[bool] = []
    monkeypatch.setattr("livetable.tui.batch.follow.quieten", lambda: quiet.append(True))

    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    assert follow(ORDERS, WAIT, "csv", Closed()) == 0
    assert quiet == [True]
