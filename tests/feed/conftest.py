"""Real brokers, and the bridges and producers that use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import Server, missing


@pytest.fixture(params=["nats", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if why := missing(request.param):
        pytest.skip(why)
    one = Server(request.param, tmp_path / "broker")
    yield one
    one.resume()
    one.kill()
