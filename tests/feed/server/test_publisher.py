"""livetable.feed.server.publisher and hub: real sockets, threads, forks and exits."""

from __future__ import annotations

import gc
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import zmq

from livetable.feed import Publisher
from livetable.feed.client.connection import Client
from livetable.feed.client.requests import News
from livetable.feed.errors import (
    BadEndpoint,
    BadFrame,
    BadName,
    NameTaken,
    PublisherClosed,
)
from livetable.feed.frames.decoder import Decoder
from livetable.feed.local import directory
from livetable.feed.protocol.messages import Header
from livetable.feed.rows.replica import Followed, Follower
from livetable.feed.server.table_state import process_name
from tests.feed.server.reading import SCRIPT, Reader
from tests.waiting import killed_after, wait_for


def _shows(reader: Reader, values: list[object]) -> bool:
    return reader.newest() == values


@pytest.fixture
def orders() -> Iterator[Publisher]:
    with Publisher("orders") as publisher:
        yield publisher


def test_a_viewer_sees_what_is_sent(orders: Publisher) -> None:
    orders.send(pd.DataFrame({"a": [1]}))
    with closing(Reader(orders.endpoint).start("orders")) as reader:
        wait_for(lambda: reader.newest() == [1])
        orders.send({"a": [2, 3]})
        wait_for(lambda: reader.newest() == [2, 3])
        assert reader.news[0].header.age is not None


def test_many_viewers_and_threads(orders: Publisher) -> None:
    readers = [Reader(orders.endpoint).start("orders") for _ in range(3)]
    frame = pd.DataFrame({"a": np.zeros(100)})

    def send(number: int) -> None:
        for _ in range(50):
            orders.send(frame + number)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    orders.send({"a": [-1.0]})
    for reader in readers:
        with closing(reader):
            wait_for(partial(_shows, reader, [-1.0]))
            seqs = [news.header.position.seq for news in reader.news if news.header.position]
            assert seqs == sorted(seqs)


