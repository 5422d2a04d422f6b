"""livetable.feed.local.find: a table is found as soon as it is there, and again where it moved."""

from __future__ import annotations

import threading

import pytest

from livetable.feed.errors import RuntimeFolder
from livetable.feed.local import claims, folders
from livetable.feed.local.find import endpoints_of
from tests.waiting import wait_for


def test_a_table_that_is_there_is_found_at_once_and_again() -> None:
    claim = claims.claim("orders")
    claim.publish(claim.endpoint)
    missing: list[str] = []
    places = endpoints_of("orders", threading.Event(), lambda: missing.append("orders"))
    assert [next(places), next(places)] == [claim.endpoint] * 2
    assert missing == []
    places.close()  # type: ignore[attr-defined]
    claim.release()


def test_a_table_is_waited_for_and_followed_to_another_place() -> None:
    stop, found, missing = threading.Event(), list[str](), list[str]()

    def look() -> None:
        for place in endpoints_of("orders", stop, lambda: missing.append("orders")):
            if not found or found[-1] != place:
                found.append(place)
            elif stop.wait(0.01):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        wait_for(lambda: missing, what="that it is missing")
        assert found == []
        for endpoint in (None, "tcp://127.0.0.1:5999"):
            claim = claims.claim("orders", endpoint)
            claim.publish(claim.endpoint)
            wait_for(lambda place=claim.endpoint: place in found)  # type: ignore[misc]
            claim.release()
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert len(found) == 2


def test_who_waits_ends_when_told_to() -> None:
    stop, ended = threading.Event(), threading.Event()
    missing = threading.Event()

    def look() -> None:
        assert list(endpoints_of("nobody", stop, missing.set)) == []
        ended.set()

    threading.Thread(target=look, daemon=True).start()
    assert missing.wait(20)
    stop.set()
    assert ended.wait(20)


def test_without_a_folder_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "folders", list)
    with pytest.raises(RuntimeFolder, match="tcp://"):
        next(endpoints_of("orders", threading.Event()))
