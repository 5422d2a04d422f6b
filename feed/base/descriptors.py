"""Whether a process on this machine has descriptors left for one viewer more.

ZeroMQ ends a process that has none left when somebody connects to one of its local sockets. So a
viewer looks first, from outside: Linux shows a user's own processes to it.
"""

from __future__ import annotations

import os
import sys
from typing import Final

LEAST: Final = 16
"""A viewer takes one; the program goes on opening files meanwhile."""


def crowded(pid: int) -> str | None:
    """Return why nobody may connect to a process, None if one can, or if that can't be known.

    Args:
        pid: The process.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        used, limit = len(os.listdir(f"/proc/{pid}/fd")), _limit_of(pid)
    except (OSError, ValueError):
        return None  # another's, or gone
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
