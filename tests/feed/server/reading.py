"""A viewer's connection that keeps what it reads, and scripts that publish."""

from __future__ import annotations

import threading
from typing import Self

from livetable.feed.client.connection import Client
from livetable.feed.client.requests import News
from livetable.feed.frames.decoder import Decoded, Decoder


class Reader:
    """A client that asks again for whatever it was told."""

    def __init__(self, endpoint: str) -> None:
        self.client = Client(endpoint)
        self.news: list[News] = []
        self.tables: list[Decoded] = []
        self.others: list[object] = []
        self._decode = Decoder()
        self._thread = threading.Thread(target=self._run)

    def start(self, *tables: str | None) -> Self:
        for table in tables:
            self.client.ask(table)
        self._thread.start()
        return self

    def _run(self) -> None:
        for event in self.client.events():
            if isinstance(event, News):
                if event.body is not None:
                    self.tables.append(self._decode(event.body))
                self.news.append(event)
                catalogue = event.header.kind == "catalogue"
                self.client.ask(None if catalogue else event.header.table)
            else:
                self.others.append(event)

    def close(self) -> None:
        self.client.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def newest(self) -> list[object]:
        return self.tables[-1].columns[0].to_pylist() if self.tables else []


SCRIPT = """
import os, sys, time, threading
import pandas as pd
from livetable.feed import Publisher
from livetable.feed.errors import *
orders = Publisher("orders")
orders.send(pd.DataFrame({"a": [1]}))
"""