class Follows(Reader):
    """A reader that follows what changes, row by row."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.follower = Follower()
        self.now: Followed | None = None
        self.kinds: list[str] = []

    def _run(self) -> None:
        for event in self.client.events():
            if isinstance(event, News):
                header = event.header
                if event.body is not None:
                    self.kinds.append(header.kind)
                    if header.kind == "delta":
                        delta = self._decode.delta(event.body)
                        self.now = self.follower.delta(delta, header.gone, header.rows)
                    else:
                        self.now = self.follower.snapshot(self._decode(event.body), header.size)
                self.news.append(event)
                self.client.ask(header.table)

    def rows(self) -> list[tuple[object, ...]]:
        now = self.now
        if now is None:
            return []
        columns = [now.values.whole(at).to_pylist() for at in range(len(now.types))]
        return list(zip(*columns, strict=True))


def test_rows_are_changed_one_by_one() -> None:
    with (
        Publisher("orders", key="id", limit=3) as orders,
        closing(Follows(orders.endpoint).start("orders")) as reader,
    ):
        assert orders.delete([1]) == 0
        orders.upsert({"id": 1, "x": "a"})
        wait_for(lambda: reader.rows() == [(1, "a")])
        orders.upsert([{"id": 2, "x": "b"}, {"id": 1}, {"id": 3, "x": "c"}])
        orders.append({"id": [4], "x": ["d"]})
        wait_for(lambda: reader.rows() == [(2, "b"), (3, "c"), (4, "d")])
        assert orders.delete(3) == 1
        wait_for(lambda: reader.rows() == [(2, "b"), (4, "d")])
        orders.send(pd.DataFrame({"id": range(9), "x": "s"}))
        wait_for(lambda: reader.rows() == [(6, "s"), (7, "s"), (8, "s")])
        orders.upsert(pl.DataFrame({"id": [7], "x": ["p"]}))
        wait_for(lambda: reader.rows() == [(6, "s"), (7, "p"), (8, "s")])
        assert set(reader.kinds) == {"snapshot", "delta"}
        with pytest.raises(BadFrame, match="already exists"):
            orders.append({"id": 7})
        orders.end()
        wait_for(lambda: reader.news[-1].header.ended)
        with pytest.raises(PublisherClosed, match="was ended"):
            orders.upsert({"id": 7})
        with closing(Follows(orders.endpoint).start("orders")) as late:
            wait_for(lambda: late.rows() == reader.rows())


def test_rows_are_changed_by_many_threads() -> None:
    with (
        Publisher("orders", key="id") as orders,
        closing(Follows(orders.endpoint).start("orders")) as reader,
    ):

        def change(first: int) -> None:
            for number in range(100):
                orders.upsert({"id": [first, first + 1], "x": [number, number]})
                orders.append({"id": 1000 * first + number, "x": -1})
                assert orders.delete(1000 * first + number) == 1

        threads = [threading.Thread(target=change, args=(10 * at,)) for at in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wanted = {(10 * at + more, 99) for at in range(1, 5) for more in (0, 1)}
        wait_for(lambda: set(reader.rows()) == wanted)
        assert orders._state.seq == 4 * 100 * 3


def test_rows_of_a_table_without_a_key(orders: Publisher) -> None:
    with closing(Follows(orders.endpoint).start("orders")) as reader:
        orders.append({"x": [1, 2]})
        orders.append([{"x": 3}])
        wait_for(lambda: reader.rows() == [(1,), (2,), (3,)])
        with pytest.raises(BadFrame, match="make the Publisher with key="):
            orders.upsert({"x": [1]})
        orders.send(pd.DataFrame({"x": [1]}, index=["a"]))
        orders.upsert(pd.DataFrame({"x": [2, 3]}, index=["b", "a"]))
        wait_for(lambda: reader.rows() == [("a", 3), ("b", 2)])
        assert orders.delete(["a", "c"]) == 1
        wait_for(lambda: reader.rows() == [("b", 2)])


def test_rows_live_as_long_as_they_are_written_to() -> None:
    with (
        Publisher("orders", key="id", ttl=0.3) as orders,
        closing(Follows(orders.endpoint).start("orders")) as reader,
    ):
        orders.upsert({"id": [1, 2]})
        wait_for(lambda: reader.rows() == [(1,), (2,)])
        wait_for(lambda: reader.rows() == [])


def test_room_is_made_in_the_feeds_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livetable.feed.rows.store.SPARE", 10)
    with Publisher("orders", key="id") as orders:
        for number in range(100):
            orders.upsert({"id": 1, "x": number})
        table = orders._state.newest.table
        assert table is not None
        wait_for(lambda: len(table.now.store) <= 12)


def test_calls_that_do_nothing_and_calls_that_cant_be(orders: Publisher) -> None:
    orders.append([{"a": 1}])
    orders.append([])
    orders.append(pd.DataFrame())
    assert orders._state.seq == 1
    with pytest.raises(BadFrame, match="its index only numbers the rows"):
        orders.delete([0])
    orders.append({"a": 2})
    with Publisher("keyed", key="id") as keyed:
        keyed.upsert(())
        keyed.upsert({"id": 1})
        assert keyed.delete(2**70) == 0
        with pytest.raises(BadFrame, match="several columns called 'id'"):
            keyed.send(pd.DataFrame([[1, 2]], columns=["id", "id"]))


@pytest.mark.parametrize("more", [{"limit": 0}, {"limit": True}, {"ttl": 0}, {"ttl": -1}])
def test_limits_that_are_none(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit|ttl"):
        Publisher("orders", **more)


def test_a_key_that_is_the_index_is_told() -> None:
    with (
        Publisher("orders", key="id") as orders,
        pytest.raises(BadFrame, match=r"it is the index, send frame\.reset_index\(\)"),
    ):
        orders.send(pd.DataFrame({"x": [1]}, index=pd.Index([1], name="id")))


def test_large_tables_arrive_whole(orders: Publisher) -> None:
    frame = pd.DataFrame({"a": np.arange(3_000_000)})
    orders.send(frame)
    with closing(Reader(orders.endpoint).start("orders")) as reader:
        wait_for(lambda: reader.tables)
        assert reader.tables[0].columns[0].to_numpy().sum() == frame["a"].sum()


def test_two_publishers_share_an_endpoint() -> None:
    with (
        Publisher("a", endpoint="tcp://127.0.0.1:0") as first,
        Publisher("b", endpoint=first.endpoint) as second,
    ):
        assert second.endpoint == first.endpoint
        with closing(Reader(first.endpoint).start("a", "b", None)) as reader:
            first.send({"x": [1]})
            second.send({"x": [2]})
            wait_for(lambda: {n.header.table for n in reader.news if n.body} == {"a", "b"})
            wait_for(
                lambda: any(
                    {info.name for info in news.header.tables} == {"a", "b"} for news in reader.news
                )
            )
        with pytest.raises((NameTaken, BadEndpoint)):
            Publisher("a", endpoint=first.endpoint)
        assert {entry.name for entry in directory.entries()} == {"a", "b"}


def test_wrong_calls(orders: Publisher) -> None:
    with pytest.raises(NameTaken, match=str(os.getpid())):
        Publisher("orders")
    with pytest.raises(BadName):
        Publisher("a/b")
    with pytest.raises(BadEndpoint, match="is not an endpoint"):
        Publisher("x", endpoint="localhost:1")
    with pytest.raises(BadEndpoint, match="can't bind"):
        Publisher("x", endpoint="tcp://127.0.0.256:1")
    with Publisher("t", endpoint="tcp://127.0.0.1:0") as there:
        port = there.endpoint.rpartition(":")[2]
        code = f"from livetable.feed import Publisher; Publisher('u', endpoint='tcp://127.0.0.1:{port}')"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "another process uses it" in done.stderr
    assert [entry.name for entry in directory.entries()] == ["orders"]
    with pytest.raises(BadFrame):
        orders.send(object())
    with Publisher("keyed", key=["id", "n"]) as keyed:
        with pytest.raises(BadFrame, match="no column 'n', the key of table 'keyed'"):
            keyed.send({"id": [1]})
        keyed.send({"id": [1], "n": [2]})
    with pytest.raises(PublisherClosed):
        keyed.send({"id": [1], "n": [2]})
    keyed.close()


def test_closing_frees_the_name_and_tells_viewers(orders: Publisher) -> None:
    orders.send({"a": [1]})
    with closing(Reader(orders.endpoint).start("orders")) as reader:
        wait_for(lambda: reader.tables)
        orders.close()
        wait_for(lambda: reader.news[-1].header.kind == "end")
        with Publisher("orders") as again:
            again.send({"a": [2]})
            wait_for(lambda: reader.newest() == [2])


def test_the_last_frame_is_not_lost() -> None:
    for number in range(20):
        with closing(Publisher("last")) as last:
            last.send({"a": [0]})
            reader = Reader(last.endpoint).start("last")
            wait_for(lambda reader=reader: reader.tables)  # type: ignore[misc]
            last.send({"a": [number + 1]})
        with closing(reader):
            wait_for(partial(_ended, reader))
            assert reader.newest() == [number + 1]


def test_rows_are_added_to_a_table_without_columns() -> None:
    with Publisher("orders") as orders:
        orders.send(pd.DataFrame())
        orders.snapshot()
        orders.append({"a": 1})
        assert pa.ipc.open_stream(orders.snapshot()).read_all().to_pydict() == {"a": [1]}


def _ended(reader: Reader) -> bool:
    return bool(reader.news) and reader.news[-1].header.kind == "end"


def test_a_table_that_ends_on_a_shared_endpoint_is_told() -> None:
    with Publisher("stays", endpoint="tcp://127.0.0.1:0") as stays:
        leaves = Publisher("leaves", endpoint=stays.endpoint)
        leaves.send({"a": [1]})
        client = Client(stays.endpoint)
        client.ask("leaves")
        kinds = []
        for event in client.events(20):
            if isinstance(event, News):
                kinds.append(event.header.kind)
                if kinds == ["snapshot"]:
                    leaves.close()  # the viewer is painting: it waits for nothing
                else:
                    client.close()
        assert kinds == ["snapshot", "end"]


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise KeyboardInterrupt"])
def test_a_script_that_just_ends_tells_viewers(runtime_folder: Path, end: str) -> None:
    code = SCRIPT + "sys.stdin.readline(); orders.send({'a': [7]})\n" + end
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    entry = wait_for(lambda: directory.find("orders"))[0]
    with closing(Reader(entry.endpoint).start("orders")) as reader:
        wait_for(lambda: reader.tables)
        _, error = process.communicate("go\n", timeout=20)
        wait_for(partial(_ended, reader))
        assert reader.newest() == [7]
        assert "livetable" not in error


def test_a_port_can_be_bound_again_at_once() -> None:
    first = Publisher("port", endpoint="tcp://127.0.0.1:0")
    endpoint = first.endpoint
    first.close()
    for _ in range(20):
        Publisher("port", endpoint=endpoint).close()


def test_a_forgotten_publisher_frees_its_name() -> None:
    Publisher("forgotten").send({"a": [1]})
    gc.collect()
    wait_for(lambda: directory.entries() == [])
    Publisher("forgotten").close()


def test_notes_reach_viewers(orders: Publisher) -> None:
    orders.note("no data yet")
    with closing(Reader(orders.endpoint).start("orders")) as reader:
        wait_for(lambda: reader.news)
        assert reader.news[0].header.note == "no data yet"


def test_a_failure_is_told_at_once_and_any_frame_clears_it(orders: Publisher) -> None:
    with closing(Reader(orders.endpoint).start("orders")) as reader:
        wait_for(lambda: orders._state.wanted and not reader.news)
        orders.fail("no table in this")
        wait_for(lambda: reader.news)
        header = reader.news[0].header
        assert (header.kind, header.note, header.failure) == ("idle",) + ("no table in this",) * 2
        orders.send({"a": [1]})
        wait_for(lambda: reader.news[-1].body is not None)
        header = reader.news[-1].header
        assert (header.kind, header.note, header.failure) == ("snapshot", None, None)
        orders.fail("can't be read any more")  # there is a table: a note is enough
        wait_for(lambda: reader.news[-1].header.note == "can't be read any more")
        assert reader.news[-1].header.failure is None


def test_a_failure_for_good_is_told_of_a_table_that_is_there(orders: Publisher) -> None:
    orders.send({"a": [1]})
    orders.fail("only half of it came", for_good=True)
    with closing(Reader(orders.endpoint).start("orders")) as reader:
        wait_for(lambda: reader.news)
        header = reader.news[0].header
        assert (header.kind, header.failure) == ("snapshot", "only half of it came")


def test_a_note_takes_a_failure_back(orders: Publisher) -> None:
    orders.fail("no table in this")
    orders.note("is being written")
    assert (orders._state.note, orders._state.failed) == ("is being written", None)


def test_plain_subscribers_in_any_language(orders: Publisher) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as plain:
        plain.linger = 0
        plain.subscribe("orders")
        plain.connect(orders.endpoint)
        orders.send({"a": [5]})
        assert plain.poll(10_000)
        topic, header, *body = plain.recv_multipart()
        assert topic == b"orders"
        assert Header.decode(header).kind == "snapshot"
        assert Decoder()(b"".join(body)).columns[0].to_pylist() == [5]


def test_rubbish_from_viewers_harms_nothing(orders: Publisher) -> None:
    with zmq.Context() as context, context.socket(zmq.XSUB) as rude:
        rude.linger = 0
        rude.connect(orders.endpoint)
        for message in (b"", b"\x01", b"{}", b"\xff" * 100, b"[" * 4000, b"\x00never"):
            rude.send(message)
        rude.send_multipart([b"a", b"b"])
        orders.send({"a": [1]})
        with closing(Reader(orders.endpoint).start("orders")) as reader:
            wait_for(lambda: reader.newest() == [1])


def run(folder: Path, code: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SCRIPT + code],
        env=os.environ | {"XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=30,
        **more,
    )


def test_a_script_ends_when_it_is_done(runtime_folder: Path) -> None:
    began = time.monotonic()
    done = run(runtime_folder, "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began < 10
    assert list((runtime_folder / "livetable").iterdir()) == []


@pytest.mark.parametrize(
    "end", ["os._exit(0)", "raise KeyboardInterrupt", "sys.exit(3)", "os.kill(os.getpid(), 9)"]
)
def test_any_end_frees_the_name(runtime_folder: Path, end: str) -> None:
    run(runtime_folder, end)
    assert directory.entries() == []
    Publisher("orders").close()


FORKED = """
child = os.fork()
if child == 0:
    try:
        orders.send({"a": [2]})
    except PublisherClosed as error:
        print("closed:", error, flush=True)
    try:
        Publisher("orders")
    except NameTaken as error:
        print("taken:", error, flush=True)
    with Publisher("mine") as mine:
        mine.send({"a": [3]})
        print("mine", flush=True)
    os._exit(0)
