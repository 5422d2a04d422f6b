"""terminal.ssh_connections: what the kernel knows of a connection, and whose it is."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from livetable.tui.terminal import ssh_connections
from livetable.tui.terminal.ssh_connections import SshLines, connection_of, lines_of_tmux, parsed
from tests.waiting import killed_after, wait_for

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "AF_NETLINK"), reason="only Linux tells what waits at a connection"
)


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        listening = socket.create_server((request.param, 0), family=family)
    except OSError:
        pytest.skip(f"there is no {request.param} here")
    with listening, socket.create_connection(listening.getsockname()[:2]) as far:
        near, _ = listening.accept()
        with near:
            yield near, far


def test_what_waits_is_told(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    lines = SshLines("%0")
    lines._ends = [(near.getsockname()[:2], near.getpeername()[:2])]
    lines._found_at = float("inf")
    told = lines.backlog()
    assert told is not None
    assert told.queued == 0
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(b"x" * 65_536)
    told = lines.backlog()
    assert told is not None
    assert told.queued > 100_000
    far.settimeout(0.2)

    def empty() -> bool:
        with contextlib.suppress(TimeoutError):
            far.recv(1 << 20)
        after = lines.backlog()
        return after is not None and after.queued == 0

    wait_for(empty)
    after = lines.backlog()
    assert after is not None
    assert after.acked - told.acked == told.queued
    assert 0 < after.least < 5
    lines.close()


def test_a_connection_that_is_gone_tells_nothing() -> None:
    lines = SshLines("%0")
    lines._ends = [(("127.0.0.1", 1), ("127.0.0.1", 2)), (("nowhere", 1), ("127.0.0.1", 2))]
    lines._found_at = float("inf")
    assert lines.backlog() is None
    lines.close()


def test_whose_connection_it_is() -> None:
    environment = os.environ | {"SSH_CONNECTION": "10.0.0.1 5001 10.0.0.2 22"}
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with killed_after(
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
        )
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert connection_of(process.pid) == (("10.0.0.2", 22), ("10.0.0.1", 5001))
    assert connection_of(process.pid) is None


@pytest.mark.parametrize("told", ["", "1 2 3", "a b c d", "10.0.0.1 x 10.0.0.2 22"])
def test_what_is_no_connection(told: str) -> None:
    assert parsed(told) is None


def test_only_in_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert lines_of_tmux() is None
    monkeypatch.setenv("TMUX", "/tmp/no-such-socket,1,0")
    monkeypatch.setenv("TMUX_PANE", "%0")
    lines = lines_of_tmux()
    assert lines is not None
    assert ssh_connections.clients_of("%0") == []
    assert lines.backlog() is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert ssh_connections.clients_of("%0") == []
