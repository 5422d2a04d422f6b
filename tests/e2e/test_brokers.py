"""Viewers of a broker's tables, with real servers: what the screen and the sentences say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livetable.feed import Publisher
from tests.brokers import Server, missing
from tests.e2e.test_viewer import Start, View, start, view
from tests.terminal import command_line, environment_for
from tests.waiting import killed_after

__all__ = ["start", "view"]  # fixtures


@pytest.fixture(params=["nats", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if why := missing(request.param):
        pytest.skip(why)
    login = ["--user", "ann", "--pass", "s3cretPW"]
    more = login if request.param == "nats" else ["--requirepass", "s3cretPW"]
    one = Server(request.param, tmp_path / "broker", *more)
    yield one
    one.kill()


def login_to(server: Server) -> str:
    user = "ann" if server.kind == "nats" else ""
    return server.endpoint.replace("://", f"://{user}:s3cretPW@")


def shown_of(server: Server) -> str:
    return login_to(server).replace("s3cretPW", "***")


def test_a_broker_that_comes_late_and_a_table_that_ends(server: Server, view: View) -> None:
    server.kill()
    terminal = view("livetable", f"{login_to(server)}#orders", size=(24, 160))
    terminal.wait_for(f"a table at {shown_of(server)}, which does not answer")
    server.start()
    with Publisher("orders", key="id", endpoint=login_to(server)) as orders:
        orders.send({"id": [1, 2], "price": [1.5, 2.5]})
        terminal.wait_for("● live")
        orders.send({"id": [1, 2], "price": [1.5, 7.25]})
        terminal.wait_for("7.25")
    terminal.wait_for("■ ended")
    assert "7.25" in terminal.text
    assert "s3cretPW" not in terminal.raw.decode(errors="replace")
    terminal.send("q")
    assert terminal.wait_for_end() == 0


KILLED = """
import sys, time
from livetable.feed import Publisher
orders = Publisher("orders", endpoint=sys.argv[1])
orders.send({"a": [1, 2, 3]})
time.sleep(60)
"""


@pytest.mark.long
def test_scripts_are_told_of_the_address_and_not_of_the_password(
    server: Server, runtime_folder: Path
) -> None:
    environment = environment_for(runtime_folder)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(("livetable", *words)), env=environment, capture_output=True, text=True,
            timeout=30,
        )  # fmt: skip

    endpoint, seen = login_to(server), shown_of(server)
    producer = subprocess.Popen([sys.executable, "-c", KILLED, endpoint], env=environment)
    with killed_after(producer):
        # Listed it may be before its first frame is with the broker.
        assert run(f"{endpoint}#orders", "--once", "--format", "csv").stdout == "a\n1\n2\n3\n"
    (line,) = json.loads(run(endpoint, "--list", "--format", "json").stdout)
    assert (line["table"], line["rows"], line["pid"]) == ("orders", 3, producer.pid)
    assert (line["state"], line["endpoint"]) == ("gone", seen)
    once = run(f"{endpoint}#orders", "--once", "--format", "csv")
    assert (once.returncode, once.stdout) == (0, "a\n1\n2\n3\n")
    assert "not heard any more: this is its last state" in once.stderr
    missed = run(f"{endpoint}#nosuch", "--once", "--timeout", "0.5")
    wrong = run(endpoint.replace("s3cretPW", "other"), "--once")
    server.kill()
    away = run(endpoint, "--once", "--timeout", "0.5")
    for done in (missed, wrong, away):
        assert done.returncode == 1
        assert seen in done.stderr.splitlines()[-1]
        assert ".viewer" not in done.stderr
    assert "refuses the login" in wrong.stderr
    assert "which does not answer (Connection refused)" in away.stderr
    asked = run(f"{endpoint}/x?replicas=7", "--once")
    assert (asked.returncode, asked.stdout) == (2, "")
    for done in (once, missed, wrong, away, asked):
        assert "s3cretPW" not in done.stderr


def test_a_free_port_is_named(start: Start, runtime_folder: Path) -> None:
    command = command_line(("livetable-feed", "demo", "--bind", "tcp://127.0.0.1:0"))
    feed = subprocess.Popen(
        command, env=environment_for(runtime_folder), stderr=subprocess.PIPE, text=True
    )
    with killed_after(feed):
        assert feed.stderr is not None
        shows = feed.stderr.readline().split()[-1]
        assert not shows.endswith(":0")
        done = subprocess.run(
            command_line(("livetable", f"{shows}#demo", "--once", "--format", "csv")),
            env=environment_for(runtime_folder), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert done.stdout.startswith("symbol,")
