"""Decides which viewers may connect to a feed with keys; ZeroMQ asks at each handshake (RFC 27)."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Final

import zmq

from livetable.feed.curve.keys import authorized_viewers, key_text
from livetable.feed.errors import BadKey

LOOK_SECONDS: Final = 1.5
"""Seconds between checks that the keys of connected viewers are still authorized."""

_log = logging.getLogger("livetable.feed")


class Doorkeeper:
    """Answers for all endpoints of a context; reads authorized_viewers at each handshake.

    Args:
        context: The feed's context.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind("inproc://zeromq.zap.01")
        self.owners: set[bytes] = set()
        """Public keys of the feeds themselves: their owner may connect."""
        self._told: set[bytes] = set()
        self._inside: set[bytes] = set()
        """Keys of viewers that were let in since the sockets were last renewed."""
        self._missed: set[bytes] = set()
        self._look_at = 0.0

    def answer(self) -> None:
        """Answer pending questions, at most 64."""
        for _ in range(64):
            try:
                asked = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            key = asked[6] if len(asked) > 6 and asked[5] == b"CURVE" else b""
            if comes_in := self._knows(key):
                self._inside.add(key)
                self._look_at = self._look_at or time.monotonic() + LOOK_SECONDS
            code, why = (b"200", b"OK") if comes_in else (b"400", b"no key of authorized_viewers")
            request = asked[1] if len(asked) > 1 else b""
            with contextlib.suppress(zmq.ZMQError):
                self.socket.send_multipart([b"1.0", request, code, why, b"", b""])

    @property
    def deadline(self) -> float | None:
        """When to call `revokes` next, None while no viewer is connected."""
        return self._look_at or None

    def revokes(self, now: float) -> bool:
        """Tell whether a connected viewer is no longer authorized.

        ZeroMQ can't disconnect a single peer: the caller renews all connections, and each viewer
        shows its key again. A key must be missing twice in a row: an editor may be writing the
        file.
        """
        if not self._look_at or now < self._look_at:
            return False
        gone = self._inside - self._known()
        taken_out = gone & self._missed
        self._missed = gone
        if taken_out:
            self._inside.clear()
            self._missed.clear()
        self._look_at = now + LOOK_SECONDS if self._inside else 0.0
        return bool(taken_out)

    def close(self) -> None:
        """Stop answering: nobody is let in any more."""
        self.socket.close(0)

    def _known(self) -> frozenset[bytes]:
        try:
            return authorized_viewers() | self.owners
        except BadKey as error:
            self._tell(b"", f"can't let any viewer in: {error}")
            return frozenset()

    def _knows(self, key: bytes) -> bool:
        known = self._known()
        if key not in known and len(key) == 32:
            self._tell(
                key,
                f"refused a viewer: to let it in, add this line to authorized_viewers in "
                f"~/.config/livetable: {key_text(key)}",
            )
        return key in known

    def _tell(self, about: bytes, sentence: str) -> None:
        if about not in self._told and len(self._told) < 100:
            self._told.add(about)
            _log.warning(sentence)
