"""Listening sockets, and the descriptors that stay free for the program."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from functools import cache
from typing import Any, Final

from livetable.feed.base.native import original
from livetable.feed.errors import BadEndpoint

_BACKLOG: Final = 128


@cache
def sockets() -> Any:
    """Return the module, loaded when it is first needed, and kept.

    Last words are said when Python takes its modules apart: then none can be imported any more.
    """
    import socket

    return socket


def listening(endpoint: str) -> tuple[Any, str]:
    """Return a listening socket, and its endpoint with wildcards replaced.

    Raises:
        BadEndpoint: it can't be bound.
    """
    try:
        return _bound(endpoint)
    except (OSError, UnicodeError, OverflowError) as error:
        raise BadEndpoint(f"can't bind {endpoint}: {_reason(error)}") from None


def close_connections(port: int) -> None:
    """Close this process's descriptors of a port: in a forked child, to which they do not belong.

    Linux only; elsewhere there is no list of descriptors.
    """
    socket = sockets()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            one = socket.socket(fileno=os.dup(int(name)))
            with one:
                is_it = one.family in (socket.AF_INET, socket.AF_INET6)
                is_it = is_it and one.getsockname()[1] == port
            if is_it:
                os.close(int(name))


def _bound(endpoint: str) -> tuple[Any, str]:
    # Long, as each step may fail, and what is open by then is closed there.
    socket = sockets()
    make = original("socket", "socket")
    if endpoint.startswith("ipc://"):
        path = endpoint.removeprefix("ipc://")
        listener = make(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(OSError):
                os.fchmod(listener.fileno(), 0o600)  # before there is a file that others could open
            _bind_path(listener, path)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
        listener.setblocking(False)
        return listener, endpoint
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    host = host.strip("[]")
    number = 0 if port == "*" else int(port)
    # Bytes: for a text a codec is imported, which a process that became nobody may not read.
    name = host.encode("ascii") if host.isascii() else host
    families = (
        [(socket.AF_INET6, ("::", number)), (socket.AF_INET, ("0.0.0.0", number))]
        if host == "*"
        else [(info[0], info[4]) for info in socket.getaddrinfo(
            name, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)][:1]
    )  # fmt: skip
    problem: OSError = OSError(errno.EINVAL, "Invalid argument")
    for family, address in families:
        try:
            listener = make(family, socket.SOCK_STREAM)
        except OSError as error:
            problem = error
            continue
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            problem = error
            continue
        listener.setblocking(False)
        shown = (
            "0.0.0.0" if host == "*" else listener.getsockname()[0] if not _is_ip(host) else host
        )
        shown = f"[{shown}]" if ":" in shown else shown
        return listener, f"tcp://{shown}:{listener.getsockname()[1]}"
    raise problem


def _is_ip(host: str) -> bool:
    return ":" in host or re.fullmatch(r"[\d.]+", host) is not None


def _bind_path(listener: Any, path: str) -> None:
    name = "\0" + path[1:] if path.startswith("@") else path
    try:
        listener.bind(name)
        return
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise
    socket = sockets()
    with original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(name)
        except OSError as error:
            if error.errno != errno.ECONNREFUSED:
                raise OSError(errno.EADDRINUSE, "Address already in use") from None
        else:
            raise OSError(errno.EADDRINUSE, "Address already in use")
    os.unlink(path)  # of a process that is dead
    listener.bind(name)


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return "another process uses it; choose another port or end that process"
    if number == errno.EINVAL or not isinstance(error, OSError) or _is_gaierror(error):
        return "write it as tcp://127.0.0.1:5411 or ipc:///path/of/a/socket"
    return str(error.strerror or error).lower()


def _is_gaierror(error: Exception) -> bool:
    return type(error).__name__ == "gaierror"


FREE_DESCRIPTORS: Final = 32
"""So many descriptors stay free for the program: nearer to its limit viewers are turned away."""


class Spare:
    """One descriptor that is kept, to let in who is to be told that there are none left."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self.keep()

    def keep(self) -> None:
        """Have one, if there is one to be had."""
        if self._descriptor is None:
            with contextlib.suppress(OSError):
                self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def give(self) -> bool:
        """Close it, so that there is one for somebody else; tell whether it was there."""
        if self._descriptor is None:
            return False
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        return True


def has_room(fd: int) -> bool:
    """Tell whether there is one more for a viewer, beside the one that it was just given."""
    # A new descriptor is the lowest free one: it tells how many there are at least.
    limit = _descriptor_limit()
    return limit is None or fd < limit - FREE_DESCRIPTORS


def _descriptor_limit() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft
