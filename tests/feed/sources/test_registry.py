"""livetable.feed.sources.registry: from what is written to a source that runs, and stops."""

from __future__ import annotations

import dataclasses
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.base.extras import MissingExtra
from livetable.feed.cli.main import build_parser
from livetable.feed.sources import demo, processes
from livetable.feed.sources.registry import find_source, load, options_from, source_names
from livetable.feed.sources.source_table import SOURCES, Source
from tests.feed.sources.published import Published, Recorder
from tests.waiting import wait_for

SHARED = {"source", "name", "key", "limit", "command", "file", "data"}
"""Options and arguments that are not only some sources'."""


@pytest.mark.parametrize(
    ("source", "asked"),
    [(demo, ("demo", "symbol", None)), (processes, ("processes", "pid", None))],
)
def test_sources_run_until_stopped(source: Any, asked: tuple[Any, ...], recorder: Recorder) -> None:
    stop, publish = threading.Event(), Published(recorder)
    thread = threading.Thread(target=source.run, args=(source.Options(), publish, stop))
    thread.start()
    try:
        wait_for(lambda: len(recorder.frames) >= 2)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert publish.asked == [asked]


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("demo", "demo"), ("-", "stdin"), ("replay", "tape"), ("tcp://x:1", "zeromq"),
        ("http://127.0.0.1:5000", "http"), ("rediss://x", "broker"), ("logs/x.JSONL.gz", "files"),
        ("*.csv", "folder"), (str(Path(__file__).parent), "folder"), ("nothing", None),
        ("smtp://x", None), ("smtp://x.csv", None),
    ],
)  # fmt: skip
def test_what_is_written_names_a_source(text: str, module: str | None) -> None:
    source = find_source(text)
    assert (None if source is None else source.module) == module


def test_the_names_of_sources_are_what_can_be_written() -> None:
    names = source_names()
    assert "processes" in names
    assert "redis://…" in names
    assert "files (.csv, .parquet, …)" in names


@pytest.mark.parametrize("source", {source.module: source for source in SOURCES}.values(), ids=str)
def test_the_table_says_which_options_a_source_reads(source: Source) -> None:
    # What the table lacks, `livetable` would refuse; what only it has would do nothing.
    module = load(source)
    names = {field.name for field in dataclasses.fields(module.Options)}
    assert names - SHARED == set(source.options)
    assert module.Options.__dataclass_params__.frozen
    given = build_parser().parse_args(["x", "x.tape"])
    given.command = ["true"]
    options = options_from(module, given)
    assert all(getattr(options, name) == getattr(given, name) for name in names)


def test_what_a_source_lacks_is_said_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp.web", None)
    source = find_source("http://127.0.0.1:5000")
    assert source is not None
    with pytest.raises(MissingExtra, match=r'listening to HTTP needs .* "livetable\[http\]"'):
        load(source)
