"""Ask a feed for its public key: one UDP datagram each way.

CURVE needs the key before the first message. So a feed with keys answers UDP questions on its port
with its public key, and nothing else. The question is longer than the answer, so that nobody can
use it to flood others. The person decides once whether to trust the key (`tui.cli.trust`).
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Final

_QUESTION: Final = b"livetable: whose key? "
_ANSWER: Final = b"livetable: this key: "
_NONCE: Final = 16
_LENGTH: Final = 128
"""Bytes of a question: more than of an answer."""

_KEY: Final = 32
_AT_ONCE: Final = 64


class Introducer:
    """Answers for one endpoint. `answer` is called when `fileno` can be read.

    Args:
        endpoint: Where the feed is bound, its port as a number.
        key: Its public key.

    Raises:
        OSError: the port can't be bound; give viewers the key in another way.
    """

    def __init__(self, endpoint: str, key: bytes) -> None:
        host, port = _host_and_port(endpoint)
        if host == "*":
            host = "0.0.0.0"
        address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        self._key = key
        self._socket = socket.socket(address[0], socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(address[4])
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def answer(self) -> None:
        """Answer pending questions, at most `_AT_ONCE` of a flood."""
        for _ in range(_AT_ONCE):
            try:
                question, who = self._socket.recvfrom(_LENGTH + 1)
            except OSError:
                return
            if len(question) == _LENGTH and question.startswith(_QUESTION):
                nonce = question[len(_QUESTION) :][:_NONCE]
                with contextlib.suppress(OSError):
                    self._socket.sendto(_ANSWER + nonce + self._key, who)

    def close(self) -> None:
        """Stop answering."""
        self._socket.close()


def ask(endpoint: str, seconds: float = 0.3) -> bytes | None:
    """Return the public key that a feed shows, None if nobody answers.

    Args:
        endpoint: The feed's, ``tcp://host:port``.
        seconds: How long to wait for each of two attempts.
    """
    try:
        host, port = _host_and_port(endpoint)
        address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(address[0], socket.SOCK_DGRAM) as asking:
            asking.connect(address[4])  # connected, so that a closed port fails at once
            asking.settimeout(seconds)
            for _ in range(2):
                nonce = os.urandom(_NONCE)
                asking.send((_QUESTION + nonce).ljust(_LENGTH, b"\0"))
                with contextlib.suppress(TimeoutError):
                    answer = asking.recv(_LENGTH)
                    begins = _ANSWER + nonce
                    if answer.startswith(begins) and len(answer) == len(begins) + _KEY:
                        return answer[len(begins) :]
    except (OSError, UnicodeError, ValueError, OverflowError):
        return None  # no such host, or nobody answers
    return None


def _host_and_port(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return host.strip("[]"), int(port)
