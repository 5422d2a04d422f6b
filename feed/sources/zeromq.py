"""Reads any ZeroMQ publisher: recognises the format of its messages and publishes them as frames.

Runs in a separate feed process, so that the viewer never reads untrusted bytes.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import zmq

from livetable.feed.base.terminal_text import safe_str
from livetable.feed.curve.keys import check_plain
from livetable.feed.errors import BadEndpoint, LivetableError
from livetable.feed.protocol.messages import looks_like_livetable
from livetable.feed.protocol.names import name_from
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.options import TableOptions
from livetable.feed.sources.payloads import array_of, recognise
from livetable.feed.sources.publish import Publish

MAX_MESSAGE: Final = 1 << 30
"""Longest message part that is read, in bytes."""

MAX_WAITING: Final = 256 << 20
"""Bytes of messages to read at once."""

MAX_TOPICS: Final = 200
"""Topics that become tables."""

_FILE: Final = 4096
"""The largest file that the process may write, in bytes: enough to list a table."""

_MEMORY: Final = 8 << 30
"""Memory the process may have while it reads pickles, in bytes of address space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(TableOptions):
    """Which messages are read, and how.

    Attributes:
        source: Where the publisher is.
        topic: Prefixes of the topics to read, None for all.
        pull: Whether it is a PUSH socket, not a PUB.
        pickle: Whether to accept pickled DataFrames.
    """

    source: str
    topic: Sequence[str] | None = None
    pull: bool = False
    pickle: bool = False


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish the messages of the publisher at `options.source`.

    Each topic is a table. The first topic's table is the announced one.

    Raises:
        BadEndpoint: the endpoint is not valid.
    """
    check_plain(options.source)
    place = options.source.partition("://")[2].replace("/", " ").strip()
    scheme = options.source.partition("://")[0]
    name = options.name or name_from(f"{scheme} {place}", "table")
    with publish(name, key=options.key, limit=options.limit) as first:
        limit_process()
        _read(options, _Topics(options, publish, first), stop)


def _read(options: Options, tables: _Topics, stop: threading.Event) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    subscriber = context.socket(zmq.PULL if options.pull else zmq.SUB)
    subscriber.setsockopt(zmq.LINGER, 0)
    subscriber.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
    subscriber.setsockopt(zmq.RECONNECT_IVL, 20)
    subscriber.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
    subscriber.setsockopt(zmq.IPV6, 1)
    if not options.pull:
        for topic in options.topic or [""]:
            subscriber.setsockopt(zmq.SUBSCRIBE, topic.encode())
    stopped = context.socket(zmq.PAIR)
    stopped.bind("inproc://stop")
    waiter = threading.Thread(target=_tell, args=(context, stop), daemon=True)
    try:
        try:
            subscriber.connect(options.source)
        except zmq.ZMQError:
            raise BadEndpoint(
                f"{options.source!r} is not an endpoint: write tcp://host:port"
            ) from None
        waiter.start()
        poller = zmq.Poller()
        poller.register(subscriber, zmq.POLLIN)
        poller.register(stopped, zmq.POLLIN)
        while not stop.is_set():
            ready = dict(poller.poll())
            if subscriber in ready:
                tables.take(_waiting(subscriber))
    finally:
        tables.close()
        subscriber.close(0)
        stopped.close(0)
        context.destroy(0)


def _tell(context: zmq.Context[zmq.Socket[bytes]], stop: threading.Event) -> None:
    stop.wait()
    with contextlib.suppress(zmq.ZMQError), context.socket(zmq.PAIR) as bell:
        bell.connect("inproc://stop")
        bell.send(b"")


def _waiting(subscriber: zmq.Socket[bytes]) -> list[list[bytes]]:
    """Return the waiting messages, oldest first, up to `MAX_WAITING` bytes."""
    messages = []
    size = 0
    for _ in range(100_000):
        try:
            messages.append(subscriber.recv_multipart(zmq.NOBLOCK))
        except zmq.Again:
            break
        size += sum(map(len, messages[-1]))
        if size > MAX_WAITING:
            break
    return messages


class _Topics:
    """The tables that a publisher's messages make.

    Args:
        options: What was asked for on the command line.
        publish: Makes the tables of further topics.
        first: Takes the messages of the first topic, and those without one.
    """

    def __init__(self, options: Options, publish: Publish, first: Publisher) -> None:
        self._options = options
        self._publish = publish
        self._first = first
        self._tables: dict[bytes | None, Publisher] = {}

    def take(self, messages: list[list[bytes]]) -> None:
        """Show messages: the newest of each topic, or all if each adds rows."""
        by_topic: dict[bytes | None, list[list[bytes]]] = {}
        for message in messages:
            if not looks_like_livetable(message):
                by_topic.setdefault(topic_of(message), []).append(message)
        for topic, of_topic in by_topic.items():
            if (publisher := self._table(topic)) is not None:
                adds = bool(self._options.key) or self._options.limit is not None
                self._send(of_topic if adds else of_topic[-1:], publisher, adds=adds)

    def _table(self, topic: bytes | None) -> Publisher | None:
        if topic in self._tables:
            return self._tables[topic]
        if not self._tables:
            self._tables[topic] = self._first
            return self._first
        if topic is None or len(self._tables) >= MAX_TOPICS:
            return self._first if topic is None else None
        options = self._options
        try:
            table = self._publish(
                topic.decode(), key=options.key, limit=options.limit, is_further=True
            )
        except (LivetableError, UnicodeDecodeError):  # the topic is not a valid name
            return None
        self._tables[topic] = table
        first, *others = (key.decode("utf-8", "replace") if key else "" for key in self._tables)
        this = f"this is {first!r}; " if first else ""
        self._first.note(f"{this}press T for {', '.join(map(repr, others[:5]))}")
        return table

    def _send(self, messages: list[list[bytes]], publisher: Publisher, *, adds: bool) -> None:
        try:
            for message in messages:
                rows = table_in(message, pickles=self._options.pickle)
                if not adds:
                    publisher.send(rows)
                elif self._options.key:
                    publisher.upsert(rows)
                else:
                    publisher.append(rows)
        except LivetableError as error:
            publisher.note(str(error))
        except Exception as error:  # a frame that no other source makes
            publisher.note(f"can't show a message: {safe_str(error):.200}")
        else:
            if publisher is not self._first or len(self._tables) == 1:
                publisher.note(None)

    def close(self) -> None:
        """End the tables of further topics."""
        for publisher in self._tables.values():
            if publisher is not self._first:
                publisher.close()


def topic_of(message: list[bytes]) -> bytes | None:
    """Return a message's topic, None if it has none that can name a table."""
    if len(message) < 2 or not 0 < len(message[0]) <= 64:
        return None
    try:
        text = message[0].decode()
    except UnicodeDecodeError:
        return None
    return message[0] if text.isprintable() and text[0] not in "{[" else None


def table_in(message: list[bytes], *, pickles: bool) -> Any:
    """Return the table in a message: from its last part, or from a NumPy header and buffer.

    Raises:
        Unreadable: it is not a table.
    """
    if len(message) > 1 and message[-2][:1] == b"{" and b"dtype" in message[-2][:4096]:
        return array_of(message[-2], message[-1])
    return recognise(message[-1], pickles=pickles)


def limit_process() -> None:
    """Limit this process from now on: memory, new files, core dumps."""
    sys.dont_write_bytecode = True  # a .pyc cut off at the file limit breaks every later start
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, limit in (("RLIMIT_AS", _MEMORY), ("RLIMIT_FSIZE", _FILE), ("RLIMIT_CORE", 0)):
        _, hard = resource.getrlimit(getattr(resource, name))
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(getattr(resource, name), (limit, limit))
