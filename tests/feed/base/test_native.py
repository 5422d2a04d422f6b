"""livetable.feed.base.native: threads, locks and clocks are the system's, whoever replaced them."""

from __future__ import annotations

import _thread
import sys
import threading
import time
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from livetable.feed.base import native
from tests.waiting import wait_for


def test_what_gevent_replaced_is_asked_for_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = object()
    gevent = SimpleNamespace(
        is_module_patched=lambda module: module == "time", get_original=lambda module, name: before
    )
    monkeypatch.setitem(sys.modules, "gevent.monkey", gevent)
    assert native.original("time", "sleep") is before
    assert native.original("_thread", "get_ident") is _thread.get_ident  # it left this alone


def test_what_eventlet_replaced_is_asked_for_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = object()
    eventlet = SimpleNamespace(original=lambda module: SimpleNamespace(sleep=before))
    monkeypatch.setitem(sys.modules, "eventlet.patcher", eventlet)
    assert native.original("time", "sleep") is before


def test_a_thread_is_one_of_the_systems_and_debuggers_see_it() -> None:
    seen: list[str] = []
    ran = threading.Event()
    idents: list[int] = []

    def run() -> None:
        idents.append(native.thread_id())
        ran.set()

    def trace(frame: FrameType, event: str, arg: Any) -> None:
        seen.append(frame.f_code.co_name)

    before = threading.gettrace()
    threading.settrace(trace)
    try:
        native.start_thread(run)
        assert ran.wait(20)
    finally:
        threading.settrace(before)
    assert idents[0] != native.thread_id()
    assert "run" in seen


def test_a_lock_is_for_threads_of_the_system() -> None:
    lock = native.new_lock()
    passed: list[str] = []

    def wait() -> None:
        with lock:
            passed.append("other")

    with lock:
        native.start_thread(wait)
        native.sleep(0.01)
        passed.append("own")
    wait_for(lambda: passed == ["own", "other"])


def test_somebody_elses_slow_code_leaves_others_the_interpreter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def cell() -> int:
        return 1

    with native.Pausing():
        until = time.monotonic() + 0.02
        while time.monotonic() < until:
            cell()
    assert 2 < len(pauses) < 25  # every millisecond, and not at each call
    count = len(pauses)
    until = time.monotonic() + 0.005
    while time.monotonic() < until:
        cell()
    assert len(pauses) == count  # not afterwards


def test_the_pauses_end_with_an_error() -> None:
    hooks: list[object] = []

    def fails() -> None:
        hooks.append(sys.getprofile())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), native.Pausing():
        fails()
    assert hooks != [None]
    assert sys.getprofile() is None
