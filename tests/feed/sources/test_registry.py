"""livetable.feed.sources.registry: sources by name, and that each stops when it is told to."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from livetable.feed.sources import demo, http, processes, zeromq
from livetable.feed.sources.registry import Source, find_source, source_names
from tests.feed.sources.published import Recorder, options
from tests.waiting import wait_for


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


def test_sources_by_name() -> None:
    assert find_source("demo") == Source(demo.run, key="symbol")
    assert find_source("tcp://x:1") == Source(zeromq.run)
    assert find_source("http://127.0.0.1:5000") == Source(None, http.run)
    assert find_source("nothing") is None
    assert find_source("smtp://x") is None
    assert "processes" in source_names()
