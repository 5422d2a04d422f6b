"""livetable.feed.curve.introduction: a feed's public key, told to who asks."""

from __future__ import annotations

import socket

import pytest

from livetable.feed import Publisher
from livetable.feed.curve import introduction


def test_an_introducer_answers_questions_and_nothing_else(feed: Publisher) -> None:
    port = int(feed.endpoint.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.3)
        question = (b"livetable: whose key? " + b"n" * 16).ljust(128, b"\0")
        for wrong in (b"", question[:-1], question + b"\0", b"x" * 128, b"\0" * 60_000):
            one.sendto(wrong, ("127.0.0.1", port))
        with pytest.raises(TimeoutError):
            one.recv(1000)
        one.sendto(question, ("127.0.0.1", port))
        answer = one.recv(1000)
    assert answer.startswith(b"livetable: this key: " + b"n" * 16)
    assert len(answer) < len(question)
    assert introduction.ask("tcp://127.0.0.1:9") is None
    assert introduction.ask("tcp://no.such.host.invalid:9") is None
