"""livetable.feed.server.keyed_socket: endpoints with keys come, are renewed and go."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import zmq

from livetable.feed.curve.keys import new_pair
from livetable.feed.errors import BadEndpoint
from livetable.feed.server.keyed_socket import KeyedSocket, KeyedSockets
from livetable.feed.server.mailbox import Mailbox, Poll
from livetable.feed.server.peers import Peers
from tests.waiting import wait_for


@pytest.fixture
def keyed() -> Iterator[KeyedSockets]:
    mailbox = Mailbox()
    made = KeyedSockets(Poll(mailbox), lambda table, have, deltas: None, Peers())
    yield made
    for bound in list(made._bound):
        made.unbind(bound, 0.0)
    made.close()
    mailbox.close()


def turn(keyed: KeyedSockets, bound: KeyedSocket) -> None:
    keyed._poll.wait({}, 0.01)
    keyed.let_in()
    keyed.revoke(time.monotonic())
    keyed.serve(bound, time.monotonic())


def test_who_has_the_feeds_own_key_comes_in(keyed: KeyedSockets) -> None:
    pair = new_pair()
    bound = keyed.bind("tcp://127.0.0.1:0", pair)
    with zmq.Context() as context, context.socket(zmq.XSUB) as viewer:
        viewer.setsockopt(zmq.LINGER, 0)
        viewer.setsockopt(zmq.CURVE_SERVERKEY, pair.public)
        viewer.setsockopt(zmq.CURVE_PUBLICKEY, pair.public)
        viewer.setsockopt(zmq.CURVE_SECRETKEY, pair.secret)
        viewer.connect(bound.endpoint)
        viewer.send(b"\x01@" + b"0" * 32)

        def has_come() -> bool:
            turn(keyed, bound)
            return len(bound.serving._viewers) == 1

        wait_for(has_come)
        keyed._to_renew.add(bound)
        keyed.revoke(time.monotonic())
        assert keyed.deadlines(0.0)[1] is None
        assert len(bound.serving._viewers) == 0  # it has to show its key again


def test_what_can_not_be_bound(keyed: KeyedSockets) -> None:
    bound = keyed.bind("tcp://127.0.0.1:0", new_pair())
    with pytest.raises(BadEndpoint, match="another process uses it"):
        keyed.bind(bound.endpoint, new_pair())
    assert keyed.deadlines(0.0) == [None, None]
    keyed._to_renew.add(bound)
    assert keyed.deadlines(1.0) == [None, 1.2]
    keyed.unbind(bound, 0.0)
    keyed.revoke(0.0)  # closed meanwhile: it is not renewed
    assert keyed.deadlines(0.0) == [None, None]
