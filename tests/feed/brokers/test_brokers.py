"""livetable.feed.brokers, brokerhub and sources.bridge: the same guarantees through a broker."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed import Publisher, Subscriber
from livetable.feed.base.addresses import scheme_of
from livetable.feed.base.extras import MissingExtra
from livetable.feed.brokers import nats
from livetable.feed.brokers.broker import broker_at, pack, unpack
from livetable.feed.client.connection import Client
from livetable.feed.client.events import Gone
from livetable.feed.client.requests import News
from livetable.feed.errors import BadEndpoint
from livetable.feed.protocol.messages import Header, Position
from livetable.feed.protocol.table_info import TableInfo
from tests.brokers import Server, free_port, missing
from tests.terminal import command_line, environment_for
from tests.waiting import killed_after, wait_for

Bridged = Callable[[str], str]

PRODUCER = """
import sys, time
import pandas as pd
from livetable.feed import Publisher
orders = Publisher("orders", key="id", endpoint=sys.argv[1])
n = int(sys.argv[2])
while True:
    orders.send(pd.DataFrame({"id": range(50), "n": n, "twice": 2 * n}))
    n += 1
    time.sleep(0.01)
"""


@pytest.fixture(params=["nats", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if why := missing(request.param):
        pytest.skip(why)
    one = Server(request.param, tmp_path / "broker")
    yield one
    one.resume()
    one.kill()


@pytest.fixture
def bridged(runtime_folder: Path) -> Iterator[Bridged]:
    """Start a bridge; return the local endpoint on which a table of the broker's can be read."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(endpoint: str) -> str:
        local = f"ipc://{runtime_folder}/bridge{len(processes)}.sock"
        command = ("livetable-feed", endpoint, "--bind", local)
        process = subprocess.Popen(
            command_line(command), env=environment_for(runtime_folder), stderr=subprocess.PIPE
        )
        processes.append(process)
        assert process.stderr is not None
        assert b"reading the tables" in process.stderr.readline()
        return local

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def produce(server: Server, runtime_folder: Path) -> Iterator[Callable[..., Any]]:
    processes = []

    def begin(first: int = 0) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", PRODUCER, server.endpoint, str(first)],
            env=environment_for(runtime_folder),
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def newest(reader: Subscriber) -> int:
    frame = reader.get()
    assert (frame["twice"] == 2 * frame["n"]).all()
    assert frame["n"].nunique() == 1
    return int(frame["n"].iloc[0])


def test_late_joiners_see_the_newest_of_each_table(server: Server, bridged: Bridged) -> None:
    with (
        Publisher("orders", key="id", endpoint=server.endpoint) as orders,
        Publisher("köln/2".replace("/", " "), endpoint=server.endpoint) as other,
    ):
        orders.send(pd.DataFrame({"id": [1, 2], "x": [1.5, 2.5]}))
        other.send({"a": [7]})
        wait_for(lambda: orders.snapshot())
        local = bridged(server.endpoint)
        with Subscriber(f"{local}#orders", timeout=20) as reader:
            assert reader.get()["x"].tolist() == [1.5, 2.5]
            assert reader.header is not None
            assert reader.header.key == ("id",)
            orders.upsert({"id": 2, "x": 9.0})
            assert reader.get()["x"].tolist() == [1.5, 9.0]
            orders.end()
            assert [len(frame) for frame in reader] in ([], [2])
        with Subscriber(f"{local}#köln 2", timeout=20) as reader:
            assert reader.get()["a"].tolist() == [7]


def test_what_was_kept_is_as_old_as_it_is(server: Server, bridged: Bridged) -> None:
    with Publisher("orders", endpoint=server.endpoint) as orders:
        sent = time.monotonic()
        orders.send({"a": [1]})
        wait_for(lambda: time.monotonic() > sent + 1.5)
        local = bridged(server.endpoint)
        came = time.monotonic()
        with Subscriber(f"{local}#orders", timeout=20) as reader:
            reader.get()
            assert reader.header is not None
            assert reader.header.age is not None
            # What the network takes, and a beat's way, is not known.
            assert came - sent - 0.5 < reader.header.age < time.monotonic() - sent + 0.5


def test_the_newest_wins_and_a_stalled_reader_holds_nobody_up(
    server: Server, bridged: Bridged, produce: Callable[..., Any]
) -> None:
    produce()
    local = bridged(server.endpoint)
    with Subscriber(f"{local}#orders", timeout=20) as stalled, Subscriber(
        f"{local}#orders", timeout=20
    ) as reader:  # fmt: skip
        first = newest(stalled)
        seen = [newest(reader) for _ in range(50)]
        assert seen == sorted(set(seen))
        newest(stalled)  # what waited for it
        assert newest(stalled) >= seen[-1] > first


