"""Check endpoints and addresses that a person wrote."""

from __future__ import annotations

from urllib.parse import urlsplit

from livetable.feed.base.addresses import read_address, shown
from livetable.feed.errors import BadEndpoint

MAX_PATH = 103
"""Longest path of a socket that Linux and macOS both take, in bytes."""


def check_endpoint(endpoint: str) -> str:
    """Return an endpoint if it is valid.

    Raises:
        BadEndpoint: it has another scheme, no path, or no valid port.
    """
    scheme, _, rest = endpoint.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme == "tcp" and "@" in rest:
        raise BadEndpoint(f"{shown(endpoint)} can't have a password: use keys instead (--secure)")
    if scheme == "tcp" and rest.rpartition(":")[0] and " " not in rest:
        if port == "*" or (port.isascii() and port.isdigit() and int(port) <= 65_535):
            return endpoint
        raise BadEndpoint(f"{shown(endpoint)} has no port up to 65535. Use e.g. tcp://{host}:5411")
    if scheme == "tcp" and rest and ":" not in rest and " " not in rest:
        raise BadEndpoint(f"{shown(endpoint)} has no port. Use tcp://{rest}:5411")
    if scheme == "ipc" and rest and len(rest.encode()) <= 107:
        return endpoint
    raise BadEndpoint(
        f"{shown(endpoint)!r} is not an endpoint. Use tcp://127.0.0.1:5411 or ipc:///path"
    )


def check_address(address: str) -> str:
    """Return an address of any scheme, ``http://127.0.0.1:5000``, if it is valid.

    Raises:
        BadEndpoint: it is not.
    """
    scheme = address.partition("://")[0]
    if scheme in ("tcp", "ipc"):
        return check_endpoint(address)
    if not scheme.startswith("http"):
        read_address(address)
        return address
    try:
        # `port` raises where it is not a number up to 65535.
        parts, _ = urlsplit(address), urlsplit(address).port
    except ValueError:
        raise BadEndpoint(
            f"{shown(address)!r} is not an address: write {scheme}://host:port, "
            f"e.g. {scheme}://127.0.0.1:5000"
        ) from None
    if "@" in parts.netloc:
        raise BadEndpoint(f"{shown(address)} can't have a password: set LIVETABLE_TOKEN instead")
    return address


def socket_path(endpoint: str) -> str | None:
    """Return the file behind an ``ipc://`` endpoint, None for others."""
    return endpoint.removeprefix("ipc://") if endpoint.startswith("ipc://") else None
