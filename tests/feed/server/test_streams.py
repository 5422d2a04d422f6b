"""livetable.feed.server.streams, by real sockets and ZeroMQ's own peers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zmq

from livetable.feed.errors import BadEndpoint
from livetable.feed.server.peers import GUESTS, Peers
from livetable.feed.server.streams import MOST_UNSENT, Said, Streams
from livetable.feed.server.zmtp import SentMessage
from tests.terminal import environment_for
from tests.waiting import killed_after, wait_for


class Server:
    """Streams with a loop of its own."""

    def __init__(self, endpoint: str, peers: Peers | None = None) -> None:
        self.streams = Streams(endpoint, Peers() if peers is None else peers)
        self.messages: Said = []

    def turn(self) -> None:
        now = time.monotonic()
        self.streams.accept(now)
        for fd in list(self.streams.lines):
            self.messages += self.streams.ready(fd, now)
        self.messages += self.streams.tick(now)
        self.messages += self.streams.flush(now)

    def until(self, condition: Callable[[], object]) -> None:
        def turned() -> object:
            self.turn()
            return condition()

        wait_for(turned)

    def until_sent(self, sent: SentMessage) -> None:
        self.until(lambda: sent.done)

    def until_there(self, count: int) -> None:
        self.until(lambda: len(self.streams.lines) == count)

    @property
    def said(self) -> list[bytes | None]:
        return [message for _, message in self.messages]

    def close(self) -> None:
        self.streams.let_go()


@pytest.fixture(params=["ipc", "tcp"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    at = f"ipc://{tmp_path}/s" if request.param == "ipc" else "tcp://127.0.0.1:0"
    with closing(Server(at)) as one:
        yield one


@pytest.fixture
def peers() -> Iterator[Callable[[int], zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made: list[zmq.Socket[bytes]] = []

    def make(kind: int) -> zmq.Socket[bytes]:
        made.append(context.socket(kind))
        return made[-1]

    yield make
    for one in made:
        one.close(0)
    context.term()


def test_messages_of_all_sizes_come_as_they_were(
    server: Server, peers: Callable[[int], zmq.Socket[bytes]]
) -> None:
    peer = peers(zmq.SUB)
    peer.subscribe(b"ab")
    peer.connect(server.streams.endpoint)
    server.until(lambda: server.said == [b"\x01ab"])
    for size in (0, 1, 255, 256, 4095, 4096, 70_000, 3_000_000):
        body = os.urandom(size)
        sent = server.streams.send([b"abc", b"head", memoryview(body), b"", body])
        server.until_sent(sent)
        assert peer.recv_multipart() == [b"abc", b"head", body, b"", body]
    assert server.streams.send([b"ax", b"nobody"]).done
    peer.close()
    server.until(lambda: server.said[-1] is None)  # gone


def test_private_topics_are_for_who_names_them_and_nobody_ends_anothers(
    server: Server, peers: Callable[[int], zmq.Socket[bytes]]
) -> None:
    mine, other = peers(zmq.XSUB), peers(zmq.XSUB)
    for one in (mine, other):
        one.connect(server.streams.endpoint)
    mine.send(b"\x01@mine")
    other.send(b"\x01")
    server.until(lambda: len(server.said) == 2)
    other.send(b"\x00@mine")
    other.send(b"a want")
    server.until(lambda: server.said[-1] == b"a want")
    assert b"\x00@mine" not in server.said
    server.streams.send([b"@mine", b"secret"])
    server.streams.send([b"table", b"public"])
    server.until(lambda: mine.poll(0) and other.poll(0))
    assert mine.recv_multipart() == [b"@mine", b"secret"]
    assert other.recv_multipart() == [b"table", b"public"]


def let_in_lazy(server: Server, peers: Callable[[int], zmq.Socket[bytes]]) -> None:
    """Have a peer wait for `@lazy` that reads nothing."""
    lazy = peers(zmq.XSUB)
    lazy.setsockopt(zmq.RCVHWM, 1)
    lazy.connect(server.streams.endpoint)
    lazy.send(b"\x01@lazy")
    server.until(lambda: server.said)


def test_who_never_reads_is_let_go(
    server: Server, peers: Callable[[int], zmq.Socket[bytes]]
) -> None:
    let_in_lazy(server, peers)
    body = bytes(16 << 20)
    for _ in range(3 * MOST_UNSENT // len(body)):
        server.streams.send([b"@lazy", body])
        server.turn()
        held = sum(line.unsent for line in server.streams.lines.values())
        assert held <= MOST_UNSENT + len(body) + 100
    server.until(lambda: server.said[-1] is None)


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\xff" + bytes(200), b"\xff" * 70],
    ids=["http", "zeros", "greeting", "ff"],
)
def test_what_is_no_zeromq_is_let_go(server: Server, data: bytes) -> None:
    import socket

    endpoint = server.streams.endpoint
    if endpoint.startswith("ipc://"):
        one = socket.socket(socket.AF_UNIX)
        one.connect(endpoint.removeprefix("ipc://"))
    else:
        one = socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])))
    with one:
        one.sendall(data)

        def is_over() -> bool:
            try:
                return one.recv(1 << 16, socket.MSG_DONTWAIT) == b""
            except BlockingIOError:
                return False
            except ConnectionError:
                return True

        server.until(is_over)
        assert not server.streams.lines


def test_endpoints_that_cant_be_bound(tmp_path: Path, server: Server) -> None:
    with pytest.raises(BadEndpoint, match="another process uses it"):
        Streams(server.streams.endpoint, Peers())
    with pytest.raises(BadEndpoint, match="no such file"):
        Streams(f"ipc://{tmp_path}/none/such", Peers())
    left = tmp_path / "left"
    with closing(Server(f"ipc://{left}")):
        pass
    assert left.exists()  # as of a process that was killed
    Server(f"ipc://{left}").close()


AT_ITS_LIMIT = """
import os, resource, sys, time
from livetable.feed import Publisher
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
table = Publisher("orders")
table.send({"a": [1]})
held = []
try:
    while True: held.append(os.open("/dev/null", 0))
