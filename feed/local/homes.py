"""The files of a process in a folder, one of which it keeps locked as long as it lives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Home:
    """This process's files in a folder.

    Attributes:
        file: The one that it keeps locked.
        descriptor: Of that.
        pid: The process.
    """

    file: str
    descriptor: int
    pid: int

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return self.file.removesuffix(".process") + ".sock"


# No locks here: a signal handler or a finalizer may publish while this very thread does. What has
# to be done once is done by one call of a dict's.
homes: Final[dict[Path, Home]] = {}
"""This process's, by folder."""


def is_own(file: str) -> bool:
    """Tell whether a file is the one that this process keeps locked."""
    return any(home.file == file and home.pid == os.getpid() for home in list(homes.values()))


def lives_by(file: str, known: dict[str, bool]) -> bool:
    """Tell whether a process lives, by the lock on its file."""
    if file not in known:
        # Never open one's own: to close it lets go of the lock.
        known[file] = is_own(file) or _is_locked(file)
    return known[file]


def _is_locked(file: str) -> bool:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # no descriptor is left here to find out: that kills nobody
    try:
        os.lockf(descriptor, os.F_TEST, 0)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
