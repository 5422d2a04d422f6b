"""livetable.feed.buffers.shared: bodies past the socket, whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.feed.buffers import shared
from livetable.feed.buffers.pool import LEAST, MOST
from livetable.feed.buffers.shared import Reader, SharedRoom, Unreadable, WrittenOver
from livetable.feed.client.connection import Client
from livetable.feed.client.requests import News
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoded, Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.local import directory
from livetable.feed.protocol.place import Place, can_share
from tests.feed.copy_on_write import needs_copy_on_write
from tests.waiting import killed_after, wait_for

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="there is no shared memory")

SIZE = LEAST + 1000
FRAME = pd.DataFrame(np.arange(60_000.0).reshape(1000, 60))


def filled(room: SharedRoom, number: int, size: int = SIZE) -> tuple[memoryview, Place]:
    view = room.take(size)
    np.frombuffer(view, np.uint8)[:] = number
    place = room.place_of(view)
    assert place is not None
    return view, place


def test_there_and_back() -> None:
    room, reader = SharedRoom(), Reader()
    one, first = filled(room, 1)
    two, second = filled(room, 2)
    assert bytes(reader.read(first, SIZE)) == bytes(one)
    assert bytes(reader.read(second, SIZE)) == bytes(two)
    assert room.place_of(one.toreadonly()) == first


def test_a_copy_stays_as_it_is() -> None:
    room, reader = SharedRoom(), Reader()
    view, place = filled(room, 1)
    copy = reader.read(place, SIZE)
    del view
    filled(room, 2)
    assert bytes(copy) == b"\1" * SIZE


def test_what_was_written_over_is_noticed() -> None:
    room, reader = SharedRoom(), Reader()
    view, place = filled(room, 1)
    del view
    other, newer = filled(room, 2)
    assert newer.name == place.name
    with pytest.raises(WrittenOver):
        reader.read(place, SIZE)
    assert bytes(reader.read(newer, SIZE)) == bytes(other)


def test_small_and_large_bodies_have_no_place() -> None:
    room = SharedRoom()
    for size in (LEAST - 1, MOST + 1):
        assert room.place_of(room.take(size)) is None
    assert room.place_of(memoryview(b"x")) is None


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"pid": 2**22 + 1}, SIZE),
        ({"fd": 1 << 20}, SIZE),
        ({"fd": 0}, SIZE),
        ({"name": "livetable-" + "0" * 32}, SIZE),
        ({"pid": 1}, SIZE),
        ({}, 0),
        ({}, SIZE * 10),
        ({"at": 1 << 30}, SIZE),
        ({"at": 7}, SIZE),  # where the number is
        ({}, MOST + 1),
    ],
)
def test_what_can_not_be_read(changes: dict[str, Any], size: int) -> None:
    room = SharedRoom()
    view, place = filled(room, 1)
    with pytest.raises(Unreadable):
        Reader().read(replace(place, **changes), size)
    assert view[0] == 1


def test_what_may_become_shorter_is_not_read() -> None:
    """Reading it after that would end the viewer by a signal, which nothing can catch."""
    name = "livetable-" + "a" * 32
    fd = os.memfd_create(name, os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, 2 * SIZE)
        place = Place(os.getpid(), fd, name, 4096, 0)
        with pytest.raises(Unreadable, match="can shrink"):
            Reader().read(place, SIZE)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        assert len(Reader().read(place, SIZE)) == SIZE
    finally:
        os.close(fd)


def test_memory_of_others_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    view, place = filled(SharedRoom(), 1)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(Unreadable):
        Reader().read(place, SIZE)
    assert view[0] == 1


def test_a_file_of_that_name_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / ("livetable-" + "b" * 32)
    path.write_bytes(b"x" * 2 * SIZE)
    with path.open("rb") as file, pytest.raises(Unreadable):
        Reader().read(Place(os.getpid(), file.fileno(), path.name, 0, 0), SIZE)


def test_a_descriptor_that_becomes_another_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    view, place = filled(SharedRoom(), 1)
    looked = os.readlink
    monkeypatch.setattr(
        os, "readlink", lambda path: looked(path) if str(os.getpid()) in path else "/etc/passwd"
    )
    with pytest.raises(Unreadable):
        Reader().read(place, SIZE)
    assert view[0] == 1


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_memory_is_let_go_of() -> None:
    gc.collect()
    before = descriptors(), shared._SharedPiece.count
    room = SharedRoom()
    kept = [filled(room, number) for number in range(5)]
    assert descriptors() == before[0] + 10  # Python's mmap keeps one of its own
    assert shared._SharedPiece.count == before[1] + 5
    del kept
    assert room.take(1)[0] is not None
    gc.collect()
    assert shared._SharedPiece.count == before[1] + 2  # for the next ones
    del room
    gc.collect()
    assert (descriptors(), shared._SharedPiece.count) == before


def test_so_much_is_shared_and_no_more() -> None:
    room = SharedRoom()
    views = [room.take(SIZE) for _ in range(shared.MOST_PIECES + 3)]
    assert room.place_of(views[0]) is not None
    assert room.place_of(views[-1]) is None
    views[-1][0] = 5


@pytest.mark.parametrize("fails", ["memfd_create", "posix_fallocate"])
def test_where_there_is_none_to_be_had(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, refuse)
    before = descriptors()
    room = SharedRoom()
    body = Encoder(room)(capture(FRAME))
    assert body.place is None
    assert Decoder()(body.data).rows == 1000
    assert descriptors() == before


def test_only_on_one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_share("ipc:///tmp/x")
    assert not can_share("tcp://127.0.0.1:5411")
    monkeypatch.delattr(os, "memfd_create")
    assert not can_share("ipc:///tmp/x")


WRITER = """
import json, sys, time
import numpy as np
from livetable.feed.buffers.shared import SharedRoom
room, number, kept = SharedRoom(), 0, None
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    number += 1
    kept = view = room.take(4_000_000)
    np.frombuffer(view, np.uint8)[:] = number % 251
    print(json.dumps([number % 251, room.place_of(view).to_json()]), flush=True)
