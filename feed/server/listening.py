"""Listening sockets, and the file descriptors that are left free for the program."""

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
    """Return the `socket` module, imported once and kept.

    The last messages are sent while Python clears its modules, when nothing can be imported.
    """
    import socket

    return socket


def listening(endpoint: str) -> tuple[Any, str]:
    """Return a listening socket, and its endpoint with wildcards replaced.

    Raises:
        BadEndpoint: the endpoint can't be bound.
    """
    try:
        return _bound(endpoint)
    except (OSError, UnicodeError, OverflowError) as error:
        raise BadEndpoint(f"can't bind {endpoint}: {_reason(error)}") from None


def close_connections(port: int) -> None:
    """Close the descriptors of a port in a forked child: they are the parent's.

    Linux only: other systems do not list a process's descriptors.
    """
    socket = sockets()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            duplicate = socket.socket(fileno=os.dup(int(name)))
            with duplicate:
                is_tcp = duplicate.family in (socket.AF_INET, socket.AF_INET6)
                is_on_port = is_tcp and duplicate.getsockname()[1] == port
            if is_on_port:
                os.close(int(name))


def _bound(endpoint: str) -> tuple[Any, str]:
    # Long, because each step may fail, and then has to close the socket.
    socket = sockets()
    make = original("socket", "socket")
    if endpoint.startswith("ipc://"):
        path = endpoint.removeprefix("ipc://")
        listener = make(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(OSError):
                os.fchmod(listener.fileno(), 0o600)  # before bind, or others could open it
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
    # Bytes: a str makes Python import a codec, which fails in a process that dropped its rights.
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
    os.unlink(path)  # nobody listens: its process is dead
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
"""This many descriptors stay free for the program. Viewers that would need one are turned away."""


class Spare:
    """A reserved descriptor, to accept a viewer when none is left and tell it so."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self.keep()

    def keep(self) -> None:
        """Reserve a descriptor, if one is free and none is reserved."""
        if self._descriptor is None:
            with contextlib.suppress(OSError):
                self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def give(self) -> bool:
        """Free the reserved descriptor. Return whether there was one."""
        if self._descriptor is None:
            return False
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        return True


def has_room(fd: int) -> bool:
    """Tell whether a viewer may keep the descriptor that it was just given."""
    # The system gives out the lowest free number, so `fd` descriptors are in use at least.
    limit = _descriptor_limit()
    return limit is None or fd < limit - FREE_DESCRIPTORS


def _descriptor_limit() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft
