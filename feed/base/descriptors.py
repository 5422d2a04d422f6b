"""Check whether a process on this machine has file descriptors left for another viewer.

ZeroMQ ends a process without free descriptors as soon as somebody connects to its local socket. So
a viewer checks first, from outside, in Linux's /proc.
"""

from __future__ import annotations

import os
import sys
from typing import Final

LEAST: Final = 16
"""A viewer takes one descriptor; the others are for files that the program opens meanwhile."""


def crowded(pid: int) -> str | None:
    """Return why a viewer must not connect to a process, None if it may or if that is unknown.

    Args:
        pid: The process.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        used, limit = len(os.listdir(f"/proc/{pid}/fd")), _limit_of(pid)
    except (OSError, ValueError):
        return None  # another user's process, or it has ended
    if limit is None or used + LEAST <= limit:
        return None
    return (
        f"process {pid} has {used} of at most {limit} files open: one more viewer would end it; "
        "close some of them, or raise its limit (ulimit -n)"
    )


def _limit_of(pid: int) -> int | None:
    import resource

    limit, _ = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit
