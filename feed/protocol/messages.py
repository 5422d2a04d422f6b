"""The protocol: what wants and answers look like as bytes. No sockets, no Arrow.

A viewer sends *wants* upstream, one JSON object each. A feed answers with
``[topic, header, body...]``: the header a JSON object, the body (of snapshots and deltas only) an
Arrow IPC stream cut into parts. docs/protocol.md tells it by example bytes, which a test decodes.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from livetable.feed.errors import BadName, WireError

VERSION: Final = 1
"""Version of the protocol; a reader refuses others, naming both."""

PART_BYTES: Final = 1 << 18
"""A body goes in parts of at most this size, so that heartbeats and small tables get between."""

WINDOW: Final = 16
"""Parts of one body on their way to one viewer before it has to ask for more."""

MAX_HEADER: Final = 4 << 20
"""Longest header that is read, in bytes (a catalogue of ten thousand tables fits)."""

MAX_WANT: Final = 4096
"""Longest want that is read, in bytes."""

MAX_BODY: Final = 4 << 30
"""Largest body that is read, in bytes."""

MAX_NAME: Final = 64
"""Longest table name, in bytes of UTF-8 (it is part of a socket's path)."""

IDLE_SECONDS: Final = 1.0
"""A want that waits this long without news is answered with `idle`."""

HEARTBEAT_MS: Final = 2_000
"""Sockets on both sides ask each other for a sign of life this often."""

HEARTBEAT_TIMEOUT_MS: Final = 15_000
"""A peer that is silent this long is let go; its queue, if it had one, is freed."""

METADATA_KEY: Final = b"livetable"
"""Key of the body's schema metadata that holds the labels (docs/protocol.md)."""

KINDS: Final = frozenset({"snapshot", "delta", "idle", "end", "absent", "catalogue"})

WITH_BODY: Final = frozenset({"snapshot", "delta"})
"""Kinds of messages that have a body, cut into parts."""

MAX_RANGES: Final = 10_000
"""Most ranges of rows that a delta says are gone."""

_PRIVATE_TOPIC = b"@"
_MEMORY_NAME: Final = "livetable-[0-9a-f]{32}"


def new_topic() -> bytes:
    """Return a private topic nobody can guess: ``@`` and 32 hexadecimal digits."""
    return _PRIVATE_TOPIC + os.urandom(16).hex().encode()


def new_epoch() -> str:
    """Return the name of one life of a table in a feed: 16 hexadecimal digits."""
    return os.urandom(8).hex()


def check_name(name: object) -> str:
    """Return `name` if a table may be called so.

    Raises:
        BadName: not a string, empty, longer than 64 bytes, with a slash, a hash, a control
            character, or with ``@ - . ~`` or a space at its start.
    """
    if not isinstance(name, str):
        raise BadName(f"a table's name is a string, not {type(name).__name__}")
    if not name or not name.isprintable() or name != unicodedata.normalize("NFC", name):
        raise BadName(f"{name!r:.80} can't be a table's name: use printable characters")
    if len(name.encode()) > MAX_NAME:
        raise BadName(f"{name!r:.80} is too long for a table's name: {MAX_NAME} bytes at most")
    if name[0] in "@-.~ " or name[-1] == " " or set(name) & set("/\\#") or "://" in name:
        raise BadName(
            f"{name!r} can't be a table's name: leave out / \\ # and an @ - . ~ at the start"
        )
    return name


def name_from(text: str, other: str) -> str:
    """Return the name of a table that is made of something called otherwise, such as a file.

    Args:
        text: What that is called: anything. ``*`` and ``[]`` are patterns where names are given.
        other: The name if nothing is left of it.
    """
    text = unicodedata.normalize("NFC", text)
    plain = "".join("+" if one in "*?[]/\\#" or not one.isprintable() else one for one in text)
    end = plain.encode()[-MAX_NAME:].decode(errors="ignore")
    return end.lstrip("@-.~ ").rstrip() or other


@dataclass(frozen=True, slots=True)
class Position:
    """How far a table is: which life of its feed, and the frame's number in it."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where in its feed's memory a body is, for a viewer on the same machine.

    Attributes:
        pid: The feed's process.
        fd: That process's descriptor of the memory.
        name: What the memory is called: ``livetable-`` and 32 hexadecimal digits.
        at: Its first byte.
        number: What the memory's first eight bytes say while it is there. Once it is copied they
            are looked at: if they say something else, it was written over.
    """

    pid: int
    fd: int
    name: str
    at: int
    number: int

    def to_json(self) -> dict[str, Any]:
        """Return the place as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: object) -> Place:
        """Read a place.

        Raises:
            WireError: a field is missing or of another type.
        """
        if not isinstance(value, dict):
            raise WireError("memory: must be an object")
        name = _text(value, "name", 64)
        if not re.fullmatch(_MEMORY_NAME, name):
            raise WireError("name: must be livetable- and 32 hexadecimal digits")
        counts = {one: _count(value, one) for one in ("pid", "fd", "at", "number")}
        return cls(name=name, **counts)


@dataclass(frozen=True, slots=True)
class Want:
    """A viewer's request: to this topic, of this table, what is newer than I have.

    Attributes:
        number: Counts the viewer's wants; the answer repeats it.
        topic: The private topic to answer on.
        table: The table's name; None asks for the catalogue.
        have: What the viewer shows, None if nothing.
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
            WireError: it is no want of this protocol's version.
        """
        message = _json_object(data, MAX_WANT, "want")
        topic = _text(message, "topic", 64).encode()
        if not topic.startswith(_PRIVATE_TOPIC) or len(topic) < 17:
            raise WireError("a want's topic must start with @ and be 17 to 64 bytes long")
        table = message.get("table")
        have = None
        if message.get("epoch") is not None:
            have = Position(_text(message, "epoch", 64), _count(message, "seq"))
        fetching, part = None, 0
        if message.get("part") is not None:
            triple = message["part"]
            if not (isinstance(triple, list) and len(triple) == 3):
                raise WireError("part: must be [epoch, seq, number]")
            fields = dict(zip(("epoch", "seq", "part"), triple, strict=True))
            fetching = Position(_text(fields, "epoch", 64), _count(fields, "seq"))
            part = _count(fields, "part")
        return cls(
            number=_count(message, "want"),
            topic=topic,
            table=None if table is None else _text(message, "table", MAX_NAME),
            have=have,
            fetching=fetching,
            part=part,
            deltas=message.get("deltas") is True,
            memory=message.get("memory") is True,
        )


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A line of the catalogue: a table as its feed describes it.

    Attributes:
        name: The table's name.
        epoch: Which life of the feed.
        seq: Number of the newest frame, 0 if none was sent yet.
        rows: Rows of the newest frame.
        columns: Columns of the newest frame, without the index.
        rate: Frames per second over the last seconds.
        age: Seconds since the newest frame, None if there is none.
        pid: The feed's process.
        process: What that process is called.
        key: Labels of the key columns, as JSON labels.
        state: ``gone`` where its process is not heard any more, through a broker; ``ended`` where
            it has just ended; else empty.
    """

    name: str
    epoch: str
    seq: int
    rows: int
    columns: int
    rate: float
    age: float | None
    pid: int
    process: str
    key: tuple[Any, ...] = ()
    state: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as a JSON object."""
        names = (name for name in self.__slots__ if name != "state" or self.state)
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, value: object) -> TableInfo:
        """Read a line of a catalogue.

        Raises:
            WireError: a field is missing or of another type.
        """
        if not isinstance(value, dict):
            raise WireError("tables: must be a list of objects")
        return cls(
            name=_table_name(value),
            epoch=_text(value, "epoch", 64),
            seq=_count(value, "seq"),
            rows=_count(value, "rows"),
            columns=_count(value, "columns"),
            rate=_seconds(value, "rate") or 0.0,
            age=_seconds(value, "age"),
            pid=_count(value, "pid"),
            process=_text(value, "process", 256),
            key=_labels(value, "key"),
            state=_text(value, "state", 16) if "state" in value else "",
        )


MOST_LINES: Final = 20
"""Lines that could not be read of which the text is sent."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a feed stands with what it reads the table from: a file, a pipe, a command.

    Attributes:
        reading: How much of what was there at the start is read, 0 to 1; None once all is. Until
            then the table is a part of the whole.
        settling: Whether the line at the end, which has no end of its own yet, may be a row soon.
        unfinished: Which row is of such a line: it may still become another one. None if none is.
        checking: Whether it is being looked whether what was read is still the file's.
        unreadable: How many lines could not be read.
        lines: The first of them: number from 1, beginning of the text, what is wrong.
    """

    reading: float | None = None
    settling: bool = False
    unfinished: int | None = None
    checking: bool = False
    unreadable: int = 0
    lines: tuple[tuple[int, str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the status as a JSON object; what it does not say is left out."""
        said: dict[str, Any] = {}
        if self.reading is not None:
            said["reading"] = round(self.reading, 4)
        if self.unfinished is not None:
            said["unfinished"] = self.unfinished
        said |= {name: True for name in ("settling", "checking") if getattr(self, name)}
        if self.unreadable:
            said["unreadable"] = self.unreadable
            said["lines"] = [
                [number, *(text.encode("utf-8", "replace").decode()[:200] for text in texts)]
                for number, *texts in self.lines[:MOST_LINES]
            ]
        return said

    @classmethod
    def from_json(cls, value: object) -> SourceStatus:
        """Read a status.

        Raises:
            WireError: a field is of another type.
        """
        if not isinstance(value, dict):
            raise WireError("source: must be an object")
        reading = _seconds(value, "reading")
        lines = value.get("lines", [])
        if not isinstance(lines, list) or len(lines) > MOST_LINES:
            raise WireError(f"lines: must be a list of at most {MOST_LINES}")
        kept = []
        for line in lines:
            if not (isinstance(line, list) and len(line) == 3):
                raise WireError("lines: must be lists of [number, text, reason]")
            fields = dict(zip(("number", "text", "reason"), line, strict=True))
            kept.append(
                (_count(fields, "number"), _text(fields, "text", 200), _text(fields, "reason", 200))
            )
        return cls(
            reading=None if reading is None else min(reading, 1.0),
            settling=value.get("settling") is True,
            unfinished=_count(value, "unfinished") if "unfinished" in value else None,
            checking=value.get("checking") is True,
            unreadable=_count(value, "unreadable", 0),
            lines=tuple(kept),
        )


NO_SOURCE: Final = SourceStatus()
"""Of a table that is read from nothing, or of which there is nothing to say."""


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
        rate: Frames per second that the feed takes.
        rows: Rows of the table.
        columns: Columns of the table, without the index.
        size: Bytes of the whole body.
        part: Number of this message's part, from 0.
        parts: Parts of the whole body; 1 where the message holds all of it.
        key: Labels of the key columns, as JSON labels.
        note: A sentence for the person: what the source has trouble with.
        failure: Why there is no table, or only a part of one, and waiting brings no more. It is
            the note, too, for viewers that only read that.
        tables: The catalogue.
        since: Of a delta: the seq of the state that it changes.
        gone: Of a delta: where in that state the rows are that are gone: first row and how many,
            ascending.
        ended: Whether nothing will change any more.
        memory: Where the body is, if it does not come with the header.
        source: How the feed stands with what it reads the table from; None: nothing new of it.
        silent: Whether the process that sends the table to a broker is not heard any more, or the
            broker is not: this is its last state.
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
            WireError: it is no header of this protocol's version; the sentence names the field.
        """
        message = _json_object(data, MAX_HEADER, "header")
        kind = _text(message, "kind", 16)
        if kind not in KINDS:
            raise WireError(f"kind: {kind!r} is unknown to version {VERSION} of the protocol")
        position = None
        if kind != "absent":
            position = Position(_text(message, "epoch", 64), _count(message, "seq"))
        part, parts = 0, 1
        if kind in WITH_BODY:
            pair = message.get("part")
            if not (isinstance(pair, list) and len(pair) == 2):
                raise WireError("part: must be [number, parts]")
            part = _count({"part": pair[0]}, "part")
            parts = _count({"parts": pair[1]}, "parts")
            if part >= parts:
                raise WireError(f"part: {part} of {parts} does not exist")
        tables = message.get("tables", [])
        if not isinstance(tables, list):
            raise WireError("tables: must be a list")
        size = _count(message, "size", 0)
        if size > MAX_BODY:
            raise WireError(f"size: {size} bytes are more than the {MAX_BODY} that are read")
        note, failure = message.get("note"), message.get("failure")
        return cls(
            kind=kind,
            table=_text(message, "table", MAX_NAME),
            want=_count(message, "want") if "want" in message else None,
            position=position,
            age=_seconds(message, "age"),
            time=_seconds(message, "time"),
            rate=_seconds(message, "rate") or 0.0,
            rows=_count(message, "rows", 0),
            columns=_count(message, "columns", 0),
            size=size,
            part=part,
            parts=parts,
            key=_labels(message, "key"),
            note=None if note is None else _text(message, "note", 4096),
            failure=None if failure is None else _text(message, "failure", 4096),
            tables=tuple(map(TableInfo.from_json, tables)),
            since=_count(message, "since") if kind == "delta" else None,
            gone=_ranges(message) if kind == "delta" else (),
            ended=message.get("ended") is True,
            memory=Place.from_json(message["memory"]) if "memory" in message else None,
            source=SourceStatus.from_json(message["source"]) if "source" in message else None,
            silent=message.get("silent") is True,
        )


def can_share(endpoint: str) -> bool:
    """Tell whether viewers at an endpoint can read their feed's memory: on the same Linux."""
    return endpoint.startswith("ipc://") and hasattr(os, "memfd_create")


def split(body: memoryview, part_bytes: int = PART_BYTES) -> list[memoryview]:
    """Cut a body into parts without copying; an empty body is one empty part."""
    return [body[at : at + part_bytes] for at in range(0, len(body), part_bytes)] or [body]


def looks_like_livetable(frames: Sequence[bytes]) -> bool:
    """Tell whether a multipart message was sent by a livetable feed."""
    return len(frames) >= 2 and frames[1].startswith(b'{"livetable":')


def _json_object(data: bytes, limit: int, what: str) -> dict[str, Any]:
    if len(data) > limit:
        raise WireError(f"a {what} of {len(data)} bytes is longer than the {limit} that are read")
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise WireError(f"a {what} must be JSON") from None
    if not isinstance(message, dict) or "livetable" not in message:
        raise WireError(f'a {what} must be a JSON object with "livetable":{VERSION}')
    if message["livetable"] != VERSION:
        raise WireError(
            f"the other side speaks version {message['livetable']!r:.20} of the protocol, "
            f"this one {VERSION}: update the older of the two"
        )
    return message


def _text(message: dict[str, Any], name: str, limit: int) -> str:
    value = message.get(name)
    if not isinstance(value, str) or len(value) > limit:
        raise WireError(f"{name}: must be a string of at most {limit} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WireError(f"{name}: must be Unicode text") from None
    return value


def _table_name(message: dict[str, Any]) -> str:
    try:
        return check_name(message.get("name"))
    except BadName as error:
        raise WireError(f"name: {error}") from None


def _count(message: dict[str, Any], name: str, default: int | None = None) -> int:
    value = message.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise WireError(f"{name}: must be a whole number, 0 or more")
    return value


def _seconds(message: dict[str, Any], name: str) -> float | None:
    value = message.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e15:
        raise WireError(f"{name}: must be a number, 0 or more")
    return float(value)


def _labels(message: dict[str, Any], name: str) -> tuple[Any, ...]:
    value = message.get(name, [])
    if not isinstance(value, list) or len(value) > 64:
        raise WireError(f"{name}: must be a list of at most 64 labels")
    return tuple(value)


def _ranges(message: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    value = message.get("gone", [])
    if not isinstance(value, list) or len(value) > MAX_RANGES:
        raise WireError(f"gone: must be a list of at most {MAX_RANGES} ranges")
    ranges, behind = [], 0
    for pair in value:
        if not (isinstance(pair, list) and len(pair) == 2):
            raise WireError("gone: must be a list of [first, count]")
        first, count = _count({"gone": pair[0]}, "gone"), _count({"gone": pair[1]}, "gone")
        if first < behind or not count:
            raise WireError("gone: the ranges must ascend, each of a row at least")
        behind = first + count
        ranges.append((first, count))
    return tuple(ranges)
