"""livetable.feed.base.log_thread: the feed's own threads wait for no handler of logging."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from livetable.feed.base import log_thread
from livetable.feed.base.log_thread import is_ours, not_ours, tell
from tests.waiting import wait_for


class Held(logging.Handler):
    """A handler whose lock somebody holds."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def handler() -> Iterator[Held]:
    log, one = logging.getLogger("held"), Held()
    log.addHandler(one)
    log.propagate = False
    yield one
    log.removeHandler(one)


def test_a_thread_of_ours_goes_on_while_a_handler_is_held(handler: Held) -> None:
    went_on = threading.Event()

    def ours() -> None:
        is_ours()
        tell(logging.getLogger("held"), "%s is away", "it")
        not_ours()
        went_on.set()

    assert handler.lock is not None
    with handler.lock:
        threading.Thread(target=ours, daemon=True).start()
        assert went_on.wait(20)
        assert handler.records == []
    (record,) = wait_for(lambda: handler.records)
    assert (record.getMessage(), record.levelno) == ("it is away", logging.WARNING)


def test_any_other_thread_says_it_itself(handler: Held) -> None:
    log = logging.getLogger("held")
    tell(log, "at once")
    is_ours()
    not_ours()
    try:
        raise ValueError("why")
    except ValueError as error:
        tell(log, "it failed", error=error)
    first, second = handler.records
    assert (first.levelno, first.exc_info) == (logging.WARNING, None)
    assert second.levelno == logging.ERROR
    assert second.exc_info is not None
    assert str(second.exc_info[1]) == "why"


def test_where_there_are_no_more_threads_nothing_is_said(
    handler: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(run: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(log_thread, "start_thread", no_more)
    is_ours()
    try:
        tell(logging.getLogger("held"), "nobody hears it")
    finally:
        not_ours()
    assert handler.records == []
