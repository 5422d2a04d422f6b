"""The folders that may hold this user's tables, and whether they can be trusted."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from livetable.feed.errors import RuntimeFolder

_AT_HOME: Final = (".cache", "livetable", "run")


def folders() -> list[Path]:
    """Return the folders where tables may be, best first; they need not exist.

    A service or a cron job has no ``XDG_RUNTIME_DIR``, but the person who logs in to watch it has:
    so readers look in all folders, and a feed publishes in the first usable one.
    """
    if not hasattr(os, "getuid"):
        return []
    named = os.environ.get("XDG_RUNTIME_DIR")
    places = [Path(named) / "livetable"] if named and os.path.isabs(named) else []
    places.append(Path(f"/run/user/{os.getuid()}/livetable"))
    places.append(Path(f"/tmp/livetable-{os.getuid()}"))
    # In /tmp another user may have taken the name; nobody else can in the home directory.
    home = os.path.expanduser("~/.cache/livetable/run")
    if os.path.isabs(home):
        places.append(Path(home))
    return list(dict.fromkeys(places))


def unusable() -> str | None:
    """Return why an existing folder is not used, None if all can be used."""
    for folder in folders():
        try:
            check_folder(folder)
        except RuntimeFolder as error:
            return str(error)
        except OSError:
            continue
    return None


def check_folder(folder: Path) -> None:
    """Check that only this user can write to `folder`.

    Raises:
        RuntimeFolder: it is a link, no folder, another user's, or open to others.
        FileNotFoundError: it does not exist.
    """
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise RuntimeFolder(f"{folder} is not a folder: remove it")
    if status.st_uid != os.geteuid():
        raise RuntimeFolder(f"{folder} belongs to user {status.st_uid}: livetable does not use it")
    if status.st_mode & 0o077:
        raise RuntimeFolder(
            f"{folder} is open to other users: remove it, or close it with chmod 700"
        )


def own_folder() -> Path:
    """Return the folder to publish in; create it if necessary.

    Raises:
        RuntimeFolder: there is no folder that only this user can use.
    """
    problem = RuntimeFolder(
        "local sockets need Linux or macOS: use endpoint='tcp://127.0.0.1:5411'"
    )
    for folder in folders():
        try:
            if not _made(folder):
                continue
            check_folder(folder)
        except RuntimeFolder as error:
            problem = error
        except OSError as error:
            problem = RuntimeFolder(f"can't create {folder}: {error.strerror}")
        else:
            return folder
    raise problem


def _made(folder: Path) -> bool:
    """Create a folder if necessary; tell whether its parent exists."""
    if folder.parts[-3:] == _AT_HOME:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.parent.is_dir():
        return False
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return True
