"""tui.batch.print_once: one state of a table as text, or one sentence why there is none."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.tui.batch.print_once import only_table, print_list, print_once
from livetable.tui.batch.read_loop import NoTable
from livetable.tui.target import Target, ViewOptions
from tests.tui.tapes import PRICES, record

ORDERS = Target(None, "orders")
WAIT = ViewOptions(timeout=20.0)


def printed(target: Target, options: ViewOptions = WAIT, form: str = "csv") -> str:
    out = io.StringIO()
    assert print_once(target, options, form, out) == 0
    return out.getvalue()


def test_rows_order_and_columns_are_those_that_were_asked_for(orders: Publisher) -> None:
    assert printed(ORDERS) == "id,v\n0,1\n1,2\n2,3\n"
    asked = replace(WAIT, where=("v > 1",), sort=(("v", True),))
    assert printed(ORDERS, asked) == "id,v\n2,3\n1,2\n"
    asked = replace(asked, columns=("v",))
    assert printed(ORDERS, asked) == "v\n3\n2\n"  # without the key, which nobody asked for
    assert printed(ORDERS, asked, "table").split() == ["id", "v", "2", "3", "1", "2"]
    for wrong, says in (
        (replace(WAIT, columns=("v", "w")), "No column 'w'. Columns: 'id', 'v'"),
        (replace(WAIT, where=("w > 1",)), "No column 'w'"),
    ):
        with pytest.raises(NoTable, match=says):
            printed(ORDERS, wrong)


def test_bytes_go_where_bytes_go(orders: Publisher) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    assert print_once(ORDERS, WAIT, "arrow", out) == 0
    out.buffer.seek(0)
    with pa.ipc.open_stream(out.buffer) as reader:
        assert reader.read_all().to_pydict() == {"id": [0, 1, 2], "v": [1, 2, 3]}


def test_what_does_not_come_in_time_is_told() -> None:
    with pytest.raises(NoTable, match=r"^No table 'orders'\. No table is live on this machine$"):
        printed(ORDERS, ViewOptions(timeout=0.1))


def test_until_something_comes_to_be(orders: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(ORDERS, replace(WAIT, until="v > 2")).endswith("2,3\n")
    with pytest.raises(NoTable, match=r"^No row matched within 0\.2 s$"):
        printed(ORDERS, ViewOptions(timeout=0.2, until="v > 9"))
    with pytest.raises(NoTable):
        printed(ORDERS, ViewOptions(timeout=0.2, until="gone > 9"))
    assert capsys.readouterr().err.count("No column 'gone'") == 1  # once, not each frame


def test_a_name_is_asked_for_where_there_are_several(
    tables: tuple[Publisher, Publisher], capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.ExitStack() as stack:
        assert only_table(ORDERS, WAIT, stack) is ORDERS
        with pytest.raises(NoTable, match=r"^Name one table: orders, prices$"):
            only_table(Target(), WAIT, stack)
        tables[1].close()
        assert only_table(Target(), WAIT, stack).table == "orders"
    out = io.StringIO()
    assert print_list(Target(), WAIT, "json", out) == 0
    (row,) = json.loads(out.getvalue())
    assert (row["table"], row["rows"], row["state"]) == ("orders", 1, "live")


def test_no_table_at_all_is_told_and_an_empty_list_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with contextlib.ExitStack() as stack, pytest.raises(NoTable, match=r"^No live tables$"):
        only_table(Target(), WAIT, stack)
    assert printed(Target(), form="jsonl") == ""


@pytest.mark.parametrize(
    ("at", "price"), [(None, PRICES[-1]), ("-2", PRICES[-3]), ("-0.5", PRICES[-2])]
)
def test_a_tape_is_printed_as_it_was(tmp_path: Path, at: str | None, price: float) -> None:
    target = Target(None, "x", record(tmp_path / "x.tape", PRICES))
    assert printed(target, ViewOptions(at=at)) == f"id,price\na,{price}\nb,0.0\n"


def test_times_that_a_tape_has_not_are_told(tmp_path: Path) -> None:
    target = Target(None, "x", record(tmp_path / "x.tape", PRICES))
    for at, says in (
        ("soon", "Can't read --at 'soon' as a time. Use 14:03"),
        ("-1h", "is before the tape begins, at"),
    ):
        with pytest.raises(NoTable, match=says):
            printed(target, ViewOptions(at=at))
    assert printed(target, ViewOptions(changes_of="b")).count("\n") == 2  # it never changed
