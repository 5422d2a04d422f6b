"""The protocol: wants and answers as bytes. No sockets, no Arrow.

A viewer sends *wants* upstream, one JSON object each. A feed answers with
``[topic, header, body...]``: the header a JSON object, the body (of snapshots and deltas only) an
Arrow IPC stream cut into parts. docs/protocol.md shows example bytes, which a test decodes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from livetable.feed.errors import WireError
from livetable.feed.protocol.fields import (
    VERSION,
    count_of,
    json_object,
    labels_of,
    ranges_of,
    seconds_of,
    text_of,
)
from livetable.feed.protocol.names import MAX_NAME
from livetable.feed.protocol.place import Place
from livetable.feed.protocol.source_status import SourceStatus
from livetable.feed.protocol.table_info import TableInfo

PART_BYTES: Final = 1 << 18
"""Largest part of a body, in bytes: heartbeats and small tables are sent between parts."""

WINDOW: Final = 16
"""Parts of one body on their way to one viewer before it has to ask for more."""

MAX_HEADER: Final = 4 << 20
"""Longest header that is read, in bytes (a catalogue of ten thousand tables fits)."""

MAX_WANT: Final = 4096
"""Longest want that is read, in bytes."""

MAX_BODY: Final = 4 << 30
"""Largest body that is read, in bytes."""

IDLE_SECONDS: Final = 1.0
"""A want that waits this long without news is answered with `idle`."""

HEARTBEAT_MS: Final = 2_000
"""Both sides send heartbeats this often."""

HEARTBEAT_TIMEOUT_MS: Final = 15_000
"""A peer that is silent this long is disconnected, and its queue freed."""

METADATA_KEY: Final = b"livetable"
"""Key of the body's schema metadata that holds the labels (docs/protocol.md)."""

KINDS: Final = frozenset({"snapshot", "delta", "idle", "end", "absent", "catalogue"})

WITH_BODY: Final = frozenset({"snapshot", "delta"})
"""Kinds of messages that have a body, cut into parts."""

_PRIVATE_TOPIC = b"@"


def new_topic() -> bytes:
    """Return a private topic nobody can guess: ``@`` and 32 hexadecimal digits."""
    return _PRIVATE_TOPIC + os.urandom(16).hex().encode()


