"""Which descriptors of the feed's thread can be read, or written to."""

from __future__ import annotations

from typing import Any, Final

import zmq

from livetable.feed.server.mailbox import Mailbox

_LONGEST_SECONDS: Final = 3600.0


class Poll:
    """What the feed's thread waits for.

    Args:
        mailbox: Wakes it.

    Attributes:
        ready: What can be read or written to since the last `wait`: descriptors and sockets.
    """

    def __init__(self, mailbox: Mailbox) -> None:
        self.ready: set[Any] = set()
        self._mailbox = mailbox
        self._poller = zmq.Poller()
        self._poller.register(mailbox.fileno(), zmq.POLLIN)
        self._polled: dict[int, bool] = {}

    def add(self, one: Any) -> None:
        """Wait until something can be read, too."""
        self._poller.register(one, zmq.POLLIN)

    def remove(self, one: Any) -> None:
        """Wait for it no more, if it was waited for."""
        if one in self._poller:
            self._poller.unregister(one)

    def wait(self, descriptors: dict[int, bool], seconds: float | None) -> None:
        """Wait until there is something to do.

        Args:
            descriptors: The connections there are, and of which also until they can be written to.
            seconds: How long; None: for ever.
        """
        for fd in [fd for fd in self._polled if fd not in descriptors]:
            self._poller.unregister(fd)
            del self._polled[fd]
        for fd, write in descriptors.items():
            if self._polled.get(fd) is not write:
                self._poller.register(fd, zmq.POLLIN | (zmq.POLLOUT if write else 0))
                self._polled[fd] = write
        timeout = None
        if seconds is not None:  # bounded: zmq takes no more milliseconds than fit 31 bits
            timeout = int(min(max(0.0, seconds), _LONGEST_SECONDS) * 1000) + 1
        self.ready = {at for at, _ in self._poller.poll(timeout)}
        if self._mailbox.fileno() in self.ready:
            self._mailbox.hear()
