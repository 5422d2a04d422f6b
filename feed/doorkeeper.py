"""Says who may come in to a feed with keys: ZeroMQ asks it at each handshake (ZAP, RFC 27)."""

from __future__ import annotations

import contextlib
import logging

import zmq

from livetable.feed.errors import BadKey
from livetable.feed.keys import authorized_viewers, key_text

_log = logging.getLogger("livetable.feed")


class Doorkeeper:
    """Answers for all endpoints of a context. The keys' file is read at each handshake.

    Args:
        context: The feed's context.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind("inproc://zeromq.zap.01")
        self.owners: set[bytes] = set()
        """Keys of the feeds themselves: who has one's secret half comes in."""
        self._told: set[bytes] = set()

    def answer(self) -> None:
        """Answer what was asked, for no longer than it takes."""
        for _ in range(64):
            try:
                asked = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            key = asked[6] if len(asked) > 6 and asked[5] == b"CURVE" else b""
            comes_in = self._knows(key)
            code, why = (b"200", b"OK") if comes_in else (b"400", b"no key of authorized_viewers")
            request = asked[1] if len(asked) > 1 else b""
            with contextlib.suppress(zmq.ZMQError):
                self.socket.send_multipart([b"1.0", request, code, why, b"", b""])

    def close(self) -> None:
        """Let nobody in any more."""
        self.socket.close(0)

    def _knows(self, key: bytes) -> bool:
        try:
            known = authorized_viewers() | self.owners
        except BadKey as error:
            self._tell(b"", f"no viewer is let in: {error}")
            return False
        if key not in known and len(key) == 32:
            self._tell(
                key,
                f"a viewer was not let in; to let it in, add this line to authorized_viewers in "
                f"~/.config/livetable: {key_text(key)}",
            )
        return key in known

    def _tell(self, about: bytes, sentence: str) -> None:
        if about not in self._told and len(self._told) < 100:
            self._told.add(about)
            _log.warning(sentence)
