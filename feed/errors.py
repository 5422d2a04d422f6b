"""The exceptions of feeds and clients; each message is one sentence that says what to do.

LivetableError
├── NameTaken        another live process publishes that name
├── BadName          not a usable table name
├── BadEndpoint      not a usable endpoint, or it can't be bound
├── BadKey           a key, or a file of keys, that can't be used
├── BadFrame         `send` was given something that is not a table
├── NoFrame          no more frames come: the table ended, or its reader was closed
├── PublisherClosed  used after `close()`, or in a forked child
├── RuntimeFolder    the folder of the local sockets is missing or not safe
└── WireError        a message that does not follow docs/protocol.md
    └── BodyError    its body is not the Arrow stream the protocol asks for
"""

from __future__ import annotations

import os


class LivetableError(Exception):
    """Base of all errors that livetable raises on purpose."""


class NameTaken(LivetableError):
    """Another live process publishes a table of this name.

    Attributes:
        name: The table's name.
        pid: The process that holds it, or None if it could not be read.
        holder: Its Publisher, if that is in this very process.
    """

    def __init__(self, name: str, pid: int | None, holder: object = None) -> None:
        super().__init__(name, pid)
        self.name = name
        self.pid = pid
        self.holder = holder

    def __str__(self) -> str:
        if self.pid == os.getpid():
            return (
                f"table {self.name!r} is already published by this process ({self.pid}); close() "
                'that Publisher first, or make this one with taken="replace"'
            )
        who = f"process {self.pid}" if self.pid is not None else "another process"
        return (
            f"table {self.name!r} is already published by {who}; choose another name or end that "
            "process"
        )


class BadName(LivetableError):
    """Not a usable table name."""


class BadEndpoint(LivetableError):
    """Not a usable endpoint, or one that can't be bound or connected."""


class BadKey(LivetableError):
    """A key or a file of keys that can't be used, or a feed that does not prove its key."""


class BadFrame(LivetableError, TypeError):
    """`send` was given something that can't be shown as a table."""


class NoFrame(LivetableError):
    """No more frames come: the table has ended, or its reader was closed."""


class PublisherClosed(LivetableError):
    """The publisher was closed, or belongs to the process that this one was forked from."""


class RuntimeFolder(LivetableError):
    """The folder of the local sockets is missing, another user's, or open to others."""


class WireError(LivetableError):
    """A message that does not follow the protocol; the sentence says which field."""


class BodyError(WireError):
    """A message's body is not the Arrow stream that the protocol asks for."""
