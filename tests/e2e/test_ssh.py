"""Through a real `ssh` to a real `sshd` on loopback: also on a slow line, and when it is cut."""

from __future__ import annotations

import base64
import os
import random
import re
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks import remote
from benchmarks.remote import SSHD, Line
from livetable.feed import Publisher
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None,
    reason="there is no sshd: apt-get install openssh-server",
)

Login = Callable[..., Terminal]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[int]:
    """Start an sshd with keys of its own; yield its port."""
    with remote.sshd(tmp_path) as port:
        yield port


@pytest.fixture
def login(sshd: int, tmp_path: Path, runtime_folder: Path) -> Iterator[Login]:
    """Run a command on the other side, with a terminal there."""
    started: list[Terminal] = []

    def begin(*command: str, port: int = sshd, size: tuple[int, int] = (24, 100)) -> Terminal:
        given = environment_for(runtime_folder)
        there = {name: given[name] for name in ("XDG_RUNTIME_DIR", "LANG")}
        there["XDG_CONFIG_HOME"] = str(runtime_folder / "config")
        words = ["env", *(f"{name}={value}" for name, value in there.items())]
        line = (
            f"cd {shlex.quote(os.getcwd())} && exec {shlex.join([*words, *command_line(command)])}"
        )
        terminal = Terminal(
            *remote.ssh_command(tmp_path, port, line), folder=runtime_folder, size=size
        )
        started.append(terminal)
        return terminal

    yield begin
    for terminal in started:
        terminal.kill()


def viewers(folder: Path) -> list[psutil.Process]:
    """Return the viewers on the other side, of this test and not of those beside it."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words, given = process.info["cmdline"] or [""], process.info["environ"] or {}
        here = given.get("XDG_RUNTIME_DIR") == str(folder)
        if here and "livetable.tui" in words and "ssh" not in words[0]:
            found.append(process)
    return found


@pytest.fixture
def orders(runtime_folder: Path) -> Iterator[Publisher]:
    with Publisher("orders", key="id") as publisher:
        publisher.send({"id": [f"row{at:02}" for at in range(40)], "n": [0] * 40})
        yield publisher


def test_keys_news_and_the_clipboard(login: Login, orders: Publisher, runtime_folder: Path) -> None:
    terminal = login("livetable", "orders")
    terminal.wait_for("row00")
    terminal.wait_for("● live")
    orders.upsert({"id": "row01", "n": 4711})
    terminal.wait_for(lambda: "4711" in terminal.table)
    terminal.send("jy")
    copied = base64.b64encode(b"4711")  # arrives where the person sits: OSC 52
    wait_for(lambda: b"\x1b]52;c;" + copied in terminal.raw, 20, "the copy")
    terminal.send("q")
    assert terminal.wait_for_end() == 0
    assert b"\x1b[?1049l" in terminal.raw
    wait_for(lambda: not viewers(runtime_folder), 10, "the viewer's end")


def test_on_a_slow_line(login: Login, orders: Publisher, sshd: int) -> None:
    line = Line(sshd, 20_000, 0.02)
    try:
        terminal = login("livetable", "orders", port=line.port)
        terminal.wait_for("row00")
        stop = threading.Event()

        def flood() -> None:
            n = 0
            while not stop.is_set():
                n += 1
                orders.send({"id": [f"row{at:02}" for at in range(40)], "n": [n] * 40})
                stop.wait(0.002)

        producer = threading.Thread(target=flood)
        producer.start()
        try:
            wait_for(lambda: len(terminal.raw) > 20_000, 20)
            terminal.send(" ")
            terminal.wait_for("paused")  # in spite of the flood
        finally:
            stop.set()
            producer.join()
        orders.send({"id": ["last"], "n": [-12345]})
        terminal.send(" ")
        terminal.wait_for("-12345")
        terminal.send("q")
        assert terminal.wait_for_end() == 0
    finally:
        line.close()


ROWS, COLUMNS = 100, 15


def wide(publisher: Publisher) -> None:
    """Send a table of which every cell has changed, and which tells when."""
    now = int(time.time() * 1000) % 10_000_000
    columns = {f"c{at}": [f"{random.gauss(100, 1):.2f}"] * ROWS for at in range(COLUMNS)}
    publisher.send({"id": list(range(ROWS)), "ms": [now] * ROWS, **columns})


@pytest.mark.parametrize("size", [(50, 200), (24, 80)])
def test_what_a_slow_line_shows_is_new(
    login: Login, orders: Publisher, sshd: int, size: tuple[int, int]
) -> None:
    stop = threading.Event()

    def produce() -> None:
        while not stop.wait(0.05):
            wide(orders)

    line = Line(sshd, 20_000, 0.05)
    producer = threading.Thread(target=produce)
    producer.start()
    try:
        terminal = login("livetable", "orders", port=line.port, size=size)
        terminal.wait_for(lambda: age_of(terminal) is not None)
        terminal.wait_for("Quit")
        assert len(terminal.raw) <= 15_000  # of which the last paints may be second ones
        began = time.monotonic()
        ages: list[float] = []

        def looked() -> bool:
            age = age_of(terminal)
            if time.monotonic() - began > 3 and age is not None:
                ages.append(age)
                time.sleep(0.05)
            return len(ages) > 100

        wait_for(looked, 60)
        # Here other tests run beside it: benchmarks.lines measures. Without a pace: 10 s and more.
        assert sorted(ages)[len(ages) // 2] < 3
        assert max(ages) < 8
        if size[0] == 50:
            terminal.wait_for(lambda: re.search(r"line \d+ kB/s · \d\.\d s behind", terminal.text))
        terminal.send("q")
        assert terminal.wait_for_end() == 0
    finally:
        stop.set()
        producer.join()
        line.close()


def age_of(terminal: Terminal) -> float | None:
    """Return how many seconds ago what is on the screen was sent."""
    found = re.search(r"^ *\d+ +(\d{6,7}) ", terminal.table, re.MULTILINE)
    if found is None:
        return None
    return ((int(time.time() * 1000) - int(found[1])) % 10_000_000) / 1000


def test_a_line_that_is_cut_leaves_nothing_behind(
    login: Login, orders: Publisher, sshd: int, runtime_folder: Path
) -> None:
    line = Line(sshd, 10_000_000, 0.0)
    terminal = login("livetable", "orders", port=line.port)
    terminal.wait_for("row00")
    assert viewers(runtime_folder)
    line.close()
    wait_for(lambda: not viewers(runtime_folder), 20, "the viewer's end")
    assert terminal.wait_for_end() != 0