def test_a_large_table_goes_in_parts(server: Server, bridged: Bridged) -> None:
    frame = pd.DataFrame(np.random.default_rng(1).random((100_000, 8)))
    with Publisher("large", endpoint=server.endpoint) as large:
        large.send(frame)
        local = bridged(server.endpoint)
        with Subscriber(f"{local}#large", timeout=30) as reader:
            pd.testing.assert_frame_equal(reader.get(), frame)
            large.send(frame * 2)
            pd.testing.assert_frame_equal(reader.get(), frame * 2)


def test_a_broker_that_comes_back(
    server: Server, bridged: Bridged, produce: Callable[..., Any]
) -> None:
    produce()
    local = bridged(server.endpoint)
    with Subscriber(f"{local}#orders", timeout=30) as reader:
        before = newest(reader)
        server.kill()
        time.sleep(0.3)
        server.start()
        newest(reader)  # it may have been on its way
        after = [newest(reader) for _ in range(5)]
        assert after == sorted(set(after))
        assert after[-1] > before


def test_a_producer_that_dies_is_gone_and_its_successor_goes_on(
    server: Server,
    bridged: Bridged,
    produce: Callable[..., Any],
    watch: Callable[[str], list[Any]],
) -> None:
    first = produce()
    events = watch(bridged(server.endpoint))
    wait_for(lambda: [one for one in events if isinstance(one, News) and one.body is not None])
    first.send_signal(signal.SIGKILL)
    wait_for(lambda: any(isinstance(one, Gone) for one in events), 20, "gone")
    count = len(events)
    produce(1_000_000)
    wait_for(lambda: [one for one in events[count:] if isinstance(one, News) and one.body], 20)


def test_a_broker_that_hangs_does_not_hold_the_producer_up(server: Server) -> None:
    with Publisher("orders", endpoint=server.endpoint) as orders:
        orders.send({"n": [0]})
        server.pause()
        began = time.monotonic()
        for n in range(2000):
            orders.send({"n": [n]})
        assert time.monotonic() - began < 20  # it would be for ever
        server.resume()


def test_wrong_brokers(server: Server) -> None:
    with Publisher("orders", endpoint=server.endpoint), pytest.raises(BadEndpoint, match="already"):
        Publisher("orders", endpoint=server.endpoint)
    assert scheme_of("tcp://x:1") is None
    assert scheme_of("orders") is None
    assert broker_at(server.endpoint).part_bytes >= 0


def first_body(events: list[Any]) -> News | None:
    return next((one for one in events if isinstance(one, News) and one.body), None)


def header_of(events: list[Any]) -> Header:
    return [one.header for one in events if isinstance(one, News)][-1]


@pytest.fixture
def watch() -> Iterator[Callable[[str], list[Any]]]:
    """Read ``orders`` in a thread; return the list that its events come into."""
    begun: list[tuple[Client, threading.Thread]] = []

    def begin(endpoint: str) -> list[Any]:
        client, events = Client(endpoint), list[Any]()

        def read() -> None:
            client.ask("orders")
            for event in client.events():
                events.append(event)
                if isinstance(event, News):
                    client.ask("orders")

        begun.append((client, threading.Thread(target=read, daemon=True)))
        begun[-1][1].start()
        return events

    yield begin
    for client, thread in begun:
        client.close()
        thread.join(10)


def tables_of(endpoint: str) -> dict[str, TableInfo]:
    client = Client(endpoint)
    client.ask(None)
    try:
        for event in client.events(20):
            if isinstance(event, News):
                return {info.name: info for info in event.header.tables}
    finally:
        client.close()
        list(client.events())
    raise AssertionError("no catalogue")


Watch = Callable[[str], list[Any]]


def test_close_ends_a_table_with_its_last_rows(
    server: Server, bridged: Bridged, watch: Watch
) -> None:
    with Publisher("orders", endpoint=server.endpoint) as orders:
        orders.send({"n": [1]})
        local = bridged(server.endpoint)
        events = watch(local)
        wait_for(lambda: [one for one in events if isinstance(one, News) and one.body])
        orders.send({"n": [1, 2, 3]})
    wait_for(lambda: header_of(events).ended or header_of(events).kind == "end", 5, "the end")
    wait_for(lambda: any(one.header.kind == "end" for one in events if isinstance(one, News)))
    rows = [one.header.rows for one in events if isinstance(one, News) and one.body]
    assert rows[-1] == 3
    with Publisher("orders", endpoint=server.endpoint) as orders:  # its successor is seen
        orders.send({"n": [1, 2]})
        wait_for(lambda: events[-1].header.rows == 2 if isinstance(events[-1], News) else False)


