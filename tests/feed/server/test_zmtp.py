"""livetable.feed.server.zmtp: frames as bytes and back, and peers that speak something else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.server.zmtp import (
    GREETING,
    PING,
    READ_BYTES,
    Line,
    SentMessage,
    command,
    framed,
    say_taken,
)

READY = command(b"\x05READY\x0bSocket-Type\0\0\0\x04XSUB")


def line() -> Line:
    near, _ = PAIRS[-1]
    return Line(near, 0.0, local=True, turned_away=False)


PAIRS: list[tuple[socket.socket, socket.socket]] = []


@pytest.fixture(autouse=True)
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    PAIRS.append(socket.socketpair())
    for end in PAIRS[-1]:
        end.setblocking(False)
    yield PAIRS[-1]
    for end in PAIRS.pop():
        end.close()


@given(st.lists(st.binary(max_size=5000), min_size=1, max_size=4), st.integers(1, 400))
def test_whole_messages_come_in_pieces_of_any_size(frames: list[bytes], size: int) -> None:
    data = GREETING + READY + b"".join(map(bytes, framed(frames)))
    reading, messages = line(), []
    for start in range(0, len(data), size):
        found = reading.read(data[start : start + size], 0.0)
        assert found is not None
        messages += found
    assert messages == (frames if len(frames) == 1 else [])  # who reads here sends single frames
    assert reading.stage == 2


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0", b"\xff" + b"\0" * 8 + b"\x01", GREETING[:10] + b"\x01" + GREETING[11:],
        GREETING[:12] + b"CURVE".ljust(20, b"\0") + GREETING[32:], GREETING + b"\x08\x01x",
        GREETING + b"\x02" + (1 << 40).to_bytes(8, "big"), GREETING + b"\0\x01x",
        GREETING + command(b"\x05READY\x0bSocket-Type\0\0\0\x03PUB"),
        GREETING + READY + command(b"\x05ERROR\x00"),
    ],
)  # fmt: skip
def test_what_is_no_subscriber_of_zeromq(data: bytes) -> None:
    assert line().read(data, 0.0) is None


def test_commands() -> None:
    reading = line()
    said = command(b"\x09SUBSCRIBEt") + command(b"\x06CANCELt") + command(PING + b"context")
    assert reading.read(GREETING + READY + said, 5.0) == [b"\x01t", b"\x00t"]
    assert reading.heard == 5.0
    assert bytes(reading.out[-1][0]) == command(b"\x04PONGcontext")
    count = len(reading.out)
    reading.unsent = READ_BYTES
    assert reading.read(command(PING), 6.0) == []
    assert len(reading.out) == count  # a flood of pings is not answered to who does not read


def test_what_is_taken_is_counted(pair: tuple[socket.socket, socket.socket]) -> None:
    sending, sent = line(), SentMessage(1)
    sending.put(b"abc")
    sending.put(memoryview(b"defg"), sent)
    assert (sending.unsent, sent.done) == (7, False)
    assert sending.flush()
    assert (sending.unsent, sending.taken, sent.done) == (0, 7, True)
    assert pair[1].recv(100) == b"abcdefg"


def test_who_does_not_read_holds_the_rest(pair: tuple[socket.socket, socket.socket]) -> None:
    sending, sent = line(), SentMessage(1)
    sending.put(bytes(8 << 20), sent)
    assert sending.flush()
    assert sending.unsent > 0
    assert not sent.done
    sending.cut()
    assert (sending.unsent, sent.done, sending.closing) == (0, True, True)
    assert not sending.out


def test_who_is_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[1].close()
    sending = line()
    sending.put(b"x")
    assert not sending.flush()


def test_nobody_need_hear_that_a_name_is_taken(tmp_path: object) -> None:
    say_taken(f"{tmp_path}/none", "orders")
