"""What each kind of damaged message is given to: the code that real sockets and files feed."""

from __future__ import annotations

import contextlib
import struct
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from livetable.feed.arrow.envelope import metadata_size
from livetable.feed.buffers.shared import Reader
from livetable.feed.client.requests import Wanting
from livetable.feed.errors import BodyError, LivetableError, WireError
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.rows.replica import Followed, Follower, followed
from livetable.feed.server.endpoint import Serving
from livetable.feed.server.table_state import TableState
from livetable.feed.sources.payloads import recognise
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.reader import TapeReader
from livetable.tui.model.table import build
from livetable.tui.query.arrange import arrange, first_arrangement
from livetable.tui.text.column_format import ColumnFormat
from tests.fuzz import corpus

Target = Callable[[bytes], str]
"""Takes a message as its socket would; returns what became of it. Any exception is a fault."""

AT = Position("e", 1)
SHOWN = 50
MEMORY = Reader()


def show(state: Followed, key: tuple[str, ...] = ("id",)) -> None:
    """Look at a table as the screen does: sorted and filtered, the rows in the window as text."""
    table = build(state, key, AT)
    titles = list(table.titles)[:3]
    chosen = first_arrangement(tuple((title, True) for title in titles[-1:]), ("x",))
    for one in (table, arrange(table, chosen).table):
        rows = min(one.rows, SHOWN)
        for at in range(min(len(one.types), 5)):
            form = ColumnFormat(one.types[at])
            window = one.window(at, 0, rows)
            values = form.values(window)
            form.measure(values)
            assert all(text.isprintable() for text in form.texts(values))
    if table.rows:
        table.find(table, min(table.rows - 1, 3), 0)


def body(data: bytes) -> str:
    """Give a viewer a whole table, and one that has seen the undamaged one before."""
    known, refused = Decoder(), True
    with contextlib.suppress(BodyError, struct.error):
        known._head = _heads().get(bytes(data[: 8 + metadata_size(data[:8])]))
        known(data)
        refused = False
    try:
        decoded = Decoder()(data)
    except BodyError:
        assert refused
        return "refused"
    assert not refused
    show(followed(decoded, len(data)))
    return "shown"


@lru_cache(maxsize=1)
def _heads() -> dict[bytes, tuple[bytes, pa.Schema]]:
    """Return what decoders remember of the undamaged bodies, by how these begin."""
    found = {}
    for one in corpus.bodies():
        decoder = Decoder()
        with contextlib.suppress(BodyError):  # a few of them are compressed
            decoder(one)
            assert decoder._head is not None
            found[decoder._head[0]] = decoder._head
    return found


def delta(data: bytes) -> str:
    """Give a viewer what changed."""
    follower, decoder = Follower(), Decoder()
    follower.snapshot(Decoder()(_WHOLE), len(_WHOLE))
    try:
        change = decoder.delta(data)
        added = int((change.positions >= 38).sum())
        state = follower.delta(change, ((1, 2),), 38 + added)
    except BodyError:
        return "refused"
    show(state)
    return "shown"


def header(data: bytes) -> str:
    """Give a viewer's protocol a header, with a body that it does not fit."""
    wanting = Wanting(b"@topic", "orders")
    wanting.ask(0.0)
    try:
        said = Header.decode(data)
        if said.memory is not None:
            MEMORY.read(said.memory, said.size)
        news, _ = wanting.receive(said, [memoryview(b"x" * 100)], 1.0)
    except WireError:
        return "refused"
    wanting.repeat(2.0)
    return "news" if news is not None else "taken"


class _Done:
    done = True


def _describe(table: TableState, now: float) -> TableInfo:
    return table.info(now, 1, "x")


def want(data: bytes) -> str:
    """Give a feed what a viewer sends, and let a second pass."""
    sent: list[Any] = []

    def send(frames: Sequence[bytes | memoryview]) -> _Done:
        sent.append(frames)
        return _Done()

    serving = Serving(send, _describe)
    state = TableState("orders", (), Encoder())
    serving.add(state, 0.0)
    state.put(capture({"id": [1, 2]}), (2, 1), 0.0, 0.0)
    serving.received(b"\x01@" + b"0123456789abcdef" * 2, 0.0)
    serving.received(data, 0.1)
    serving.news("orders", 0.2)
    serving.tick(1.5)
    serving.deadline(1.6)
    return "answered" if sent else "passed over"


def message(data: bytes) -> str:
    """Give the reader of other publishers a message."""
    try:
        found = recognise(data, pickles=False)
    except LivetableError:
        return "refused"
    return published(found)


def published(found: Any) -> str:
    """Have a feed publish what a stranger sent, and a viewer show that."""
    try:
        taken = capture(found)
    except LivetableError:
        return "refused"
    state = TableState("orders", (), Encoder())
    state.put(taken, taken.shape, 0.0, 0.0)
    made = state.since(None)
    if made is None:
        return "told"  # the feed says what was wrong with it
    show(followed(Decoder()(made.body.data), 0))
    return "shown"


def frozen(data: bytes) -> str:
    """Give the reader of pickles a message."""
    from livetable.feed.sources.pickle_frames import thaw
    from livetable.feed.sources.pickle_reader import read

    try:
        found = thaw(read(data))
    except LivetableError:
        return "refused"
    return published(found)


def tape(data: bytes) -> str:
    """Play a tape."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as at:
        path = Path(at) / "x.tape"
        path.write_bytes(data)
        try:
            reader = TapeReader(path)
        except BadTape:
            return "refused"
        played = 0
        for number in range(len(reader)):
            try:
                frame = reader.frame(number)
                body(bytes(frame.body))
                played += 1
            except BadTape:
                pass
        reader.close()
    return "all played" if played == 12 else "some played"


_WHOLE = bytes(Encoder()(capture({"id": list(range(corpus.ROWS)), "x": ["a"] * corpus.ROWS})).data)

TARGETS: dict[str, tuple[Target, Callable[[], list[bytes]]]] = {
    "body": (body, corpus.bodies),
    "delta": (delta, corpus.deltas),
    "header": (header, corpus.headers),
    "want": (want, corpus.wants),
    "message": (message, corpus.foreign),
    "pickle": (frozen, corpus.pickles),
    "tape": (tape, lambda: [corpus.tape()]),
}
