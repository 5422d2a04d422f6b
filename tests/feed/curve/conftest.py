"""A user with a folder of settings of their own, and a feed that has keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livetable.feed import Publisher
from livetable.feed.curve import keys
from tests.feed.curve.viewers import FRAME


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    """Become somebody with a folder of settings of their own."""

    def become(name: str) -> Path:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / name))
        return tmp_path / name / "livetable"

    return become


@pytest.fixture
def feed(as_user: Callable[[str], Path]) -> Iterator[Publisher]:
    """Publish with keys, as `feed`; the test goes on as `viewer`."""
    as_user("feed")
    keys.keygen()
    with Publisher("orders", endpoint="tcp://127.0.0.1:0", secure=True) as orders:
        orders.send(FRAME)
        as_user("viewer")
        yield orders
        as_user("feed")  # the doorkeeper reads the folder of who is asked
