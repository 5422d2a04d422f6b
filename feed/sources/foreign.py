"""Any ZeroMQ publisher as a source: what it sends is recognised and turned into frames.

Runs in a feed process of its own: what a stranger sends is read here, never in the viewer.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import threading
from typing import Any, Final

import pyarrow as pa
import zmq

from livetable.feed.errors import BadEndpoint, LivetableError
from livetable.feed.labels import safe_str
from livetable.feed.publisher import Publisher
from livetable.feed.sources.pickles import looks_pickled
from livetable.feed.wire import looks_like_livetable

MAX_MESSAGE: Final = 1 << 30
"""Longest message part that is read, in bytes."""

_MEMORY: Final = 8 << 30
"""Memory the process may have while it reads pickles, in bytes of address space."""


class Unreadable(LivetableError):
    """A message that is no table; the sentence says what it seems to be."""


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Send on what the publisher at `options.source` sends, the newest first."""
    limit_process()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    subscriber = context.socket(zmq.SUB)
    subscriber.setsockopt(zmq.LINGER, 0)
    subscriber.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
    subscriber.setsockopt(zmq.RECONNECT_IVL, 20)
    subscriber.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
    subscriber.setsockopt(zmq.IPV6, 1)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    stopped = context.socket(zmq.PAIR)
    stopped.bind("inproc://stop")
    waiter = threading.Thread(target=_tell, args=(context, stop), daemon=True)
    try:
        try:
            subscriber.connect(options.source)
        except zmq.ZMQError:
            raise BadEndpoint(f"{options.source!r} is no endpoint: write tcp://host:port") from None
        waiter.start()
        poller = zmq.Poller()
        poller.register(subscriber, zmq.POLLIN)
        poller.register(stopped, zmq.POLLIN)
        while not stop.is_set():
            ready = dict(poller.poll())
            if subscriber in ready and (newest := _newest(subscriber)):
                _send(newest, publisher, pickles=options.pickle)
    finally:
        subscriber.close(0)
        stopped.close(0)
        context.destroy(0)


def _tell(context: zmq.Context[zmq.Socket[bytes]], stop: threading.Event) -> None:
    stop.wait()
    with contextlib.suppress(zmq.ZMQError), context.socket(zmq.PAIR) as bell:
        bell.connect("inproc://stop")
        bell.send(b"")


def _newest(subscriber: zmq.Socket[bytes]) -> list[bytes] | None:
    """Return the newest message there is, None if there is none."""
    newest = None
    for _ in range(100_000):
        try:
            newest = subscriber.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            break
    return newest


def _send(message: list[bytes], publisher: Publisher, *, pickles: bool) -> None:
    if looks_like_livetable(message):
        return
    try:
        publisher.send(recognise(message[-1], pickles=pickles))
    except LivetableError as error:
        publisher.note(str(error))
    except Exception as error:  # a frame that only this source could have made
        publisher.note(f"a message could not be shown: {safe_str(error):.200}")
    else:
        publisher.note(None)


def recognise(data: bytes, *, pickles: bool) -> Any:
    """Return the table in a message, as something `Publisher.send` takes.

    Known without being told: Arrow IPC stream and file (Feather), Parquet, JSON records, JSON
    columns, and CSV with a header. A pickled DataFrame only if admitted.

    Raises:
        Unreadable: it is none of these.
        Refused: a pickle that names anything but a DataFrame's parts.
    """
    if looks_pickled(data):
        if not pickles:
            raise Unreadable(
                "this publisher sends pickles, which can run code where they are read: "
                "--pickle admits DataFrames, and nothing else"
            )
        from livetable.feed.sources.pickles import read
        from livetable.feed.sources.thaw import thaw

        return thaw(read(data))
    try:
        if data[:4] == b"\xff\xff\xff\xff":
            return _checked(pa.ipc.open_stream(data).read_all())
        if data[:6] == b"ARROW1":
            return _checked(pa.ipc.open_file(data).read_all())
        if data[:4] == b"PAR1":
            import pyarrow.parquet as pq

            return _checked(pq.read_table(io.BytesIO(data)))
        if data[:1] in (b"[", b"{"):
            return _json(data)
        if _looks_like_csv(data):
            import pyarrow.csv

            return pyarrow.csv.read_csv(io.BytesIO(data))
    except Unreadable:
        raise
    except Exception as error:  # of any library, on bytes of a stranger's
        raise Unreadable(
            f"a message could not be read as a table: {safe_str(error):.200}"
        ) from None
    raise Unreadable(
        f"a message of {len(data):,} bytes is neither Arrow, Feather, Parquet, JSON, CSV nor pickle"
    )


def _checked(table: pa.Table) -> pa.Table:
    table.validate(full=True)
    return table


def _json(data: bytes) -> Any:
    import pandas as pd

    value = json.loads(data)
    if isinstance(value, dict):
        if {"columns", "data"} <= set(value):  # pandas' orient="split"
            return pd.DataFrame(value["data"], value.get("index"), value["columns"])
        if not any(isinstance(part, (list, dict)) for part in value.values()):
            value = [value]  # one record
    elif value and not all(isinstance(row, dict) for row in value):
        raise Unreadable("a JSON list of something else than records is no table")
    return pd.DataFrame(value)


def _looks_like_csv(data: bytes) -> bool:
    first, newline, _ = data[:65_536].partition(b"\n")
    try:
        text = first.decode()
    except UnicodeDecodeError:
        return False
    return (
        bool(newline)
        and ("," in text or text.strip().isidentifier())
        and all(c.isprintable() or c in "\r\t" for c in text)
    )


def limit_process() -> None:
    """Bound what this process may do from here on: memory, new files, core dumps."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, limit in (("RLIMIT_AS", _MEMORY), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)):
        _, hard = resource.getrlimit(getattr(resource, name))
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(getattr(resource, name), (limit, limit))
