"""livetable.feed.local.endpoints: what can be an endpoint or an address, and what to write."""

from __future__ import annotations

import pytest

from livetable.feed.errors import BadEndpoint
from livetable.feed.local.endpoints import check_address, check_endpoint, socket_path


@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:5411", "tcp://*:0", "tcp://[::1]:1", "tcp://h:*", "ipc:///tmp/x"]
)
def test_endpoints(endpoint: str) -> None:
    assert check_endpoint(endpoint) == check_address(endpoint) == endpoint


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("tcp://ann:w0rd@h:1", "can't have a password"), ("tcp://h:99999", "has no port"),
        ("tcp://h:x", "has no port"), ("tcp://h", "has no port"),
        ("ipc://", "is not an endpoint"), ("ipc:///" + "x" * 107, "is not an endpoint"),
        ("udp://h:1", "is not an endpoint"), ("", "is not an endpoint"),
    ],
)  # fmt: skip
def test_what_is_no_endpoint(endpoint: str, says: str) -> None:
    with pytest.raises(BadEndpoint, match=says) as refused:
        check_endpoint(endpoint)
    assert "w0rd" not in str(refused.value)


def test_addresses_of_other_schemes() -> None:
    for address in ("http://127.0.0.1:5000", "https://h", "nats://ann:w@h:4222", "redis://h/3"):
        assert check_address(address) == address
    for address in ("http://h:99999", "http://[", "nats://h:99999"):
        with pytest.raises(BadEndpoint, match="write"):
            check_address(address)
    with pytest.raises(BadEndpoint, match="set LIVETABLE_TOKEN"):
        check_address("http://ann:w0rd@h:1")


def test_the_file_of_a_socket() -> None:
    assert socket_path("ipc:///tmp/x") == "/tmp/x"
    assert socket_path("tcp://h:1") is None
