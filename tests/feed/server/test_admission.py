"""livetable.feed.server.admission: how many bodies may be on their way."""

from __future__ import annotations

from livetable.feed.frames.body import Body, Snapshot
from livetable.feed.protocol.messages import Position
from livetable.feed.server.admission import FREE_BODIES, FREE_BYTES, Unsent
from tests.feed.server.test_endpoint import Sent


def snapshot(seq: int, size: int) -> Snapshot:
    return Snapshot(Position("e", seq), Body(memoryview(bytes(size)), 1, 1), 0.0, 0.0)


def test_some_frames_and_some_bytes_are_on_their_way() -> None:
    unsent = Unsent()
    size = FREE_BYTES // 4
    sents = []
    for seq in range(1, 9):
        one = snapshot(seq, size)
        if not unsent.admits("t", one, float(seq)):
            break
        sents.append(Sent())
        unsent.add("t", one, sents[-1])
        unsent.add("t", one, sents[-1])  # to another one: no more of it
    assert len(sents) == max(FREE_BODIES, 3)
    assert unsent.admits("t", snapshot(1, size), 10.0)  # it is on its way
    assert unsent.admits("other", snapshot(1, size), 10.0)
    assert unsent.newest("t") is not None
    sents[0].done = True
    assert unsent.admits("t", snapshot(9, size), 11.0)
    for sent in sents:
        sent.done = True
    unsent.let_go()
    assert not unsent
