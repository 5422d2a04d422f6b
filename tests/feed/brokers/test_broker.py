"""livetable.feed.brokers.broker: a message in one piece, and how a broker is opened."""

from __future__ import annotations

from livetable.feed.brokers.broker import pack, unpack
from livetable.feed.protocol.messages import Header, Position


def test_messages_in_one_piece() -> None:
    header = Header("snapshot", "a\nb", position=Position("e", 1)).encode()
    for body in (b"x\ny", b""):
        head, rest = unpack(pack(header, memoryview(body)))
        assert (head, bytes(rest)) == (header, body)
    assert bytes(unpack(b"no break")[0]) == b"no break"