ONCE = """
import sys
from livetable.feed import Publisher
orders = Publisher("orders", endpoint=sys.argv[1])
orders.send({"n": [1]})
sys.stdin.readline()
orders.send({"n": [1, 2, 3]})
"""


def test_the_end_of_a_process_ends_its_tables(
    server: Server, bridged: Bridged, watch: Watch, runtime_folder: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ONCE, server.endpoint], stdin=subprocess.PIPE,
        env=environment_for(runtime_folder), stderr=subprocess.PIPE,
    )  # fmt: skip
    with killed_after(process):
        events = watch(bridged(server.endpoint))
        wait_for(lambda: [one for one in events if isinstance(one, News) and one.body])
        _, said = process.communicate(b"go on\n", timeout=20)
        assert said == b""
    wait_for(lambda: header_of(events).ended, 5, "the end")
    assert [one.header.rows for one in events if isinstance(one, News) and one.body][-1] == 3
    # Who comes later sees it as its last state, with its own process.
    info = tables_of(bridged(server.endpoint))["orders"]
    assert (info.state, info.rows, info.columns, info.pid) == ("gone", 3, 1, process.pid)


@pytest.mark.long
def test_a_dead_producers_table_is_its_last_state_gone(
    server: Server, bridged: Bridged, watch: Watch, produce: Callable[..., Any]
) -> None:
    process = produce()
    local = bridged(server.endpoint)
    events = watch(local)
    wait_for(partial(first_body, events))
    assert tables_of(local)["orders"].state == ""
    process.kill()
    process.wait()
    wait_for(lambda: header_of(events).silent, 5, "gone")
    for endpoint in (local, bridged(server.endpoint)):
        info = tables_of(endpoint)["orders"]
        assert (info.state, info.rows, info.columns) == ("gone", 50, 3)
        assert (info.pid, info.process) == (process.pid, Path(sys.executable).name)
        assert info.age is not None
        assert info.age < 60
        late = watch(endpoint)
        wait_for(partial(first_body, late))
        assert header_of(late).silent