def new_epoch() -> str:
    """Return the name of one life of a table in a feed: 16 hexadecimal digits."""
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True)
class Position:
    """A frame's position: the life of its table, and the frame's number in it."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Want:
    """A viewer's request: send to this topic what is newer of this table than what I have.

    Attributes:
        number: Counts the viewer's wants; the answer repeats it.
        topic: The private topic to answer on.
        table: The table's name; None asks for the catalogue.
        have: The position that the viewer has, None if none.
        fetching: The snapshot whose parts it is receiving.
        part: Parts of it that have arrived.
        deltas: Whether the viewer can read what changed, not only whole tables.
        memory: Whether it can read bodies from its feed's memory.
    """

    number: int
    topic: bytes
    table: str | None
    have: Position | None = None
    fetching: Position | None = None
    part: int = 0
    deltas: bool = False
    memory: bool = False

    def encode(self) -> bytes:
        """Return the message to send upstream."""
        message: dict[str, Any] = {
            "livetable": VERSION,
            "want": self.number,
            "topic": self.topic.decode(),
            "table": self.table,
        }
        if self.have is not None:
            message |= {"epoch": self.have.epoch, "seq": self.have.seq}
        if self.fetching is not None:
            message["part"] = [self.fetching.epoch, self.fetching.seq, self.part]
        if self.deltas:
            message["deltas"] = True
        if self.memory:
            message["memory"] = True
        return json.dumps(message, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Want:
        """Read an upstream message.

        Raises:
            WireError: it is not a want of this protocol's version.
        """
        message = json_object(data, MAX_WANT, "want")
        topic = text_of(message, "topic", 64).encode()
        if not topic.startswith(_PRIVATE_TOPIC) or len(topic) < 17:
            raise WireError("a want's topic must start with @ and be 17 to 64 bytes long")
        table = message.get("table")
        have = None
        if message.get("epoch") is not None:
            have = Position(text_of(message, "epoch", 64), count_of(message, "seq"))
        fetching, part = None, 0
        if message.get("part") is not None:
            triple = message["part"]
            if not (isinstance(triple, list) and len(triple) == 3):
                raise WireError("part: must be [epoch, seq, number]")
            fields = dict(zip(("epoch", "seq", "part"), triple, strict=True))
            fetching = Position(text_of(fields, "epoch", 64), count_of(fields, "seq"))
            part = count_of(fields, "part")
        return cls(
            number=count_of(message, "want"),
            topic=topic,
            table=None if table is None else text_of(message, "table", MAX_NAME),
            have=have,
            fetching=fetching,
            part=part,
            deltas=message.get("deltas") is True,
            memory=message.get("memory") is True,
        )


@dataclass(frozen=True, slots=True)
class Header:
    """What a feed says about one message.

    Attributes:
        kind: One of `KINDS`.
        table: The table's name, empty for a catalogue.
        want: Number of the want that this answers, None on the public topic.
        position: Epoch and seq (of a catalogue: its own), None for `absent`.
        age: Seconds from the `send` to this message's encoding; None before the first frame.
        time: When it was sent, in seconds since 1970 by the feed's clock.
        rate: Frames per second that the producer sends.
        rows: Rows of the table.
        columns: Columns of the table, without the index.
        size: Bytes of the whole body.
        part: Number of this message's part, from 0.
        parts: Parts of the whole body; 1 where the message holds all of it.
        key: Labels of the key columns, as JSON labels.
        note: A sentence for the person about trouble of the source.
        failure: Why there is no table, or only a part of it, and waiting won't help. Also sent as
            the note, for viewers that only know that.
        tables: The catalogue.
        since: Of a delta: the seq of the state that it changes.
        gone: Of a delta: ranges of removed rows in that state: first row and count, ascending.
        ended: Whether nothing will change any more.
        memory: Where the body is in shared memory, if it is not in the message.
        source: The status of the table's source; None: unchanged.
        silent: Whether the broker, or the process that sends the table to it, is silent: this is
            the last known state.
    """

    kind: str
    table: str = ""
    want: int | None = None
    position: Position | None = None
    age: float | None = None
    time: float | None = None
    rate: float = 0.0
    rows: int = 0
    columns: int = 0
    size: int = 0
    part: int = 0
    parts: int = 1
    key: tuple[Any, ...] = ()
    note: str | None = None
    failure: str | None = None
    tables: tuple[TableInfo, ...] = field(default=())
    since: int | None = None
    gone: tuple[tuple[int, int], ...] = ()
    ended: bool = False
    memory: Place | None = None
    source: SourceStatus | None = None
    silent: bool = False

    def encode(self) -> bytes:
        """Return the header as JSON."""
        message: dict[str, Any] = {"livetable": VERSION, "kind": self.kind, "table": self.table}
        if self.want is not None:
            message["want"] = self.want
        if self.position is not None:
            message |= {"epoch": self.position.epoch, "seq": self.position.seq}
        if self.age is not None:
            message["age"] = round(self.age, 6)
        if self.time is not None:
            message["time"] = round(self.time, 6)
        if self.rate:
            message["rate"] = round(self.rate, 3)
        if self.kind in WITH_BODY:
            message |= {"rows": self.rows, "columns": self.columns, "size": self.size}
            message["part"] = [self.part, self.parts]
        if self.kind == "delta":
            message |= {"since": self.since, "gone": list(map(list, self.gone))}
        if self.memory is not None:
            message["memory"] = self.memory.to_json()
        if self.source is not None and (said := self.source.to_json() or self.kind == "idle"):
            message["source"] = said if said is not True else {}
        if self.ended:
            message["ended"] = True
        if self.silent:
            message["silent"] = True
        if self.key:
            message["key"] = list(self.key)
        for name in ("note", "failure"):
            if (sentence := getattr(self, name)) is not None:
                message[name] = sentence[:1000].encode("utf-8", "replace").decode()
        if self.kind == "catalogue":
            message["tables"] = [info.to_json() for info in self.tables]
        return json.dumps(message, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """Read a header, field by field.

        Raises:
            WireError: it is not a header of this protocol's version; the sentence names the field.
        """
        # Long, as it reads one field after the other.
        message = json_object(data, MAX_HEADER, "header")
        kind = text_of(message, "kind", 16)
        if kind not in KINDS:
            raise WireError(f"kind: {kind!r} is unknown to version {VERSION} of the protocol")
        position = None
        if kind != "absent":
            position = Position(text_of(message, "epoch", 64), count_of(message, "seq"))
        part, parts = 0, 1
        if kind in WITH_BODY:
            pair = message.get("part")
            if not (isinstance(pair, list) and len(pair) == 2):
                raise WireError("part: must be [number, parts]")
            part = count_of({"part": pair[0]}, "part")
            parts = count_of({"parts": pair[1]}, "parts")
            if part >= parts:
                raise WireError(f"part: {part} of {parts} does not exist")
        tables = message.get("tables", [])
        if not isinstance(tables, list):
            raise WireError("tables: must be a list")
        size = count_of(message, "size", 0)
        if size > MAX_BODY:
            raise WireError(f"size: {size} bytes are more than the limit of {MAX_BODY}")
        note, failure = message.get("note"), message.get("failure")
        return cls(
            kind=kind,
            table=text_of(message, "table", MAX_NAME),
            want=count_of(message, "want") if "want" in message else None,
            position=position,
            age=seconds_of(message, "age"),
            time=seconds_of(message, "time"),
            rate=seconds_of(message, "rate") or 0.0,
            rows=count_of(message, "rows", 0),
            columns=count_of(message, "columns", 0),
            size=size,
            part=part,
            parts=parts,
            key=labels_of(message, "key"),
            note=None if note is None else text_of(message, "note", 4096),
            failure=None if failure is None else text_of(message, "failure", 4096),
            tables=tuple(map(TableInfo.from_json, tables)),
            since=count_of(message, "since") if kind == "delta" else None,
            gone=ranges_of(message) if kind == "delta" else (),
            ended=message.get("ended") is True,
            memory=Place.from_json(message["memory"]) if "memory" in message else None,
            source=SourceStatus.from_json(message["source"]) if "source" in message else None,
            silent=message.get("silent") is True,
        )


def split(body: memoryview, part_bytes: int = PART_BYTES) -> list[memoryview]:
    """Cut a body into parts without copying; an empty body is one empty part."""
    return [body[at : at + part_bytes] for at in range(0, len(body), part_bytes)] or [body]


def looks_like_livetable(frames: Sequence[bytes]) -> bool:
    """Tell whether a multipart message was sent by a livetable feed."""
    return len(frames) >= 2 and frames[1].startswith(b'{"livetable":')
