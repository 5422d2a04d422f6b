"""livetable.feed.sources.zeromq: messages of publishers that are not livetable's."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pytest
import zmq

from livetable.feed import Publisher, Subscriber
from livetable.feed.errors import BadEndpoint
from livetable.feed.local import directory
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.sources import zeromq
from livetable.feed.sources.payloads import Unreadable, array_of, recognise
from tests.feed.sources.published import FRAME, Published, Recorder
from tests.waiting import wait_for


def test_another_publishers_messages(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    limited: list[bool] = []
    monkeypatch.setattr(zeromq, "limit_process", lambda: limited.append(True))
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        publisher.linger = 0
        port = publisher.bind_to_random_port("tcp://127.0.0.1")
        stop = threading.Event()
        asked = zeromq.Options(source=f"tcp://127.0.0.1:{port}", pickle=True)
        thread = threading.Thread(target=zeromq.run, args=(asked, Published(recorder), stop))
        thread.start()
        try:
            livetables = [b"t", Header("idle", "t", 1, Position("e", 1)).encode()]

            def send_all() -> bool:
                publisher.send_multipart(livetables)
                publisher.send_pyobj(FRAME)
                publisher.send_multipart([b"\xff topic", b"a,b\n1,2\n"])
                publisher.send(b"rubbish")
                return len(recorder.frames) >= 2 and len(recorder.notes) >= 3

            wait_for(send_all)
        finally:
            stop.set()
            thread.join(10)
        assert not thread.is_alive()
    assert limited
    assert any(note and "neither" in note for note in recorder.notes)
    assert None in recorder.notes


@contextlib.contextmanager
def foreign_feed(publisher: Publisher, **more: Any) -> Iterator[None]:
    stop = threading.Event()
    asked = zeromq.Options(**more)
    thread = threading.Thread(target=zeromq.run, args=(asked, Published(publisher), stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_topics_are_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeromq, "limit_process", lambda: None)
    with zmq.Context() as context, context.socket(zmq.PUB) as sender, Publisher("first") as first:
        sender.linger = 0
        source = f"tcp://127.0.0.1:{sender.bind_to_random_port('tcp://127.0.0.1')}"
        with foreign_feed(first, source=source, topic=["a", "b"]):

            def send_all() -> bool:
                for topic in (b"a.x", b"bb", b"c", b"a/no name"):
                    sender.send_multipart([topic, b'[{"of": "%s"}]' % topic])
                return bool(first._state.seq and directory.find("bb"))

            wait_for(send_all)
            with Subscriber("bb", timeout=20) as reader:
                assert reader.get()["of"].tolist() == ["bb"]
            assert first._state.note == "this is 'a.x'; press T for 'bb'"
            assert not directory.find("c")
        assert not directory.find("bb")


def test_rows_that_are_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeromq, "limit_process", lambda: None)
    with zmq.Context() as context, context.socket(zmq.PUSH) as sender:
        sender.linger = 0
        source = f"tcp://127.0.0.1:{sender.bind_to_random_port('tcp://127.0.0.1')}"
        with (
            Publisher("keyed", key="id") as keyed,
            foreign_feed(keyed, source=source, pull=True, key="id"),
        ):
            for at in range(500):  # none is passed over
                sender.send_json({"id": at % 100, "n": at})
            wait_for(lambda: keyed.shape[0] == 100)
            with Subscriber("keyed", timeout=20) as reader:
                frame = reader.get()
                while frame["n"].max() < 499:
                    frame = reader.get()
                assert sorted(frame["n"]) == list(range(400, 500))
        with (
            Publisher("added", limit=3) as added,
            foreign_feed(added, source=source, pull=True, limit=3),
        ):
            for at in range(10):
                sender.send(msgpack.packb({"n": at}))
            with Subscriber("added", timeout=20) as reader:
                while reader.get()["n"].tolist() != [7, 8, 9]:
                    pass


def test_arrays_and_packed_messages() -> None:
    array = np.arange(6, dtype="float32").reshape(3, 2)
    told = json.dumps({"dtype": "float32", "shape": [3, 2], "columns": ["u", "v"]}).encode()
    frame = zeromq.table_in([b"topic", told, array.tobytes()], pickles=False)
    assert frame["v"].tolist() == [1, 3, 5]
    for kind, shape, data in (
        ("float64", [3, 2], array.tobytes()), ("O", [1], b"x" * 8), ("nonsense", [1], b""),
        ("int8", [1, 1, 1], b"x"), ("int8", [1 << 40, 1 << 40], b"x"),
    ):  # fmt: skip
        with pytest.raises(Unreadable):
            array_of(json.dumps({"dtype": kind, "shape": shape}).encode(), data)
    records = [{"id": 1, "x": 1.5}, {"id": 2**60, "x": None}]
    assert recognise(msgpack.packb(records), pickles=False)["id"].to_pylist() == [1, 2**60]
    columns = recognise(msgpack.packb({"a": [1, 2], "b": ["x", "y"]}), pickles=False)
    assert columns.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    with pytest.raises(Unreadable):
        recognise(b"\x93\x01\x02\x03", pickles=False)
    assert zeromq.topic_of([b"x"]) is None
    assert zeromq.topic_of([b"\xff", b"x"]) is None
    assert zeromq.topic_of([b'{"a": 1}', b"x"]) is None


def test_the_process_is_limited() -> None:
    code = (
        "from livetable.feed.sources.zeromq import limit_process; import sys\n"
        "limit_process()\n"
        "try:\n    with open(sys.argv[1], 'w') as file: file.write('x' * 10_000)\n"
        "except OSError: print('no file')\n"
        "try: bytearray(1 << 40)\n"
        "except MemoryError: print('no memory')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, f"{folder}/x"], capture_output=True, text=True, check=True
        )
    assert done.stdout.split("\n")[:2] == ["no file", "no memory"]


def test_no_endpoint(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeromq, "limit_process", lambda: None)
    with pytest.raises(BadEndpoint):
        zeromq.run(zeromq.Options(source="tcp://nowhere"), Published(recorder), threading.Event())
