"""The terminal is sacred: however the viewer ends, it is as it was, and nothing is left."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for

pytestmark = pytest.mark.long

FLOOD = """
import itertools
import pandas as pd
from livetable.feed import Publisher
orders = Publisher("orders", key="id")
for n in itertools.count(1):
    orders.send(pd.DataFrame({"id": [f"row{i:03}" for i in range(100)], "n": n, "half": n / 2}))
"""


@pytest.fixture
def flood(
    runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[bytes]]:
    """Publish as fast as it goes."""
    monkeypatch.setenv("TMPDIR", str(runtime_folder))
    process = subprocess.Popen([sys.executable, "-c", FLOOD], env=environment_for(runtime_folder))
    yield process
    process.kill()
    process.wait()


def leftovers(folder: Path) -> list[str]:
    """Return what a viewer could have left: files of its own, and processes."""
    found = [str(path) for path in folder.glob("livetable-*.txt")]
    for process in psutil.process_iter(["cmdline"]):
        if "livetable.tui" in (process.info["cmdline"] or []):
            environment = {}
            try:
                environment = process.environ()
            except psutil.Error:
                continue
            if environment.get("XDG_RUNTIME_DIR") == str(folder) and process.status() != "zombie":
                found.append(f"process {process.pid}")
    return found


def is_as_it_was(terminal: Terminal) -> bool:
    """Tell whether modes that were switched on are off again, and input is as before."""
    pairs = (
        (b"?1049h", b"?1049l"),
        (b"?25l", b"?25h"),
        (b"?1003h", b"?1003l"),
        (b"?2004h", b"?2004l"),
    )
    raw = bytes(terminal.raw)
    modes = all(raw.rfind(off) >= raw.rfind(on) for on, off in pairs)
    return modes and termios.tcgetattr(terminal.fd) == terminal.attributes


@pytest.mark.parametrize("how", ["INT", "TERM", "HUP", "QUIT", "PIPE"])
def test_signals(how: str, flood: object, runtime_folder: Path) -> None:
    with Terminal("livetable", "orders", folder=runtime_folder) as terminal:
        terminal.wait_for("row000")
        os.kill(terminal.pid, getattr(signal, f"SIG{how}"))
        if how == "PIPE":  # a pipe that breaks is no reason to end
            terminal.send("q")
        code = terminal.wait_for_end()
        wait_for(lambda: is_as_it_was(terminal), 5, "the terminal as it was")
        print(f"SIG{how}: exit code {code}, terminal as it was, nothing left")
        assert b"Traceback (" not in terminal.raw
    wait_for(lambda: not leftovers(runtime_folder), 10, "nothing to be left")


def test_a_terminal_that_is_closed(flood: object, runtime_folder: Path) -> None:
    terminal = Terminal("livetable", "orders", folder=runtime_folder)
    terminal.wait_for("row000")
    terminal.stopped_reading.set()
    terminal._thread.join(5)
    os.close(terminal.fd)
    terminal.wait_for_end(15)
    wait_for(lambda: not leftovers(runtime_folder), 10, "nothing to be left")
    print("closed terminal: ended, nothing left")


def test_a_thousand_sizes_under_flood(flood: object, runtime_folder: Path) -> None:
    chance = random.Random(5)
    with Terminal("livetable", "orders", folder=runtime_folder) as terminal:
        terminal.wait_for("row000")
        for number in range(1000):
            size = chance.choice(((1, 1), (1, 200), (60, 1), (2, 3), (24, 80), (50, 200), (5, 10)))
            terminal.resize(*size)
            if number % 50 == 0:
                time.sleep(0.02)  # so that some of them are painted, too
        terminal.resize(24, 80)
        terminal.wait_for("● live")
        terminal.wait_for("row010")
        terminal.send("q")
        assert terminal.wait_for_end() == 0
        assert is_as_it_was(terminal)
    print("1,000 sizes down to 1x1: whole again at 24x80, exit code 0")


def test_suspended_and_resumed(flood: object, runtime_folder: Path) -> None:
    folder = runtime_folder
    with Terminal("bash", "--norc", "-i", folder=folder, environment={"PS1": "$ "}) as shell:
        shell.wait_for("$")
        before = termios.tcgetattr(shell.fd)
        line = " ".join(command_line(["livetable", "orders"]))

        def is_shown() -> bool:
            return shell.raw.rfind(b"?1049h") > shell.raw.rfind(b"?1049l")

        def paints() -> bool:
            return b"\x1b[6n" in shell.raw[shell.raw.rfind(b"?1049h") :]

        for turn in range(3):
            shell.send(f"{line}\r" if turn == 0 else "fg\r")
            shell.wait_for(lambda: is_shown() and paints())
            shell.send("\x1a")
            shell.wait_for(lambda: not is_shown())
            shell.wait_for(lambda: termios.tcgetattr(shell.fd)[3] == before[3])
        shell.send("fg\r")
        shell.wait_for(lambda: is_shown() and paints())
        shell.send("q")
        shell.wait_for(lambda: not is_shown())
        shell.send("echo it is $((6*7))\r")
        shell.wait_for("it is 42")
    print("Ctrl-Z and fg, three times: the shell has its terminal in between, the table goes on")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
def test_detached_and_attached(flood: object, runtime_folder: Path) -> None:
    socket = str(runtime_folder / "tmux")
    environment = environment_for(runtime_folder)

    def tmux(*command: str) -> str:
        return subprocess.run(
            ["tmux", "-S", socket, *command],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def shown() -> str:
        return tmux("capture-pane", "-p", "-t", "one")

    line = " ".join(command_line(["livetable", "orders"]))
    try:
        tmux("new-session", "-d", "-s", "one", "-x", "100", "-y", "30", "bash --norc")
        tmux("send-keys", "-t", "one", line, "Enter")
        wait_for(lambda: "● live" in shown(), 20, "the table")
        for _ in range(3):
            with Terminal("tmux", "-S", socket, "attach", folder=runtime_folder) as client:
                client.wait_for("● live")
                tmux("detach-client", "-s", "one")
                client.wait_for_end()
        one = re.search(r"row000\s+(\d+)", shown())
        assert one is not None
        wait_for(lambda: f"row000  {one[1]} " not in shown() and "● live" in shown(), 10, "news")
        tmux("send-keys", "-t", "one", "q")
        wait_for(lambda: "● live" not in shown(), 10, "the shell")
        tmux("send-keys", "-t", "one", "echo it is $((6*7))", "Enter")
        wait_for(lambda: "it is 42" in shown(), 10, "the shell")
    finally:
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=False)
    wait_for(lambda: not leftovers(runtime_folder), 10, "nothing to be left")
    print("tmux detached and attached three times: the table goes on, the shell is as it was")


def test_a_fault_in_any_handler(flood: object, runtime_folder: Path) -> None:
    broken = """
import sys
from livetable.tui.pane.feature_pane import FEATURES
from livetable.tui.pane.table_pane import TablePane
def fault(*_):
    raise ValueError("a [b] fault")
for kind in (TablePane, *FEATURES):
    if sys.argv[1] in vars(kind):
        setattr(kind, sys.argv[1], fault)
sys.argv[1:] = ["orders"]
from livetable.tui.cli.main import main
sys.exit(main())
"""
    names = ["on_feed_news", "action_sort", "action_hide", "action_move", "on_table"]
    for name in names:
        with Terminal(sys.executable, "-c", broken, name, folder=runtime_folder) as terminal:
            terminal.wait_for(lambda: b"?1049h" in terminal.raw)
            terminal.send("shH")
            time.sleep(0.3)
            terminal.send("q\x1bq\x03")
            terminal.wait_for_end()
            wait_for(lambda: is_as_it_was(terminal), 5, name)
            assert b"Traceback (" not in terminal.raw
    print(f"faults in {', '.join(names)}: the terminal as it was")
