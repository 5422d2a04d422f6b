"""The sources: demo, processes, other publishers."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import zmq

from livetable.feed import Publisher, Subscriber
from livetable.feed.cli import main as feed_command
from livetable.feed.errors import BadEndpoint
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoder
from livetable.feed.frames.encoder import Encoder
from livetable.feed.local import directory
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.sources import demo, http, processes, zeromq
from livetable.feed.sources.payloads import Unreadable, array_of, recognise
from livetable.feed.sources.registry import Source, find_source, source_names
from tests.waiting import killed_after, wait_for


class Recorder(Publisher):
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.frames: list[Any] = []
        self.notes: list[str | None] = []

    def send(self, frame: Any) -> None:
        self.frames.append(frame)

    def note(self, sentence: str | None) -> None:
        self.notes.append(sentence)


def test_each_free_port_that_tables_are_made_at_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["http://127.0.0.1:0", "--bind", "tcp://127.0.0.1:0"]
    make = feed_command._maker(feed_command.build_parser().parse_args(given))
    named = ""
    for _ in range(2):  # once the last table has ended, the next one takes another port
        with make("orders") as orders, make("others") as others:
            assert orders.endpoint == others.endpoint
            assert not orders.endpoint.endswith(":0")
            said = capsys.readouterr().err.splitlines()
            assert said in ([f"to watch the tables: livetable {orders.endpoint}"], [])
            named = said[0] if said else named  # the same one again
            assert named.endswith(orders.endpoint)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


def test_same_seed_same_market() -> None:
    def play(seed: int) -> pd.DataFrame:
        market = demo.Market(50, 12, seed)
        for _ in range(20):
            market.step(100)
        return market.frame()

    pd.testing.assert_frame_equal(play(3), play(3))
    assert not play(3).equals(play(4))
    frame = play(3)
    assert frame.shape == (50, 12)
    assert frame["symbol"].is_unique
    assert (frame["bid"] < frame["ask"]).all()


@pytest.mark.parametrize(("rows", "columns"), [(0, 9), (1, 1), (30_000, 2)])
def test_markets_of_any_size(rows: int, columns: int) -> None:
    market = demo.Market(rows, columns, 1)
    market.step(1)
    assert market.frame().shape == (rows, columns)
    if columns:
        assert market.frame()["symbol"].is_unique


def options(**more: Any) -> argparse.Namespace:
    defaults: dict[str, Any] = {
        "rows": 5,
        "columns": 3,
        "hz": 200.0,
        "seed": 1,
        "pickle": False,
        "key": None,
        "limit": None,
        "topic": None,
        "pull": False,
        "bind": None,
        "tied": False,
        "secure": None,
    }
    return argparse.Namespace(**defaults | more)


@pytest.mark.parametrize("source", [demo, processes])
def test_sources_run_until_stopped(source: Any, recorder: Recorder) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=source.run, args=(options(), recorder, stop))
    thread.start()
    try:
        wait_for(lambda: len(recorder.frames) >= 2)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_processes_are_real() -> None:
    frame = processes.Processes().frame().set_index("pid")
    own = frame.loc[os.getpid()]
    assert own["memory MB"] > 10
    assert "py" in own["command"]
    assert frame.index.is_unique


def test_sources_by_name() -> None:
    assert find_source("demo") == Source(demo.run, key="symbol")
    assert find_source("tcp://x:1") == Source(zeromq.run)
    assert find_source("http://127.0.0.1:5000") == Source(None, http.run)
    assert find_source("nothing") is None
    assert find_source("smtp://x") is None
    assert "processes" in source_names()


TABLE = pa.table({"a": [1, 2], "b": ["x", None]})
FRAME = TABLE.to_pandas()


def written(write: Any) -> bytes:
    sink = io.BytesIO()
    write(sink)
    return sink.getvalue()


def arrow_stream() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(arrow_stream(), id="arrow"),
        pytest.param(written(lambda to: pa.feather.write_feather(TABLE, to)), id="feather"),
        pytest.param(written(lambda to: pa.parquet.write_table(TABLE, to)), id="parquet"),
        pytest.param(FRAME.to_json(orient="records").encode(), id="json records"),
        pytest.param(FRAME.to_json(orient="columns").encode(), id="json columns"),
        pytest.param(FRAME.to_json(orient="split").encode(), id="json split"),
        pytest.param(b'{"a":[1,2],"b":["x",null]}', id="json lists"),
        pytest.param(b"a,b\n1,x\n2,\n", id="csv"),
    ],
)
def test_known_without_a_flag(data: bytes) -> None:
    captured = capture(recognise(data, pickles=False))
    assert captured.shape == (2, 2)
    frame = captured.frame
    names = frame.column_names if isinstance(frame, pa.Table) else list(frame.columns)
    assert names == ["a", "b"]
    assert list(
        map(int, frame["a"].to_pylist() if isinstance(frame, pa.Table) else frame["a"])
    ) == [
        1,
        2,
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "neither Arrow"),
        (b"\x00\x01\x02", "neither Arrow"),
        (b"hello", "neither Arrow"),
        (b"[1, 2]", "something else than records"),
        (b"[", "could not be read"),
        (b"\xff\xff\xff\xff????", "could not be read"),
        (b"ARROW1????", "could not be read"),
        (b"PAR1????", "could not be read"),
        (b'{"a":[1,2],"b":[1]}', "columns of different lengths"),
        (b"\x80\x04}.", "--pickle admits DataFrames"),
    ],
)
def test_unreadable_messages(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        recognise(data, pickles=False)


def test_one_json_record_is_one_row() -> None:
    assert recognise(b'{"a":1,"b":"x"}', pickles=False).shape == (1, 2)


def test_another_publishers_messages(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    limited: list[bool] = []
    monkeypatch.setattr(zeromq, "limit_process", lambda: limited.append(True))
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        publisher.linger = 0
        port = publisher.bind_to_random_port("tcp://127.0.0.1")
        stop = threading.Event()
        asked = options(source=f"tcp://127.0.0.1:{port}", pickle=True)
        thread = threading.Thread(target=zeromq.run, args=(asked, recorder, stop))
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
    thread = threading.Thread(target=zeromq.run, args=(options(**more), publisher, stop))
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
            assert first._state.note == "this is 'a.x'; T shows 'bb'"
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


NOON = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)
BIG = 2**53 + 1


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ([{"a": BIG}, {"a": 1.5}], [str(BIG), "1.5"]), ({"a": [BIG, 1.5]}, [str(BIG), "1.5"]),
        ([{"a": BIG}, {"a": 2**63}, {}], [BIG, 2**63, None]), ([{1: BIG}, {1: None}], [BIG, None]),
        ({"a": {"x": BIG}, "b": {"y": 1}}, [BIG, None]),
        ([{"a": NOON}, {"a": 5}], [str(NOON), "5"]), ([{"a": NOON}, {"a": None}], [NOON, None]),
    ],
    ids=str,
)  # fmt: skip
def test_no_value_in_message_pack_becomes_another(value: Any, seen: list[Any]) -> None:
    made = recognise(msgpack.packb(value, datetime=True), pickles=False)
    assert Decoder()(Encoder()(capture(made)).data).columns[0].to_pylist() == seen


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


def test_a_source_that_hangs_does_not_keep_its_process(runtime_folder: Path) -> None:
    code = (
        "import sys, time; from livetable.feed.cli import main\n"
        "main.LAST_SECONDS = 0.5\n"
        "from livetable.feed.sources import demo\n"
        "def run(options, publisher, stop):\n"
        "    print('on', flush=True)\n"
        "    time.sleep(60)\n"
        "demo.run = run\n"
        "sys.exit(main.main(['demo', '--name', 'hangs']))\n"
    )
    command = [sys.executable, "-c", code]
    with killed_after(subprocess.Popen(command, stdout=subprocess.PIPE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        process.terminate()
        assert process.wait(20) == 0


def test_no_endpoint(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeromq, "limit_process", lambda: None)
    with pytest.raises(BadEndpoint):
        zeromq.run(options(source="tcp://nowhere"), recorder, threading.Event())


WIDE = 4000
"""Records of which each has a name of its own make a table of millions of cells."""


@pytest.mark.parametrize(
    "data",
    [
        json.dumps([{f"c{at}": 1} for at in range(WIDE)]).encode(),
        "\n".join(json.dumps({f"c{at}": 1}) for at in range(WIDE)).encode(),
        json.dumps({f"c{at}": {f"r{at}": 1} for at in range(WIDE)}).encode(),
        msgpack.packb([{f"c{at}": 1} for at in range(WIDE)]),
        msgpack.packb({f"c{at}": {f"r{at}": 1} for at in range(WIDE)}),
    ],
    ids=["records", "lines", "columns", "packed records", "packed columns"],
)
def test_tables_that_would_be_mostly_nothing(data: bytes) -> None:
    with pytest.raises(Unreadable, match="different names"):
        recognise(data, pickles=False)


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("float64", [0, 400_000]),
        ("float64", [10**12, 0]),
        ("float64", [0, 10**12]),
        ("V0", [10**12]),
        ("S0", [10**6, 10**6]),
        ("float64", [-1, -8]),
    ],
)
def test_arrays_of_nothing_without_end(dtype: str, shape: list[int]) -> None:
    with pytest.raises(Unreadable):
        array_of(json.dumps({"dtype": dtype, "shape": shape}).encode(), b"")
