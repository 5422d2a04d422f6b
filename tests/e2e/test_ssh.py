"""Through a real `ssh` to a real `sshd` on loopback: also on a slow line, and when it is cut."""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from livetable.feed import Publisher
from tests.brokers import free_port
from tests.terminal import Terminal, command_line, environment_for
from tests.waiting import wait_for

SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")
pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None,
    reason="there is no sshd: apt-get install openssh-server",
)

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""

Login = Callable[..., Terminal]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[int]:
    """Start an sshd with keys of its own; yield its port."""
    assert SSHD is not None
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True
        )
    port = free_port()
    (tmp_path / "config").write_text(CONFIG.format(port=port, folder=tmp_path))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it leaves its rights
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(tmp_path / "config")], stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    wait_for(answers, 20, "sshd")
    yield port
    process.kill()
    process.wait()


@pytest.fixture
def login(sshd: int, tmp_path: Path, runtime_folder: Path) -> Iterator[Login]:
    """Run a command on the other side, with a terminal there."""
    started: list[Terminal] = []

    def begin(*command: str, port: int = sshd) -> Terminal:
        given = environment_for(runtime_folder)
        there = {name: given[name] for name in ("XDG_RUNTIME_DIR", "LANG")}
        there["XDG_CONFIG_HOME"] = str(runtime_folder / "config")
        words = ["env", *(f"{name}={value}" for name, value in there.items())]
        line = (
            f"cd {shlex.quote(os.getcwd())} && exec {shlex.join([*words, *command_line(command)])}"
        )
        terminal = Terminal(
            "ssh", "-tt", "-p", str(port), "-i", str(tmp_path / "user"),
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "127.0.0.1", line,
            folder=runtime_folder, size=(24, 100),
        )  # fmt: skip
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


class SlowLine:
    """Passes on what goes to a port and back: so many bytes a second, so much later.

    Args:
        port: The port.
        rate: Bytes a second.
        delay: Seconds.
    """

    def __init__(self, port: int, rate: float, delay: float) -> None:
        self._rate = rate
        self._delay = delay
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(4096):
                time.sleep(self._delay + len(data) / self._rate)
                sink.sendall(data)
        except OSError:
            pass

    def cut(self) -> None:
        """End all connections, without a word."""
        for one in self._ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # close alone wakes nobody who reads
            one.close()

    def close(self) -> None:
        self._listening.close()
        self.cut()


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
    line = SlowLine(sshd, 20_000, 0.02)
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


def test_a_line_that_is_cut_leaves_nothing_behind(
    login: Login, orders: Publisher, sshd: int, runtime_folder: Path
) -> None:
    line = SlowLine(sshd, 10_000_000, 0.0)
    terminal = login("livetable", "orders", port=line.port)
    terminal.wait_for("row00")
    assert viewers(runtime_folder)
    line.close()
    wait_for(lambda: not viewers(runtime_folder), 20, "the viewer's end")
    assert terminal.wait_for_end() != 0
