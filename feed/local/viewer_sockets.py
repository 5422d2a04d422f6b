"""Remove the sockets that killed viewers left in the folders of tables."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import Final

from livetable.feed.base.native import original
from livetable.feed.errors import RuntimeFolder
from livetable.feed.local import folders
from livetable.feed.local.folders import check_folder

_NEW_SECONDS: Final = 60.0


def sweep() -> None:
    """Remove the sockets of viewers that were killed."""
    for folder in folders.folders():
        with contextlib.suppress(RuntimeFolder, OSError):
            check_folder(folder)
            for path in folder.glob(".viewer-*.sock"):
                if _is_left(path):
                    path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    """Tell whether nobody listens at a viewer's socket any more."""
    pid = path.name.split("-")[1]
    with contextlib.suppress(PermissionError):
        try:
            os.kill(int(pid) if pid.isdigit() and len(pid) < 10 else 0, 0)
        except ProcessLookupError:
            return True
    # Another process may have its number by now, so try to connect; but not to a new socket, at
    # which nobody may listen yet.
    if time.time() - path.stat().st_mtime < _NEW_SECONDS:
        return False
    with original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False