except OSError:
    pass
print("at its limit", flush=True)
sys.stdin.readline()
for one in held: os.close(one)
print("free", flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of descriptors")
def test_at_the_limit_of_descriptors_viewers_are_told_and_nothing_ends(
    runtime_folder: Path,
) -> None:
    environment = environment_for(runtime_folder)
    started = subprocess.Popen(
        [sys.executable, "-c", AT_ITS_LIMIT], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with killed_after(started) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "at its limit\n"

        def livetable(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["livetable", *arguments], env=environment, capture_output=True, text=True,
                timeout=30,
            )  # fmt: skip

        told = livetable("orders", "--once")
        assert told.returncode == 1
        assert "can't take another viewer" in told.stderr
        assert "orders" in livetable("--list", "--format", "csv").stdout
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.stdout.readline() == "free\n"
        assert livetable("orders", "--once", "--format", "csv").stdout == "a\n1\n"


def test_connections_beyond_the_last_place_are_guests_or_sent_away(
    tmp_path: Path, peers: Callable[[int], zmq.Socket[bytes]]
) -> None:
    accounts = Peers(places=3)
    with closing(Server(f"ipc://{tmp_path}/s", accounts)) as server:
        streams = server.streams
        for at in range(3):
            peers(zmq.XSUB).connect(streams.endpoint)
            server.until_there(at + 1)
        here = [line.peer for line in streams.lines.values()]
        for at in range(GUESTS):
            peers(zmq.XSUB).connect(streams.endpoint)
            server.until_there(at + 4)
        guests = [line for line in streams.lines.values() if line.peer.guest]
        assert len(guests) == GUESTS
        peers(zmq.XSUB).connect(streams.endpoint)
        server.until(lambda: None in server.said)  # one more came and is gone
        assert len(streams.lines) == len(accounts) == GUESTS + 3
        assert not any(one.gone or one.guest for one in here)
        here[0].send_away()
        server.until(lambda: here[0] in [line.peer for line, said in server.messages if not said])


def test_who_is_sent_away_holds_nothing_any_more(
    server: Server, peers: Callable[[int], zmq.Socket[bytes]]
) -> None:
    let_in_lazy(server, peers)
    sent = server.streams.send([b"@lazy", bytes(64 << 20)])
    server.turn()
    (line,) = server.streams.lines.values()
    assert line.peer.is_behind
    assert sent.left == 1
    line.peer.send_away()
    assert sent.left == line.unsent == 0
    server.until(lambda: server.said[-1] is None)
    assert line.peer.gone
