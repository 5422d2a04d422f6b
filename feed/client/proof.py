"""Prove keys on a connection, and explain why the two sides don't agree."""

from __future__ import annotations

from typing import Final

import zmq

from livetable.feed.curve import introduction
from livetable.feed.curve.keys import (
    KeyPair,
    changed,
    config_folder,
    how_to_trust,
    key_text,
    known_feed,
    new_pair,
    own_pair,
)

FAILED: Final = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
"""ZeroMQ's events for a failed handshake."""

_OTHER_MECHANISM: Final = zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH
_SEVERAL: Final = 3


class Proof:
    """The keys of the connections to one endpoint.

    Args:
        endpoint: The endpoint.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._key: bytes | None = None
        self._pair: KeyPair | None = None
        self._failures = 0

    def prove(self, socket: zmq.Socket[bytes]) -> None:
        """Make a feed with a known key prove it, and prove this user's key to it."""
        self._key = known_feed(self._endpoint) if self._endpoint.startswith("tcp://") else None
        if self._key is not None:
            # Without an own key use a fresh one: the feed then answers that it does not know it.
            self._pair = own_pair() or self._pair or new_pair()
            socket.setsockopt(zmq.CURVE_SERVERKEY, self._key)
            socket.setsockopt(zmq.CURVE_PUBLICKEY, self._pair.public)
            socket.setsockopt(zmq.CURVE_SECRETKEY, self._pair.secret)

    def agreed(self) -> None:
        """Note that the two sides agreed."""
        self._failures = 0

    def failed(self, event: int, detail: int) -> str | None:
        """Return why the two sides don't agree on keys, None if it is something else."""
        self._failures += 1
        where = self._endpoint
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            pair = own_pair()
            if pair is None:
                return f"{where} lets in only known keys: make yours with livetable-feed keygen"
            return (
                f"{where} does not know your key: ask for this line to be added to its "
                f"authorized_viewers: {key_text(pair.public)}"
            )
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL and detail == _OTHER_MECHANISM:
            if self._key is not None:
                return (
                    f"WARNING: {where} NO LONGER PROVES ITS KEY: it now serves anybody, or "
                    "somebody else answers there. If you know why, remove its line from "
                    f"{config_folder() / 'known_feeds'}"
                )
            return f"{where} serves only viewers that know its key: {how_to_trust(where)}"
        # A wrong key looks like a dropped connection: only several failures in a row mean it.
        if self._key is None or self._failures % _SEVERAL:
            return None
        shown = introduction.ask(where)
        return None if shown == self._key else changed(where, self._key, shown)