def test_a_broker_that_is_down_at_the_start_is_waited_for(
    server: Server, runtime_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    local = f"ipc://{runtime_folder}/bridge.sock"
    command = ("livetable-feed", server.endpoint, "--bind", local)
    bridge = subprocess.Popen(
        command_line(command), env=environment_for(runtime_folder), stderr=subprocess.PIPE
    )
    with killed_after(bridge), Publisher("orders", endpoint=server.endpoint) as orders:
        assert f"{server.endpoint} does not answer" in caplog.text
        orders.send({"n": [1, 2]})
        assert bridge.stderr is not None
        said = bridge.stderr.readline().decode()
        assert said.startswith(f"livetable-feed: {server.endpoint} does not answer")
        server.start()
        assert b"reading the tables" in bridge.stderr.readline()
        with Subscriber(f"{local}#orders", timeout=20) as reader:
            assert reader.get()["n"].tolist() == [1, 2]


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_without_jetstream_there_is_one_sentence(tmp_path: Path, runtime_folder: Path) -> None:
    server = Server("nats", tmp_path / "broker", stream=False)
    try:
        producer = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "ignore", "-c", PRODUCER, server.endpoint, "0"],
            env=environment_for(runtime_folder), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        lines = producer.stderr.splitlines()
        assert lines[-1].endswith(f"{server.endpoint} has no JetStream: start nats-server with -js")
        assert "Task was destroyed" not in producer.stderr
        assert producer.stderr.count("Traceback") == 1  # the producer's own
        viewer = subprocess.run(
            command_line(("livetable", server.endpoint, "--once")),
            env=environment_for(runtime_folder), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    finally:
        server.kill()
    assert (viewer.returncode, viewer.stdout) == (1, "")
    assert viewer.stderr.splitlines()[-1].startswith(f"livetable: {server.endpoint} has no JetStr")


@pytest.mark.skipif(bool(missing("redis")), reason=missing("redis"))
def test_a_bridge_that_is_ended_while_it_opens_says_nothing(
    tmp_path: Path, runtime_folder: Path
) -> None:
    server = Server("redis", tmp_path / "broker")
    try:
        command = ("livetable-feed", f"{server.endpoint}?nosuch=1", "--tied")
        bridge = subprocess.run(  # its end is here before the broker's answer
            command_line(command), env=environment_for(runtime_folder), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    finally:
        server.kill()
    assert "Traceback" not in bridge.stderr
    assert "never retrieved" not in bridge.stderr


PASSWORD = "p@ss/w#r:d?,%41 &="


@pytest.fixture(params=["nats", "redis"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Start a broker that asks for a password."""
    if why := missing(request.param):
        pytest.skip(why)
    nats_login, redis_login = ["--user", "ann", "--pass", PASSWORD], ["--requirepass", PASSWORD]
    more = nats_login if request.param == "nats" else redis_login
    server = Server(request.param, tmp_path / "broker", *more)
    yield server
    server.kill()


def login_to(server: Server, password: str = PASSWORD) -> str:
    user = "ann" if server.kind == "nats" else ""
    return server.endpoint.replace("://", f"://{user}:{quote(password, safe='')}@")


def test_any_password_lets_one_in_and_is_never_shown(
    locked: Server, runtime_folder: Path, tmp_path: Path
) -> None:
    endpoint, tape = login_to(locked), tmp_path / "t.tape"
    secrets = [PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD)]
    with Publisher("orders", endpoint=endpoint) as orders:
        orders.send({"n": [1, 2]})
        with pytest.raises(BadEndpoint) as refused:
            Publisher("orders", endpoint=endpoint)
        with pytest.raises(BadEndpoint) as wrong:
            Publisher("others", endpoint=login_to(locked, "another word"))
        assert "another" not in str(wrong.value)
        shown = [repr(orders), orders.endpoint, str(refused.value), str(wrong.value)]
        command = ("livetable", f"{endpoint}#orders", "--headless", "--record", str(tape))
        viewer = subprocess.Popen(
            command_line(command), env=environment_for(runtime_folder), stderr=subprocess.PIPE
        )
        with killed_after(viewer):
            wait_for(lambda: tape.exists() and b"orders" in tape.read_bytes())
            children = psutil.Process(viewer.pid).children(recursive=True)
            shown += [" ".join(one.cmdline()) for one in children]
            assert "***@127.0.0.1" in shown[-1]
            viewer.send_signal(signal.SIGTERM)
            shown.append(viewer.communicate(timeout=20)[1].decode())
        shown += [path.name for path in runtime_folder.rglob("*")]
        kept = b"".join(path.read_bytes() for path in (tape, *runtime_folder.rglob("*.toml")))
        for word in secrets:
            assert not [text for text in shown if word in text]
            assert word.encode() not in kept


def test_a_password_from_the_environment_or_a_file(
    locked: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "word"
    file.write_text(PASSWORD + "\n")
    user = "ann@" if locked.kind == "nats" else ""
    plain = locked.endpoint.replace("://", f"://{user}")
    Publisher("a", endpoint=f"{plain}?password_file={file}").close()
    with pytest.raises(BadEndpoint, match="no/such can't be read"):
        Publisher("a", endpoint=f"{plain}?password_file=/no/such")
    name = "NATS_PASSWORD" if locked.kind == "nats" else "REDISCLI_AUTH"
    monkeypatch.setenv(name, PASSWORD)
    Publisher("a", endpoint=plain).close()
    if locked.kind == "redis":
        monkeypatch.delenv(name)
        monkeypatch.setenv("REDIS_PASSWORD_FILE", str(file))
        Publisher("a", endpoint=plain).close()


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_a_token_and_a_credentials_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("nats", tmp_path / "broker", "--auth", "t0ken word")
    try:
        endpoint = server.endpoint.replace("://", "://t0ken%20word@")
        with Publisher("a", endpoint=endpoint) as made:
            assert made.endpoint == server.endpoint.replace("://", "://***@")
        monkeypatch.setenv("NATS_TOKEN", "t0ken word")
        Publisher("a", endpoint=server.endpoint).close()
        with pytest.raises(BadEndpoint, match="creds can't be read"):
            Publisher("a", endpoint=f"{server.endpoint}?creds={tmp_path}/there.creds")
    finally:
        server.kill()


@pytest.mark.skipif(bool(missing("nats")), reason=missing("nats"))
def test_a_credentials_file_lets_one_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nkeys", reason='pip install -e ".[dev]" brings it')
    from tests.natscreds import credentials

    settings, file, seed = credentials(tmp_path / "operator")
    server = Server("nats", tmp_path / "broker", "-c", str(settings))
    try:
        Publisher("a", endpoint=f"{server.endpoint}?creds={file}").close()
        monkeypatch.setenv("NATS_CREDS", str(file))
        with Publisher("a", endpoint=server.endpoint) as made:
            assert made.endpoint == server.endpoint
        other = tmp_path / "other.creds"
        for text, told in (
            (file.read_text().replace(seed, seed[::-1]), "other.creds"),
            (seed, "nsc generate"),
        ):
            other.write_text(text)
            with pytest.raises(BadEndpoint, match=told) as refused:
                Publisher("a", endpoint=f"{server.endpoint}?creds={other}")
            assert seed not in str(refused.value)
            assert seed[::-1] not in str(refused.value)
        monkeypatch.setitem(sys.modules, "nkeys", None)
        with pytest.raises(MissingExtra, match="pip install"):
            Publisher("a", endpoint=server.endpoint)
    finally:
        server.kill()


@given(st.text(min_size=1, max_size=20))
def test_names_as_subjects(name: str) -> None:
    part = nats.token(name.encode("utf-8", "replace").decode())
    assert nats.name_of(part) == name.encode("utf-8", "replace").decode()
    assert not set(part) & set(" .*>\t\r\n")


def test_messages_in_one_piece() -> None:
    header = Header("snapshot", "a\nb", position=Position("e", 1)).encode()
    for body in (b"x\ny", b""):
        head, rest = unpack(pack(header, memoryview(body)))
        assert (head, bytes(rest)) == (header, body)
    assert bytes(unpack(b"no break")[0]) == b"no break"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[Server]]:
    if why := missing("nats"):
        pytest.skip(why)
    ports = [free_port() for _ in range(3)]
    routes = ",".join(f"nats://127.0.0.1:{port}" for port in ports)
    servers = [
        Server(
            "nats", tmp_path / str(at), "--cluster", f"nats://127.0.0.1:{port}",
            "--cluster_name", "lt", "--routes", routes, "-n", f"n{at}", "-m", str(free_port()),
        )
        for at, port in enumerate(ports)
    ]  # fmt: skip
    yield servers
    for one in servers:
        one.kill()


def leader_of(servers: list[Server]) -> Server:
    """Return the server that leads the stream."""

    async def ask() -> str:
        import nats as client

        there = [f"nats://127.0.0.1:{one.port}" for one in servers]
        connection = await client.connect(servers=there)
        try:
            info = await connection.jetstream().stream_info(nats.STREAM)
            assert info.cluster is not None
            return info.cluster.leader or ""
        finally:
            await connection.close()

    return servers[int(asyncio.run(ask())[1:])]


@pytest.mark.long
def test_a_leader_killed_under_load(
    cluster: list[Server], bridged: Bridged, runtime_folder: Path
) -> None:
    there = ",".join(f"127.0.0.1:{one.port}" for one in cluster)
    endpoint = f"nats://{there}?replicas=3"
    producer = retried(
        lambda: subprocess.Popen(
            [sys.executable, "-c", PRODUCER, endpoint, "0"], env=environment_for(runtime_folder)
        )
    )
    try:
        readers = [Subscriber(f"{bridged(endpoint)}#orders", timeout=60) for _ in range(3)]
        for reader in readers:
            newest(reader)
        for _ in range(3):
            leader = leader_of(cluster)
            before = [newest(reader) for reader in readers]
            leader.kill()
            killed = time.monotonic()
            for reader in readers:
                newest(reader)  # it may have been on its way
            for reader in readers:
                newest(reader)
            wait = time.monotonic() - killed
            for reader, first in zip(readers, before, strict=True):
                seen = [newest(reader) for _ in range(20)]
                assert seen == sorted(set(seen))
                assert seen[-1] > first
            steady = time.monotonic() - killed
            print(f"newer frames on all three {wait:.2f} s after the kill, 20 more in {steady:.1f}")
            leader.start()
            wait_for(lambda: leader_of(cluster), 30)
            time.sleep(2)  # the one that came back catches up before the next is killed
        for reader in readers:
            reader.close()
    finally:
        producer.kill()
        producer.wait()


def retried(start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """Return a producer that stays: a cluster that has just begun has no leader yet."""
    until = time.monotonic() + 30
    while True:
        process = start()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            return process
        assert time.monotonic() < until
