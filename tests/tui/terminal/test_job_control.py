"""tui.terminal.job_control: whether a shell can continue the viewer, and the stop of its group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from livetable.tui.terminal.job_control import has_shell
from tests.waiting import wait_for


def test_there_is_a_shell_only_in_its_session() -> None:
    code = "from livetable.tui.terminal.job_control import has_shell; print(has_shell())"
    for alone, answer in ((True, "False\n"), (False, "True\n")):
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=50, start_new_session=alone,
            process_group=None if alone else 0,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == (answer, "")


class Tree:
    """Processes by number: the parent, the group and the session of each; 1 is this one."""

    def __init__(self, **processes: tuple[int, int, int]) -> None:
        self.of = {int(name[1:]): values for name, values in processes.items()}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def at(number: int, index: int) -> int:
            try:
                return self.of[number or 1][index]
            except KeyError:
                raise ProcessLookupError from None

        class Process:
            def __init__(self, number: int) -> None:
                self._number = number

            def ppid(process) -> int:
                return at(process._number, 0)

        monkeypatch.setattr(os, "getppid", lambda: at(1, 0))
        monkeypatch.setattr(os, "getpgid", lambda number: at(number, 1))
        monkeypatch.setattr(os, "getpgrp", lambda: at(1, 1))
        monkeypatch.setattr(os, "getsid", lambda number: at(number, 2))
        monkeypatch.setattr(psutil, "Process", Process)


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (Tree(p1=(2, 1, 9), p2=(0, 2, 9)), True),  # a shell
        (Tree(p1=(2, 1, 1), p2=(0, 2, 9)), False),  # a terminal: another session
        (Tree(p1=(2, 1, 9), p2=(3, 1, 9), p3=(0, 3, 9)), True),  # uv run, then a shell
        (Tree(p1=(2, 1, 9), p2=(3, 1, 9), p3=(0, 3, 8)), False),
        (Tree(p1=(0, 1, 9)), False),
        (Tree(p1=(2, 1, 9)), False),  # the parent has just ended
        (Tree(p1=(2, 1, 9), p2=(0, 1, 9)), False),  # a group without a shell
    ],
)
def test_a_shell_is_looked_for_among_the_parents(
    tree: Tree, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.install(monkeypatch)
    assert has_shell() is expected


def test_a_parent_that_may_not_be_looked_at_may_be_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "getsid", refuse)
    assert has_shell()


STOP = """
import os, signal, sys
from livetable.tui.terminal.job_control import stop_group

handler = lambda *_: None
signal.signal(signal.SIGTSTP, handler)
signal.signal(signal.SIGCONT, lambda *_: None)
stop_group()
open(sys.argv[1], "w").write(str(signal.getsignal(signal.SIGTSTP) is handler))
"""


def test_the_whole_group_stops_and_the_handler_is_back_after_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    # A shell in the middle: it is in the group, and its parent, this process, is not.
    process = subprocess.Popen(
        ["sh", "-c", f"{sys.executable} -c '{STOP}' {said}; true"], process_group=0
    )
    try:
        group = psutil.Process(process.pid)
        wait_for(lambda: group.status() == psutil.STATUS_STOPPED, 20, "the stop")
        (child,) = group.children()
        assert child.status() == psutil.STATUS_STOPPED
        assert not said.exists()
        os.killpg(process.pid, signal.SIGCONT)
        assert process.wait(20) == 0
        assert said.read_text() == "True"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
