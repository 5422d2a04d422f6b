"""The files of a process in a folder; it keeps one of them locked as long as it lives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Home:
    """This process's files in a folder.

    Attributes:
        file: The file that it keeps locked.
        descriptor: That file's descriptor.
        pid: The process.
    """

    file: str
    descriptor: int
    pid: int

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return self.file.removesuffix(".process") + ".sock"


# Without a lock: a signal handler or a finalizer may publish while it interrupts this very thread.
# What must happen once is one atomic call of a dict method.
homes: Final[dict[Path, Home]] = {}
"""This process's files, by folder."""


def is_own(file: str) -> bool:
    """Tell whether a file is the one that this process keeps locked."""
    return any(home.file == file and home.pid == os.getpid() for home in list(homes.values()))


def lives_by(file: str, known: dict[str, bool]) -> bool:
    """Tell whether a process is alive: its file is locked. `known` caches the answers."""
    if file not in known:
        # Never open this process's own file: closing any descriptor of it releases the lock.
        known[file] = is_own(file) or _is_locked(file)
    return known[file]


def _is_locked(file: str) -> bool:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # e.g. no free descriptor here: assume that it is alive
    try:
        os.lockf(descriptor, os.F_TEST, 0)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