print("null", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def writing(seconds: float) -> Iterator[Iterator[tuple[int, Place]]]:
    """Run a process that writes one body after the other; yield what is in each and where it is."""
    command = [sys.executable, "-c", WRITER, str(seconds)]
    with killed_after(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ) as writer:
        assert writer.stdout is not None
        lines = iter(writer.stdout.readline, "null\n")
        yield ((value, Place.from_json(place)) for value, place in map(json.loads, lines))


def test_a_copy_is_never_half_of_two() -> None:
    """A feed in a hurry, and a viewer that is always late: what comes through is of one body."""
    reader = Reader()
    came = missed = 0
    with writing(1.0) as bodies:
        for value, place in bodies:
            try:
                copy = np.frombuffer(reader.read(place, 4_000_000), np.uint8)
            except WrittenOver:
                missed += 1
                continue
            came += 1
            assert (copy == value).all()
    assert came
    assert missed  # or it was not in a hurry


def test_it_outlives_its_feed() -> None:
    """What is mapped stays, also where the feed is killed; what is not, can't be read any more."""
    reader = Reader()
    with writing(0.05) as bodies:
        value, last = list(bodies)[-1]
        assert reader.read(last, 4_000_000)[0] == value
    assert reader.read(last, 4_000_000)[-1] == value
    with pytest.raises(Unreadable):
        Reader().read(last, 4_000_000)


# -- with a publisher and a client -----------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What became of each body that was read from memory."""
    found: list[str] = []
    read = Reader.read

    def spy(self: Reader, place: Place, size: int) -> memoryview:
        try:
            copy = read(self, place, size)
        except (Unreadable, WrittenOver) as error:
            found.append(type(error).__name__)
            raise
        found.append("read")
        return copy

    monkeypatch.setattr(Reader, "read", spy)
    return found


@contextlib.contextmanager
def reading(endpoint: str) -> Iterator[Client]:
    client = Client(endpoint)
    try:
        yield client
    finally:
        client.close()
        list(client.events())  # it closes its sockets on the way out


def newest(client: Client, table: str) -> Decoded:
    client.ask(table)
    for event in client.events(timeout=20):
        if isinstance(event, News) and event.body is not None:
            return Decoder()(event.body)
    raise TimeoutError(f"nothing came of {table}")


def tables(client: Client, publisher: Publisher, count: int) -> Iterator[Decoded]:
    """Send frames one after the other; yield each as it comes."""
    for number in range(count):
        publisher.send(FRAME + number)
        decoded = newest(client, publisher.name)
        assert decoded.columns[0][1].as_py() == 60.0 + number
        yield decoded


def test_a_local_viewer_reads_memory(runtime_folder: Path, reads: list[str]) -> None:
    with Publisher("wide") as publisher, reading(publisher.endpoint) as client:
        assert len(list(tables(client, publisher, 5))) == 5
    assert reads == ["read"] * 5


def test_by_tcp_all_is_sent(runtime_folder: Path, reads: list[str]) -> None:
    with (
        Publisher("wide", endpoint="tcp://127.0.0.1:*") as publisher,
        reading(publisher.endpoint) as client,
    ):
        assert len(list(tables(client, publisher, 2))) == 2
    assert not reads


def test_where_memory_can_not_be_read(
    runtime_folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in another container: it comes by the socket, and is soon asked for there only."""
    monkeypatch.setattr(shared, "_FOLDER", "/nonexistent")
    with Publisher("wide") as publisher, reading(publisher.endpoint) as client:
        assert len(list(tables(client, publisher, 6))) == 6
    assert reads == ["Unreadable"] * 3


def test_where_it_can_not_be_read_for_a_while(
    runtime_folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where there are no descriptors left: afterwards it is read from memory again."""
    with Publisher("wide") as publisher, reading(publisher.endpoint) as client:
        with monkeypatch.context() as failing:
            failing.setattr(shared, "_FOLDER", "/nonexistent")
            assert len(list(tables(client, publisher, 2))) == 2
        assert len(list(tables(client, publisher, 3))) == 3
    assert reads == ["Unreadable"] * 2 + ["read"] * 3


def test_where_it_was_written_over(
    runtime_folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes by the socket, and the next one from memory again, however often that is."""
    late = [True] * 5 + [False, False]
    place_of = SharedRoom.place_of

    def other(self: SharedRoom, body: memoryview) -> Place | None:
        place = place_of(self, body)
        assert place is not None
        return replace(place, number=place.number + 1000) if late.pop(0) else place

    monkeypatch.setattr(SharedRoom, "place_of", other)
    with Publisher("wide") as publisher, reading(publisher.endpoint) as client:
        assert len(list(tables(client, publisher, 7))) == 7
    assert reads == ["WrittenOver"] * 5 + ["read", "read"]


def test_memory_too_short_for_its_number() -> None:
    name = "livetable-" + "c" * 32
    fd = os.memfd_create(name, os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, 4)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        for at in (0, 8):
            with pytest.raises(Unreadable, match="outside it"):
                Reader().read(Place(os.getpid(), fd, name, at, 0), 1)
    finally:
        os.close(fd)


def test_a_snapshot_is_the_callers_own(runtime_folder: Path) -> None:
    with Publisher("wide") as publisher:
        publisher.send(FRAME)
        first, second = publisher.snapshot(), publisher.snapshot()
        assert first == second
        assert first.obj is not second.obj


@needs_copy_on_write
def test_send_stays_fast_for_a_frame_that_was_encoded(runtime_folder: Path) -> None:
    """What the encoder held of it would make `send` take somebody else to write into it."""
    frame = pd.DataFrame(np.zeros((10_000, 40)))
    with Publisher("wide") as publisher:
        for turn in range(4):
            frame.iloc[0, 0] = turn
            captured = capture(frame)
            blocks = [block.values for block in captured.frame._mgr.blocks]
            mine = [block.values for block in frame._mgr.blocks]
            assert all(map(np.shares_memory, blocks, mine))  # no copy was made
            del captured, blocks, mine
            publisher.send(frame)
            publisher.snapshot()


def _publish_in_child(name: str, path: str) -> None:
    with Publisher(name) as publisher:
        publisher.send(FRAME + 1)
        Path(path).touch()
        time.sleep(30)


def test_a_forked_child_has_memory_of_its_own(
    runtime_folder: Path, tmp_path: Path, reads: list[str]
) -> None:
    started = tmp_path / "started"
    with Publisher("mine") as publisher, reading(publisher.endpoint) as client:
        assert len(list(tables(client, publisher, 2))) == 2
        context = multiprocessing.get_context("fork")
        child = context.Process(target=_publish_in_child, args=("theirs", str(started)))
        child.start()
        try:
            wait_for(started.exists)
            with reading(directory.find("theirs")[0].endpoint) as other:
                assert newest(other, "theirs").columns[0][1].as_py() == 61.0
            assert len(list(tables(client, publisher, 2))) == 2
        finally:
            child.kill()
            child.join()
    assert reads == ["read"] * 5
