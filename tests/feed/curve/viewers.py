"""Viewers of a feed with keys: who is let in, and who is told why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from livetable.feed.client.connection import Client
from livetable.feed.client.events import Barred
from livetable.feed.client.requests import News
from livetable.feed.curve import keys

FRAME = pd.DataFrame({"id": [1, 2], "price": [1.5, 2.5]})


def barred(endpoint: str, seconds: float = 10) -> str:
    client = Client(endpoint)
    client.ask("orders")
    try:
        for event in client.events(seconds):
            assert not isinstance(event, News)
            if isinstance(event, Barred):
                return event.reason
    finally:
        client.close()
        list(client.events())
    raise AssertionError("it was not barred")


def feed_key(as_user: Callable[[str], Path]) -> bytes:
    as_user("feed")
    pair = keys.own_pair()
    as_user("viewer")
    assert pair is not None
    return pair.public
