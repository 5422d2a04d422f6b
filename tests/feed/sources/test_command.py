"""livetable.feed.sources.command: what a command prints is a table; what it fails with is told."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.sources import command
from livetable.feed.sources.command import CommandError
from tests.feed.sources.running import running
from tests.waiting import wait_for


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_it_is_run_again_and_its_table_replaced(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = (
        f"import os; f = open({str(count)!r}, 'a'); f.write('x'); f.close()\n"
        f"n = os.path.getsize({str(count)!r}); print('id,n'); print(f'1,{{n}}')"
    )
    with running(command, command=python(code), every=0.1) as table:
        wait_for(lambda: table.rows and table.rows[0]["n"] >= 3)
        assert len(table.rows) == 1
        assert table.failure is None


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; sys.exit('nats://ann:w0rd@h is away')", "ended with 1: nats://ann:***@h is"),
        ("import sys; sys.exit(3)", "ended with 3 and printed nothing"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9 and printed nothing"),
    ],
)
def test_one_that_fails_says_why(code: str, says: str) -> None:
    with running(command, command=python(code), every=0.1) as table:
        failure = wait_for(lambda: table.failure or "")
        assert says in failure
        assert "w0rd" not in failure


def test_a_failure_is_over_with_the_next_table(tmp_path: Path) -> None:
    good = tmp_path / "good"
    code = (
        f"import os, sys; os.path.exists({str(good)!r}) or sys.exit(1); print('a,b'); print('1,2')"
    )
    with running(command, command=python(code), every=0.1) as table:
        wait_for(lambda: table.failure)
        good.touch()
        wait_for(lambda: table.rows == [{"a": 1, "b": 2}])
        wait_for(lambda: table.failure is None)


def test_there_is_no_such_command() -> None:
    with running(command, command=["no-such-command-at-all"], every=1.0) as table:
        (problem,) = wait_for(lambda: table.problems)
        assert isinstance(problem, CommandError)
        assert str(problem) == "no command 'no-such-command-at-all': check its name"


@pytest.mark.parametrize(
    ("text", "rows"),
    [("", []), ("one line of words", [{"line": "one line of words"}])],
    ids=["nothing", "words"],
)
def test_text_that_is_no_table_is_shown_as_lines(text: str, rows: list[Any]) -> None:
    with running(command, command=python(f"print({text!r}, end='')"), every=60.0) as table:
        wait_for(lambda: table.publisher._state.seq)
        assert table.rows == rows


def test_one_that_goes_on_is_followed_and_ended_with_all_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PATIENCE", 0.1)
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "print('a,b', flush=True)\n"
        "for n in range(3): print(f'{n},x', flush=True); time.sleep(0.3)\n"
        "time.sleep(60)\n"
    )
    with running(command, command=python(code), every=60.0) as table:
        wait_for(lambda: [row["a"] for row in table.rows] == [0, 1, 2])
    for pid in pids.read_text().split():
        wait_for(lambda pid=pid: not _runs(int(pid)), what="its end")  # type: ignore[misc]


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_more_than_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "MAX_OUTPUT", 1 << 20)
    code = "import sys\nwhile True: sys.stdout.write('1,2\\n' * 1000)"
    began = time.monotonic()
    with running(command, command=python(code), every=60.0) as table:
        failure = wait_for(lambda: table.failure or "")
        assert "wrote more than 1 MB: keep the newest rows with --limit N" in failure
    assert time.monotonic() - began < 20


def test_it_gets_no_keyboard_and_wide_lines() -> None:
    code = (
        "import os, sys; print('a,b'); print(f\"{len(sys.stdin.read())},{os.environ['COLUMNS']}\")"
    )
    with running(command, command=python(code), every=60.0) as table:
        wait_for(lambda: table.rows == [{"a": 0, "b": 1000}])
    assert os.environ.get("COLUMNS") != "1000"
