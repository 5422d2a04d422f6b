"""Peers of a feed that don't keep to the protocol: raw sockets that speak just enough ZMTP."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.waiting import killed_after

GREETING = b"\xff" + b"\0" * 8 + b"\x7f" + b"\x03\x00" + b"NULL" + b"\0" * 48
_PRIVATE = re.compile(rb"@[0-9a-f]{32}")


class Peer:
    """A connection to a feed's endpoint, ``tcp://host:port`` or ``ipc://path``.

    Args:
        endpoint: Where.
        kind: What it says it is: ``XSUB`` or ``SUB``.
    """

    def __init__(self, endpoint: str, kind: bytes = b"XSUB") -> None:
        if endpoint.startswith("ipc://"):
            self.socket = socket.socket(socket.AF_UNIX)
            where: Any = endpoint.removeprefix("ipc://")
        else:
            self.socket = socket.socket()
            host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
            where = host, int(port)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(5)
        self.topic = b""
        self.others: set[bytes] = set()
        try:
            self._greet(where, kind)
        except OSError:
            self.socket.close()
            raise

    def _greet(self, where: Any, kind: bytes) -> None:
        self.socket.connect(where)
        self.socket.sendall(GREETING)
        self._exactly(64)
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
        self.socket.sendall(b"\x04" + bytes([len(ready)]) + ready)
        self._exactly(self._exactly(2)[1])

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise ConnectionError("sent away")
            data += more
        return data

    def say(self, message: bytes) -> None:
        """Send one message."""
        size = len(message)
        head = bytes([0, size]) if size < 256 else b"\x02" + struct.pack(">Q", size)
        self.socket.sendall(head + message)

    def listen(self, topic: bytes) -> bytes:
        """Subscribe; return the topic."""
        self.say(b"\x01" + topic)
        return topic

    def want(self, number: int, topic: bytes, table: str | None, **more: Any) -> None:
        """Want a table."""
        told = {"livetable": 1, "want": number, "topic": topic.decode(), "table": table}
        self.say(json.dumps(told | more).encode())

    def read(self) -> bytes:
        """Return what has come, or comes within a moment."""
        self.socket.settimeout(0.05)
        try:
            return self.socket.recv(1 << 20)
        except TimeoutError:
            return b""
        finally:
            self.socket.settimeout(5)

    def close(self) -> None:
        """Leave."""
        self.socket.close()


def private_topic() -> bytes:
    """Return a topic of one's own."""
    return b"@" + os.urandom(16).hex().encode()


def topics_in(data: bytes) -> set[bytes]:
    """Return the private topics that are named in what came."""
    return set(_PRIVATE.findall(data))


def drain(peer: Peer, seconds: float) -> int:
    """Read all that comes for a while; return how many bytes."""
    until = time.monotonic() + seconds
    count = 0
    while time.monotonic() < until:
        count += len(peer.read())
    return count


# -- what they do ----------------------------------------------------------------------------------


def never_reads(peer: Peer, number: int) -> None:
    """Want the table again and again, on one topic."""
    peer.topic = peer.topic or peer.listen(private_topic())
    peer.want(number, peer.topic, "t")


def never_reads_on_many(peer: Peer, number: int) -> None:
    """Want it each time on another topic."""
    peer.want(1, peer.listen(private_topic()), "t")


def begins_transfers(peer: Peer, number: int) -> None:
    """Read what comes, but never ask for the rest."""
    never_reads_on_many(peer, number)
    while peer.read():
        pass


def wants_what_is_not_there(peer: Peer, number: int) -> None:
    """Have many wants wait."""
    peer.topic = peer.topic or peer.listen(private_topic())
    peer.want(number, peer.topic, f"no{number % 12_000}")


def listens_to_all(peer: Peer, number: int) -> None:
    """Take as many topics as there are."""
    peer.listen(b"@%032d" % number)


def takes_and_leaves(peer: Peer, number: int) -> None:
    """Come and go on one connection."""
    topic = peer.listen(b"@%032d" % number)
    peer.want(1, topic, "t")
    peer.say(b"\x00" + topic)


def speaks_for_others(peer: Peer, number: int) -> None:
    """Learn the topics of others; end them, ask on them, fetch on them."""
    if not peer.topic:
        peer.listen(b"")
        peer.topic = b"all"
    peer.others |= topics_in(peer.read())
    for topic in peer.others:
        peer.say(b"\x00" + topic)
        peer.want(number + 1_000_000, topic, "t", epoch="0" * 16, seq=0, deltas=True)
        peer.listen(topic)
        peer.want(number + 2_000_000, topic, "t")


def never_reads_its_table(peer: Peer, number: int) -> None:
    """Subscribe to the table; say something, so as not to be taken for dead."""
    peer.topic = peer.topic or peer.listen(b"t")
    peer.want(number, private_topic(), "t")


def never_reads_all(peer: Peer, number: int) -> None:
    """Subscribe to all there is, and what others are answered."""
    if not peer.topic:
        peer.listen(b"")
        peer.topic = b"all"
    peer.want(number, private_topic(), "t")


ACTS: Final[dict[str, Callable[[Peer, int], None]]] = {
    act.__name__: act
    for act in (
        never_reads, never_reads_on_many, begins_transfers, wants_what_is_not_there,
        listens_to_all, takes_and_leaves, speaks_for_others, never_reads_its_table,
        never_reads_all,
    )
}  # fmt: skip


@contextmanager
def at_work(endpoint: str, act: str, *, rate: float, seconds: float) -> Iterator[list[int]]:
    """Have a peer, a process of its own, do something again and again; it comes back if sent away.

    Args:
        endpoint: Where.
        act: What, one of `ACTS`.
        rate: How often a second at most.
        seconds: How long, if it is not ended before.

    Yields:
        A list, in which is afterwards how often it did it, and how often it was sent away.
    """
    told: list[int] = []
    command = [sys.executable, "-m", "tests.peers", endpoint, act, str(rate), str(seconds)]
    started = subprocess.Popen(
        command, cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    with killed_after(started) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "at work\n"
        yield told
        process.stdin.close()
        told += json.loads(process.stdout.readline())


def _work(endpoint: str, act: str, rate: float, seconds: float) -> None:
    until = time.monotonic() + seconds
    done = away = 0
    at_once = max(1, int(rate / 100))

    def ended() -> bool:
        return time.monotonic() > until or bool(select.select([sys.stdin], [], [], 0)[0])

    while not ended():
        with contextlib.suppress(OSError):
            peer = Peer(endpoint)
            with contextlib.closing(peer):
                while not ended():
                    for _ in range(at_once):
                        done += 1
                        ACTS[act](peer, done)
                    if done <= at_once:
                        print("at work", flush=True)
                    time.sleep(at_once / rate)
        away += not ended()
        time.sleep(0.1)
    print(json.dumps([done, away]), flush=True)


if __name__ == "__main__":
    _work(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