os.waitpid(child, 0)
from livetable.feed.local import directory
print([entry.name for entry in directory.entries()])
orders.send({"a": [4]})
"""


def test_fork(runtime_folder: Path) -> None:
    done = run(runtime_folder, FORKED)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("closed: table 'orders' belongs to process")
    assert lines[1].startswith("taken: table 'orders' is already published by process")
    assert lines[2:] == ["mine", "['orders']"]
    assert done.stderr == ""


def test_a_child_that_outlives_its_parent_does_not_keep_the_name(runtime_folder: Path) -> None:
    code = "pid = os.fork()\nif pid == 0:\n    time.sleep(60); os._exit(0)\nprint(pid)\nos._exit(0)"
    script = SCRIPT + code.replace("print(pid)", "open(sys.argv[1], 'w').write(str(pid))")
    told = runtime_folder / "child"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, str(told)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )
    process.wait(20)
    child = int(told.read_text())
    try:
        with Publisher("orders") as orders:
            orders.send({"a": [9]})
            with closing(Reader(orders.endpoint).start("orders")) as reader:
                wait_for(lambda: reader.newest() == [9])
    finally:
        os.kill(child, signal.SIGKILL)


def test_importing_the_feed_loads_no_textual() -> None:
    code = (
        "import sys, livetable.feed; from livetable.feed import Publisher;"
        "import livetable.feed.client.connection, livetable.feed.sources, livetable.feed.cli.main;"
        "print([m for m in sys.modules if m.split('.')[0] in ('textual', 'rich', 'pandas')"
        " or m.startswith('livetable.tui')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_nothing_in_the_feed_names_the_viewer() -> None:
    folder = Path(directory.__file__).parent
    for file in folder.rglob("*.py"):
        assert "livetable.tui" not in file.read_text(), file


def test_process_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys, "argv", ["/x/strategy.py"])
    assert process_name() == "strategy.py"
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert process_name() == os.path.basename(sys.executable)


def test_package_attributes() -> None:
    import livetable.feed

    assert issubclass(NameTaken, livetable.feed.LivetableError)
    with pytest.raises(AttributeError):
        _ = livetable.feed.nothing


TAKEN = """
import time
from livetable.feed import Publisher
orders = Publisher("orders")
print("ready", flush=True)
try:
    while True:
        orders.send({"a": [1]})
        time.sleep(0.01)
except Exception as error:
    print(type(error).__name__, flush=True)
"""


def test_a_process_whose_name_is_taken_is_told(runtime_folder: Path) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", TAKEN], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )  # fmt: skip
    with killed_after(started) as process:
        said = process.stdout
        assert said is not None
        assert said.readline() == "ready\n"
        with Publisher("orders", taken="replace") as mine:
            mine.send({"a": [2]})
            assert wait_for(lambda: select.select([said], [], [], 0)[0])
            assert said.readline() == "PublisherClosed\n"
            (entry,) = directory.find("orders")
            assert entry.pid == os.getpid()
