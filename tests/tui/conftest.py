"""Tables that are published for a viewer in this process."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from livetable.feed import Publisher
from livetable.tui.terminal import gc_pause


@pytest.fixture
def orders(runtime_folder: object) -> Iterator[Publisher]:
    with Publisher("orders", key="id") as orders:
        orders.send(pd.DataFrame({"id": range(3), "v": [1, 2, 3]}))
        yield orders


@pytest.fixture
def thawed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing set aside as what stays for ever: in one process there are many apps here."""
    monkeypatch.setattr(gc_pause, "settle", lambda **_: None)
    gc.unfreeze()


@pytest.fixture
def tables(runtime_folder: Path) -> Iterator[tuple[Publisher, Publisher]]:
    with Publisher("orders") as orders, Publisher("prices") as prices:
        orders.send(pd.DataFrame({"v": [1]}))
        prices.send(pd.DataFrame({"v": [2]}))
        yield orders, prices
