"""livetable.feed.server.broker_hub: tables are published to a broker, whatever that does."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from livetable.feed import Publisher, Subscriber
from livetable.feed.base.addresses import scheme_of
from livetable.feed.brokers.broker import broker_at
from livetable.feed.errors import BadEndpoint
from tests.brokers import Server, missing
from tests.terminal import command_line, environment_for
from tests.waiting import killed_after, wait_for


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
    with pytest.raises(BadEndpoint, match=r"can't read .*no/such"):
        Publisher("a", endpoint=f"{plain}?password_file=/no/such")
    name = "NATS_PASSWORD" if locked.kind == "nats" else "REDISCLI_AUTH"
    monkeypatch.setenv(name, PASSWORD)
    Publisher("a", endpoint=plain).close()
    if locked.kind == "redis":
        monkeypatch.delenv(name)
        monkeypatch.setenv("REDIS_PASSWORD_FILE", str(file))
        Publisher("a", endpoint=plain).close()
