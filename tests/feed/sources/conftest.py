"""A publisher that keeps what sources give it, and an HTTP server with who asks it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from livetable.feed.sources import http
from tests.feed.sources.asking import options
from tests.feed.sources.published import Published, Recorder
from tests.waiting import wait_for


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., str]]:
    """Start a server; return its address."""
    stop = threading.Event()
    threads = []

    def begin(**more: Any) -> str:
        publish = Published()
        thread = threading.Thread(target=http.run, args=(options(**more), publish, stop))
        thread.start()
        threads.append(thread)
        wait_for(lambda: publish.said)
        return publish.said[0].split()[2].rstrip(":")

    yield begin
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
