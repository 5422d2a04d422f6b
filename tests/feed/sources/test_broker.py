"""livetable.feed.sources.broker: tables of a broker are read here with the same guarantees."""

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

import numpy as np
import pandas as pd
import pytest

from livetable.feed import Publisher, Subscriber
from livetable.feed.brokers import nats
from livetable.feed.client.connection import Client
from livetable.feed.client.events import Gone
from livetable.feed.client.requests import News
from livetable.feed.protocol.messages import Header
from livetable.feed.protocol.table_info import TableInfo
from tests.brokers import Server, free_port, missing
from tests.feed.over_brokers import PRODUCER
from tests.terminal import command_line, environment_for
from tests.waiting import killed_after, wait_for

Bridged = Callable[[str], str]


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
