"""livetable.feed.client.proof: why the two sides of a connection don't agree on keys."""

from __future__ import annotations

from pathlib import Path

import pytest
import zmq

from livetable.feed.client.proof import Proof
from livetable.feed.curve import introduction, keys

ENDPOINT = "tcp://feed.example:5411"
KEY, OTHER = b"k" * 32, b"o" * 32
MISMATCH = zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


class Socket:
    """Takes options; ZeroMQ tells some of them only where it was built with CURVE."""

    def __init__(self) -> None:
        self.options: dict[int, bytes] = {}

    def setsockopt(self, option: int, value: bytes) -> None:
        self.options[option] = value


def proving(endpoint: str) -> tuple[Proof, dict[int, bytes]]:
    proof, socket = Proof(endpoint), Socket()
    proof.prove(socket)  # type: ignore[arg-type]
    return proof, socket.options


def test_a_known_key_has_to_be_proven() -> None:
    keys.trust(ENDPOINT, KEY)
    options = proving(ENDPOINT)[1]
    assert options[zmq.CURVE_SERVERKEY] == KEY
    assert len(options[zmq.CURVE_SECRETKEY]) == 32  # any will do without one's own
    assert not proving("tcp://other:1")[1]
    assert not proving("ipc:///tmp/lt-none")[1]
    keys.keygen()
    own = keys.own_pair()
    assert own is not None
    assert proving(ENDPOINT)[1][zmq.CURVE_PUBLICKEY] == own.public


def test_a_viewer_that_is_not_let_in() -> None:
    keys.trust(ENDPOINT, KEY)
    proof, _ = proving(ENDPOINT)
    why = proof.failed(zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400)
    assert why is not None
    assert why.endswith("livetable-feed keygen")
    public = keys.keygen().read_text().split()[1]
    why = proof.failed(zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400)
    assert why is not None
    assert "authorized_viewers" in why
    assert public in why


def test_only_one_side_has_keys() -> None:
    why = proving(ENDPOINT)[0].failed(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, MISMATCH)
    assert why is not None
    assert f"livetable --feed-key KEY {ENDPOINT}" in why
    keys.trust(ENDPOINT, KEY)
    why = proving(ENDPOINT)[0].failed(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, MISMATCH)
    assert why is not None
    assert "NO LONGER PROVES ITS KEY" in why


def test_a_wrong_key_is_told_after_several_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    keys.trust(ENDPOINT, KEY)
    shown = [OTHER, KEY]
    monkeypatch.setattr(introduction, "ask", lambda where: shown.pop(0))
    proof, _ = proving(ENDPOINT)
    event = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    said = [proof.failed(event, 0) for _ in range(6)]
    assert said[:2] == said[3:5] == [None, None]
    assert said[2] is not None
    assert "HAS CHANGED" in said[2]
    assert said[5] is None  # it has the key after all: a line that was cut
    proof.agreed()
    assert proof.failed(event, 0) is None
