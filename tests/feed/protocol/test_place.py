"""livetable.feed.protocol.place: a body's place in shared memory, as JSON."""

from __future__ import annotations

import os
from typing import Any

import pytest

from livetable.feed.errors import WireError
from livetable.feed.protocol.place import Place, can_share

PLACE = Place(4242, 17, "livetable-00112233445566778899aabbccddeeff", 4096, 5)


@pytest.mark.parametrize(
    "memory",
    [
        None, 5, [], {}, {**PLACE.to_json(), "name": "livetable-x"}, {**PLACE.to_json(), "pid": -1},
        {**PLACE.to_json(), "name": "../livetable-00112233445566778899aabbccddeeff"},
        {**PLACE.to_json(), "fd": "3"}, {**PLACE.to_json(), "number": 1.5},
        {**PLACE.to_json(), "at": None}, {**PLACE.to_json(), "name": 7},
    ],
)  # fmt: skip
def test_wrong_places(memory: Any) -> None:
    with pytest.raises(WireError):
        Place.from_json(memory)


def test_a_place_comes_back() -> None:
    assert Place.from_json(PLACE.to_json()) == PLACE


def test_only_local_viewers_on_linux_share_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_share("ipc:///tmp/x") == hasattr(os, "memfd_create")
    assert not can_share("tcp://127.0.0.1:1")
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert not can_share("ipc:///tmp/x")
