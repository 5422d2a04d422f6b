"""`livetable` in scripts: printed, followed, waited for, told of; by the real commands."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed import Publisher
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for, without_hints

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(runtime_folder: Path) -> Iterator[Start]:
    """Start commands; end them afterwards."""
    with contextlib.ExitStack() as stack:

        def begin(*command: str) -> subprocess.Popen[bytes]:
            process = stack.enter_context(
                subprocess.Popen(
                    command_line(command), env=environment_for(runtime_folder),
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                )
            )  # fmt: skip
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def orders(runtime_folder: Path) -> Iterator[Publisher]:
    with Publisher("orders", key="id") as publisher:
        publisher.send(pd.DataFrame({"id": ["a", "b"], "price": [1.5, 2.0]}))
        yield publisher


def run(start: Start, *command: str) -> tuple[int, bytes, str]:
    out, errors = (process := start(*command)).communicate(timeout=30)
    return process.returncode, out, without_hints(errors.decode())


def test_one_snapshot_in_binary(orders: Publisher, start: Start) -> None:
    sent = pd.DataFrame({"id": ["a", "b"], "price": [1.5, 2.0]})
    code, out, errors = run(start, "livetable", "orders", "--format", "arrow")
    assert (code, errors) == (0, "")
    assert pa.ipc.open_stream(out).read_all().to_pydict() == sent.to_dict("list")
    _, out, _ = run(start, "livetable", "orders", "--format=parquet", "--where=price > 1.5")
    assert pd.read_parquet(io.BytesIO(out)).to_dict("list") == {"id": ["b"], "price": [2.0]}
    _, out, _ = run(start, "livetable", "--list", "--format", "json")
    assert [(one["table"], one["rows"]) for one in json.loads(out)] == [("orders", 2)]


def test_each_change_is_a_line(orders: Publisher, start: Start) -> None:
    process = start("livetable", "orders", "--follow")
    assert process.stdout is not None
    lines = iter(lambda: json.loads(process.stdout.readline()), None)  # type: ignore[union-attr]
    assert [next(lines), next(lines)] == [{"id": "a", "price": 1.5}, {"id": "b", "price": 2.0}]
    orders.upsert({"id": "b", "price": 3.0})
    assert next(lines) == {"id": "b", "price": 3.0}
    orders.append({"id": "c", "price": None})
    assert next(lines) == {"id": "c", "price": None}
    orders.delete("a")
    assert next(lines) == {"id": "a", "_gone": True}
    orders.send(pd.DataFrame({"id": ["c"], "price": [1.0], "new": [True]}))
    assert next(lines) == {"id": "c", "price": 1.0, "new": True}
    assert next(lines) == {"id": "b", "_gone": True}
    orders.end()
    assert process.wait(20) == 0

    filtered = start("livetable", "orders", "--follow", "--format", "csv")
    assert filtered.communicate(timeout=20)[0] == b"id,price,new\nc,1.0,true\n"


def test_rows_that_come_into_a_filter_and_go_from_it(orders: Publisher, start: Start) -> None:
    process = start("livetable", "orders", "--follow", "--where", "price > 1.7")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"id": "b", "price": 2.0}
    orders.upsert({"id": ["a", "b"], "price": [5.0, 0.0]})
    assert json.loads(process.stdout.readline()) == {"id": "a", "price": 5.0}
    assert json.loads(process.stdout.readline()) == {"id": "b", "_gone": True}
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_a_closed_pipe_ends_it_quietly(orders: Publisher, start: Start) -> None:
    process = start("livetable", "orders", "--follow")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()

    def ended() -> bool:
        orders.upsert({"id": "a", "price": time.monotonic()})
        return process.poll() is not None

    wait_for(ended, 20)
    assert (process.returncode, process.stderr.read()) == (0, b"")


def test_the_only_table_needs_no_name(orders: Publisher, start: Start) -> None:
    code, out, _ = run(start, "livetable", "--follow", "--until", "price > 1", "--format", "csv")
    assert (code, out) == (0, b"id,price\na,1.5\nb,2.0\n")
    code, _, errors = run(start, "livetable", "--follow", "--until", "nope > 1")
    assert (code, errors) == (1, "livetable: nope > 1: No column 'nope'\n")
    with Publisher("other"):
        code, _, errors = run(start, "livetable", "--follow")
    assert (code, errors) == (1, "livetable: Name one table: orders, other\n")


def test_a_terminal_gets_no_controls(orders: Publisher, runtime_folder: Path) -> None:
    orders.send(pd.DataFrame({"id": ["a\x1b[31mb\x9b", "c\td"], "price": [1.0, 2.0]}))
    terminal = Terminal("livetable", "orders", "--format", "csv", folder=runtime_folder)
    assert terminal.wait_for_end() == 0
    assert b"\x1b" not in terminal.raw
    assert "␛[31m".encode() in terminal.raw
    assert b"c\td,2.0" in terminal.raw


def test_until_a_row_comes_to_it(orders: Publisher, start: Start, runtime_folder: Path) -> None:
    until = ("livetable", "orders", "--until", "price > 8", "--format", "jsonl")
    code, out, errors = run(start, *until, "--timeout", "2")
    assert (code, out) == (1, b"")
    assert errors == "livetable: No row matched within 2 s\n"
    process = start(*until)
    viewer = Terminal("livetable", "orders", "--until", "price > 8", folder=runtime_folder)
    viewer.wait_for(lambda: "2.0" in viewer.table)
    orders.upsert({"id": "b", "price": 9.0})
    assert json.loads(process.communicate(timeout=20)[0].splitlines()[1]) == {
        "id": "b", "price": 9.0
    }  # fmt: skip
    assert process.returncode == 0
    assert viewer.wait_for_end() == 0


def test_alerts_with_and_without_a_screen(
    orders: Publisher, start: Start, runtime_folder: Path, tmp_path: Path
) -> None:
    alert = ("--alert", "price > 8 until price < 5", "--alert-command", f"cat > {tmp_path}/row")
    process = start("livetable", "orders", "--headless", *alert)
    viewer = Terminal("livetable", "orders", "--alert", "price > 8", folder=runtime_folder)
    viewer.wait_for(lambda: "2.0" in viewer.table)
    orders.upsert({"id": "b", "price": 9.0})
    assert process.stdout is not None
    assert b"orders b: price > 8 until price < 5" in process.stdout.readline()
    row = tmp_path / "row"
    wait_for(lambda: row.exists() and row.read_text())
    assert json.loads(row.read_text())["row"] == {"id": "b", "price": 9.0}
    viewer.wait_for("orders b: price > 8")
    assert b"\x07" in viewer.raw
    assert b"\x1b]9;" in viewer.raw
    process.terminate()
    assert process.wait(20) == 0
    viewer.send("q")
    assert viewer.wait_for_end() == 0


def test_without_a_screen_alerts_know_what_was_before(orders: Publisher, start: Start) -> None:
    alert = ("--alert", "d(price) > 0 and was(price) > 20")
    process = start("livetable", "orders", "--headless", *alert)
    assert process.stdout is not None
    for price in itertools.count(21):  # the viewer may see only some of the frames
        orders.upsert({"id": "b", "price": float(price)})
        if select.select([process.stdout], [], [], 0.05)[0]:
            break
        assert price < 400
    assert b"orders b: d(price) > 0 and was(price) > 20" in process.stdout.readline()
    process.terminate()
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--follow", "--once"), "--follow doesn't work with --once"),
        (("--follow", "--format", "json"), "--follow prints jsonl or csv, not json"),
        (("--until", "price >"), "--until 'price >': Can't parse this"),
        (("--alert", "x > 1"), "Add --headless"),
        (("--alert-command", "x"), "--alert-command needs --alert"),
        (("--headless",), "--headless needs --record FILE or --alert EXPR"),
        (
            ("--headless", "--alert", "x > 1", "--columns", "x"),
            "--headless doesn't work with --columns",
        ),
        (("--keep", "2", "--record", "x.tape", "--headless"), "--keep needs --rotate"),
    ],
)
def test_wrong_calls(
    options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from livetable.tui.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["orders", *options])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
