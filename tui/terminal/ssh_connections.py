"""Reads from the kernel how much is queued in the SSH connections of `tmux` clients.

`tmux` is itself a terminal: it answers at once, and what it sends on piles up at its client's
`sshd`. Linux reports how much, through netlink's `inet_diag`: see sock_diag(7).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Final

from livetable.tui.terminal.pace import Backlog

_SOCK_DIAG_BY_FAMILY: Final = 20
_INFO: Final = 2  # INET_DIAG_INFO: a `struct tcp_info`
_NO_COOKIE: Final = 0xFFFFFFFF
_ANY_STATE: Final = 0xFFFFFFFF
_HEADER: Final = struct.Struct("=IHHII")  # struct nlmsghdr
_WQUEUE_AT: Final = 16 + 4 + 48 + 8  # idiag_wqueue in a message
_ATTRIBUTES_AT: Final = 16 + 72
_ACKED_AT: Final = 120  # tcpi_bytes_acked
_LEAST_TRIP_AT: Final = 148  # tcpi_min_rtt, in microseconds
_FIND_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 2.0

End = tuple[str, int]


class SshLines:
    """The SSH connections of the `tmux` clients that show this terminal.

    Args:
        pane: The `tmux` pane that this process runs in.
    """

    def __init__(self, pane: str) -> None:
        self._pane = pane
        self._ends: list[tuple[End, End]] = []
        self._socket: socket.socket | None = None
        self._found_at = -_FIND_SECONDS
        self._lock = threading.Lock()

    def backlog(self) -> Backlog | None:
        """Return the largest backlog; None if unknown."""
        now = time.monotonic()
        if now - self._found_at > _FIND_SECONDS:
            self._found_at = now
            threading.Thread(target=self._find, daemon=True).start()
        backlogs = [self._ask(near, far) for near, far in self._ends]
        known = [backlog for backlog in backlogs if backlog is not None]
        return max(known, key=lambda backlog: backlog.queued, default=None)

    def _find(self) -> None:
        """Find the current clients' connections."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            ends = [connection_of(pid) for pid in clients_of(self._pane)]
            self._ends = [one for one in ends if one is not None]
        finally:
            self._lock.release()

    def _ask(self, near: End, far: End) -> Backlog | None:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4)
                self._socket.settimeout(0.2)
            self._socket.send(_question(near, far))
            return _answer(self._socket.recv(8192))
        except (OSError, ValueError, struct.error, AttributeError):
            return None

    def close(self) -> None:
        """Close the socket to the kernel."""
        if self._socket is not None:
            self._socket.close()


def clients_of(pane: str) -> list[int]:
    """Return the process ids of the `tmux` clients that show a pane."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return []
    words = [tmux, "list-clients", "-t", pane, "-F", "#{client_pid}"]
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return [int(word) for word in done.stdout.split()]
    return []


def connection_of(pid: int) -> tuple[End, End] | None:
    """Return the local and remote end of the SSH connection that a process was started in."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    for entry in environment:
        if entry.startswith(b"SSH_CONNECTION="):
            return parsed(entry.partition(b"=")[2].decode("ascii", "replace"))
    return None


def parsed(variable: str) -> tuple[End, End] | None:
    """Parse `SSH_CONNECTION` (client address and port, server address and port)."""
    parts = variable.split()
    if len(parts) != 4 or not (parts[1].isdigit() and parts[3].isdigit()):
        return None
    return (parts[2], int(parts[3])), (parts[0], int(parts[1]))


def _question(near: End, far: End) -> bytes:
    family = socket.AF_INET6 if ":" in near[0] else socket.AF_INET
    addresses = b"".join(
        socket.inet_pton(family, host.partition("%")[0]).ljust(16, b"\0") for host, _ in (near, far)
    )
    ends = struct.pack(">HH", near[1], far[1]) + addresses
    ends += struct.pack("=III", 0, _NO_COOKIE, _NO_COOKIE)
    kind = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, _ANY_STATE)
    body = kind + ends
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, 1, 1, 0) + body


def _answer(message: bytes) -> Backlog | None:
    _, kind, *_ = _HEADER.unpack_from(message)
    if kind != _SOCK_DIAG_BY_FAMILY:  # no such connection
        return None
    queued = struct.unpack_from("=I", message, _WQUEUE_AT)[0]
    offset = _ATTRIBUTES_AT
    while offset + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, offset)
        if kind == _INFO and length >= 4 + _LEAST_TRIP_AT + 4:
            acked = struct.unpack_from("=Q", message, offset + 4 + _ACKED_AT)[0]
            least = struct.unpack_from("=I", message, offset + 4 + _LEAST_TRIP_AT)[0]
            return Backlog(queued, acked, least / 1e6)
        offset += max(4, (length + 3) & ~3)
    return Backlog(queued, 0, 0.0)


def lines_of_tmux() -> SshLines | None:
    """Return the connections of this terminal's `tmux` clients; None outside `tmux`."""
    pane = os.environ.get("TMUX_PANE") if os.environ.get("TMUX") else None
    return SshLines(pane) if pane and hasattr(socket, "AF_NETLINK") else None
