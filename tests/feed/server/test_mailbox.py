"""livetable.feed.server.mailbox: jobs of other threads, and what the hub's thread waits for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import zmq

from livetable.feed.base.native import original, thread_id
from livetable.feed.server.mailbox import Mailbox, Poll


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


def test_a_job_is_done_by_the_owner_and_waited_for(mailbox: Mailbox) -> None:
    poll = Poll(mailbox)

    def work() -> None:
        mailbox.owner = thread_id()
        for _ in range(2):
            poll.wait({}, 10.0)
            mailbox.work()

    worker = threading.Thread(target=work)
    worker.start()
    assert mailbox.call(thread_id) == worker.native_id or mailbox.owner is not None

    def refuse() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        mailbox.call(refuse)
    worker.join(10)


def test_the_owner_does_not_wait_for_itself(mailbox: Mailbox) -> None:
    mailbox.owner = thread_id()
    assert mailbox.is_own
    assert mailbox.call(lambda: 7) is None
    done: list[int] = []
    mailbox.post(lambda: done.append(1))
    mailbox.work()
    assert done == [1]


def test_nobody_waits_for_a_thread_that_has_ended(mailbox: Mailbox) -> None:
    mailbox.is_open = False
    assert mailbox.call(lambda: 7) is None


@pytest.mark.parametrize("has_poll", [True, False], ids=["poll", "windows"])
def test_what_is_ready(mailbox: Mailbox, has_poll: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_poll:

        def without(name: str, function: str) -> object:
            if function == "poll":
                raise AttributeError(function)
            return original(name, function)

        monkeypatch.setattr("livetable.feed.server.mailbox.original", without)
    poll = Poll(mailbox)
    near, far = socket.socketpair()
    with near, far:
        poll.wait({near.fileno(): False}, 0.0)
        assert poll.ready == set()
        poll.wait({near.fileno(): True}, 10.0)
        assert poll.ready == {near.fileno()}
        far.send(b"x")
        poll.wait({near.fileno(): False}, None)
        assert poll.ready == {near.fileno()}
        poll.wait({}, 0.0)  # it is waited for no more
        assert poll.ready == set()
    mailbox.wake()
    poll.wait({}, 1e12)  # longer than any system's clock counts
    assert poll.ready == {mailbox.fileno()}
    poll.wait({}, 0.0)
    assert poll.ready == set()  # it was heard


def test_sockets_of_zeromq_beside_others(mailbox: Mailbox) -> None:
    poll = Poll(mailbox)
    near, far = socket.socketpair()
    with near, far, zmq.Context() as context, context.socket(zmq.PAIR) as one:
        poll.wait({near.fileno(): False}, 0.0)
        with context.socket(zmq.PAIR) as other:
            one.bind("inproc://lt-poll")
            other.connect("inproc://lt-poll")
            poll.add(one)
            poll.add(one)
            far.send(b"x")
            other.send(b"y")
            mailbox.wake()
            poll.wait({near.fileno(): False}, 10.0)
            assert near.fileno() in poll.ready
            while one not in poll.ready:
                poll.wait({near.fileno(): False}, 10.0)
            poll.remove(one)
            poll.remove(one)
            poll.wait({near.fileno(): False}, 10.0)
            assert poll.ready == {near.fileno()}
