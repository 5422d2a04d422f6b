"""livetable.feed.client.connection: it comes, goes, and is said to be gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from livetable.feed import Publisher
from livetable.feed.base import descriptors
from livetable.feed.client.connection import Client
from livetable.feed.client.events import Barred, Gone, Link
from livetable.feed.client.requests import News
from livetable.feed.local import directory, folders
from tests.feed.server.reading import SCRIPT, Reader
from tests.waiting import wait_for

SLEEPER = (
    SCRIPT
    + """
n = 1
while True:
    time.sleep(0.05)
    n += 1
    orders.send({"a": [n]})
"""
)


def test_a_stopped_feed_is_gone_within_three_seconds_and_comes_back(runtime_folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER],
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime_folder)},
    )
    try:
        entry = wait_for(lambda: directory.find("orders"))[0]
        with closing(Reader(entry.endpoint).start("orders")) as reader:
            wait_for(lambda: reader.tables)
            process.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            wait_for(lambda: any(isinstance(event, Gone) for event in reader.others))
            assert time.monotonic() - began < 3.0
            count = len(reader.tables)
            process.send_signal(signal.SIGCONT)
            wait_for(lambda: len(reader.tables) > count)
            process.kill()
            process.wait()
            wait_for(lambda: Link(False) in reader.others)
            with Publisher("orders") as again:
                again.send({"a": [-1]})
                wait_for(lambda: reader.newest() == [-1])
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="seen by /proc")
def test_a_process_at_its_limit_is_not_asked(
    runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert descriptors.crowded(os.getpid()) is None
    assert descriptors.crowded(1 << 22) is None
    with Publisher("orders") as orders:
        orders.send({"a": [1]})
        assert directory.pid_at(orders.endpoint) is None  # it says so itself
        file = folders.own_folder() / "orders.lock"
        record = json.loads(file.read_text())
        del record["process"]  # as of an older livetable, whose endpoints are ZeroMQ's
        file.write_text(json.dumps(record))
        assert directory.pid_at(orders.endpoint) == os.getpid()
        assert directory.pid_at("ipc:///no/such.sock") is None
        monkeypatch.setattr(descriptors, "LEAST", 1 << 40)
        assert [entry.name for entry in directory.entries()] == ["orders"]
        client = Client(orders.endpoint)
        client.ask("orders")
        told = list(client.events(1.0))
        assert isinstance(told[0], Barred)
        assert f"process {os.getpid()} has" in told[0].reason
        assert not any(isinstance(one, (Link, News)) for one in told)
        monkeypatch.setattr(descriptors, "LEAST", 1)
        for event in client.events(10.0):
            if isinstance(event, News):
                break
        else:
            raise AssertionError("it did not come back")
        client.close()
        list(client.events())
