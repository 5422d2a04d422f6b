"""livetable.feed.brokers.broker: a message in one piece, and how a broker is opened."""

from __future__ import annotations

import errno
import ssl
import sys
from typing import cast

import pytest

from livetable.feed.base.extras import MissingExtra
from livetable.feed.brokers import broker
from livetable.feed.brokers.broker import (
    Broker,
    BrokerAway,
    BrokerError,
    broker_at,
    opened,
    pack,
    unpack,
    why_of,
)
from livetable.feed.errors import BadEndpoint
from livetable.feed.protocol.messages import Header, Position


def test_messages_in_one_piece() -> None:
    header = Header("snapshot", "a\nb", position=Position("e", 1)).encode()
    for body in (b"x\ny", b""):
        head, rest = unpack(pack(header, memoryview(body)))
        assert (head, bytes(rest)) == (header, body)
    assert bytes(unpack(b"no break")[0]) == b"no break"


async def test_a_broker_is_waited_for_and_no_longer_than_it_may_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker, "_AGAIN_SECONDS", 0.0)
    answers: list[Exception | None] = [BrokerAway("nobody"), BrokerAway("still nobody"), None]

    class Fake:
        async def open(self) -> None:
            if (answer := answers.pop(0)) is not None:
                raise answer

    said: list[str] = []
    await opened(cast(Broker, Fake()), said.append)
    assert (said, answers) == (["nobody", "still nobody"], [])
    answers[:] = [BrokerAway("nobody"), BrokerError("it does not let us in")]
    with pytest.raises(BrokerError, match="let us in"):
        await opened(cast(Broker, Fake()), said.append)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "[Errno 111] Connect call"),
            "Connection refus",
        ),
        (OSError(-2, "Name or service not known"), "Name or service not known"),
        (OSError("words"), "words"),
        (TimeoutError(), "no answer in time"),
        (ssl.SSLError(1, "wrong version number"), "wrong version number"),
        (RuntimeError("of a library"), "of a library"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_why_it_went_wrong_in_a_few_words(error: Exception, why: str) -> None:
    assert why in why_of(error)


@pytest.mark.parametrize("address", ["nats://", "redis://host:99999", "nats://a:b,c@host"])
def test_what_can_be_no_address_is_refused_before_any_package_is_looked_for(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(BadEndpoint):
        broker_at(address)
    with pytest.raises(MissingExtra, match=r'redis:// needs one more package: pip install "livet'):
        broker_at("redis://host:1")
