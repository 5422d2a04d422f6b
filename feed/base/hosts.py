"""Check that the host of an address exists: sockets would silently retry a wrong one for ever."""

from __future__ import annotations

import socket
import threading
from typing import Final
from urllib.parse import urlsplit

from livetable.feed.errors import LivetableError

LOOK_SECONDS: Final = 2.0
"""Longest wait for a look-up; after it the host counts as existing."""

_UNKNOWN: Final = {
    getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)
}


class UnknownHost(LivetableError):
    """The host of an address does not exist."""


def check_host(address: str) -> None:
    """Look up the host of an address, if it has one. Blocks for `LOOK_SECONDS` at most.

    Args:
        address: ``tcp://host:port``, or any other scheme; of several hosts one must exist.

    Raises:
        UnknownHost: there is no host of that name.
    """
    hosts = hosts_of(address)
    unknown = [host for host in hosts if _is_unknown(host)]
    if unknown and len(unknown) == len(hosts):
        scheme = address.partition("://")[0]
        raise UnknownHost(f"unknown host {unknown[0]!r}: check the name in {scheme}://{unknown[0]}")


def hosts_of(address: str) -> list[str]:
    """Return the hosts of an address, none for ipc:// and for addresses without a host."""
    scheme, _, rest = address.partition("://")
    if scheme == "ipc" or ";" in rest:
        return []
    places = rest.partition("/")[0].rpartition("@")[2].split(",")
    try:
        found = [urlsplit(f"//{place}").hostname for place in places]
    except ValueError:
        return []
    return [host for host in found if host and host != "*"]


def _is_unknown(host: str) -> bool:
    answer: list[bool] = []

    def look() -> None:
        try:
            socket.getaddrinfo(host, None)
        except socket.gaierror as error:
            answer.append(error.errno in _UNKNOWN)
        except (OSError, UnicodeError):  # not a valid host name
            answer.append(True)

    # In a thread: without a reachable name server the look-up can take minutes.
    thread = threading.Thread(target=look, name="livetable-host", daemon=True)
    thread.start()
    thread.join(LOOK_SECONDS)
    return bool(answer and answer[0])
