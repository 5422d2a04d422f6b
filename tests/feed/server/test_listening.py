"""livetable.feed.server.listening: listening sockets, and descriptors that stay free."""

from __future__ import annotations

import os
import resource
import socket
from pathlib import Path

import pytest

from livetable.feed.errors import BadEndpoint
from livetable.feed.server.listening import (
    FREE_DESCRIPTORS,
    Spare,
    close_connections,
    has_room,
    listening,
)


@pytest.mark.parametrize(
    ("endpoint", "shown"),
    [("tcp://127.0.0.1:0", "tcp://127.0.0.1:"), ("tcp://*:*", "tcp://0.0.0.0:"),
     ("tcp://localhost:0", "tcp://")],
)  # fmt: skip
def test_wildcards_are_replaced(endpoint: str, shown: str) -> None:
    bound, where = listening(endpoint)
    with bound:
        assert where.startswith(shown)
        port = int(where.rpartition(":")[2])
        assert port == bound.getsockname()[1] > 0
        with pytest.raises(BadEndpoint, match="another process uses it"):
            listening(f"tcp://127.0.0.1:{port}")
        if endpoint != "tcp://localhost:0":
            with socket.create_connection(("127.0.0.1", port), timeout=10):
                pass


def test_a_path_is_its_users_and_a_dead_ones_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first, where = listening(f"ipc://{path}")
    assert where == f"ipc://{path}"
    assert path.stat().st_mode & 0o777 == 0o600
    with first, pytest.raises(BadEndpoint, match="another process uses it"):
        listening(f"ipc://{path}")
    listening(f"ipc://{path}")[0].close()  # nobody listens at the file that is left
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadEndpoint, match="another process uses it"):
        listening(f"ipc://{tmp_path}/file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_host_that_does_not_exist_says_how_to_write_it() -> None:
    with pytest.raises(BadEndpoint, match="write it as tcp://"):
        listening("tcp://no such host:1")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of descriptors")
def test_descriptors_of_a_port_are_closed() -> None:
    bound, where = listening("tcp://127.0.0.1:0")
    other, _ = listening("tcp://127.0.0.1:0")
    with other:
        close_connections(int(where.rpartition(":")[2]))
        bound.detach()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(where.rpartition(":")[2])), timeout=10)
        with socket.create_connection(other.getsockname(), timeout=10):
            pass


def test_one_descriptor_is_kept_and_given_once() -> None:
    spare = Spare()
    assert spare.give()
    assert not spare.give()
    spare.keep()
    spare.keep()
    assert spare.give()


def test_descriptors_stay_free_for_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 200))
    assert has_room(99 - FREE_DESCRIPTORS)
    assert not has_room(100 - FREE_DESCRIPTORS)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert has_room(1 << 20)
