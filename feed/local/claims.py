"""Claim table names for this process: a file per name, until the claim is released."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from livetable.feed.base.native import sleep, start_thread
from livetable.feed.errors import BadEndpoint, NameTaken, RuntimeFolder
from livetable.feed.local.endpoints import MAX_PATH, socket_path
from livetable.feed.local.folders import own_folder
from livetable.feed.local.homes import Home, homes, is_own, lives_by
from livetable.feed.local.records import Entry, entry_of, holder_of, record_of, write_record

_CLAIM_SECONDS: Final = 0.5
"""A name whose file another process keeps locked for so long counts as taken."""

_YOUNG_SECONDS: Final = 10.0

# Without a lock, for the reason given at `homes`.
_names: dict[str, Claim] = {}  # this process's claims by file


def _forget_held() -> None:
    # A forked child must not hold its parent's locks: therefore `lockf` locks, which it does not
    # inherit.
    for home in homes.values():
        with contextlib.suppress(OSError):
            os.close(home.descriptor)
    homes.clear()
    _names.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_held)


@atexit.register
def remove_held() -> None:
    """Remove this process's files."""
    for claim in list(_names.values()):
        claim.release()
    for home in list(homes.values()):
        for leftover in (home.socket, home.file):
            with contextlib.suppress(OSError):
                os.unlink(leftover)
    # The locks go with the process: what other exit handlers still publish gets new files.
    homes.clear()


@dataclass(eq=False, slots=True)
class Claim:
    """A name that this process holds until `release`.

    Attributes:
        name: The table's name.
        endpoint: Where viewers find it: of a local table a link to the process's socket, by the
            table's name. Who looks at it finds the next process there that publishes the table.
        bind: The endpoint to bind.
        holder: Who holds it in this process, to be told when another takes it.
        replaced: Whom it was taken from, if that is another process.
    """

    name: str
    endpoint: str
    bind: str
    _file: str
    _process: str = ""
    holder: Any = None
    replaced: Entry | None = None
    _id: str = field(default_factory=lambda: os.urandom(8).hex())

    def publish(self, endpoint: str) -> None:
        """Tell viewers where the table is, once `endpoint` is bound.

        Raises:
            RuntimeFolder: it can't be written down.
        """
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CLOEXEC)
            try:
                write_record(descriptor, self.record(endpoint))
                os.utime(self._file)  # viewers watch the folder for names, not files for contents
            finally:
                os.close(descriptor)
            if self.endpoint != self.bind:
                _link(self.bind.removeprefix("ipc://"), self.endpoint.removeprefix("ipc://"))
        except OSError as error:  # a full disk
            raise RuntimeFolder(f"can't write {self._file}: {error.strerror}") from None

    def record(self, endpoint: str | None) -> dict[str, Any]:
        """Return the content of the name's file."""
        return {"name": self.name, "endpoint": endpoint, "pid": os.getpid(),
                "process": os.path.basename(self._process), "id": self._id}  # fmt: skip

    @property
    def is_held(self) -> bool:
        """Whether the name is still this claim's: another process may have taken it."""
        record = record_of(self._file)
        return record is not None and record.get("id") == self._id

    def release(self) -> None:
        """Release the name; a second call does nothing."""
        if _names.get(self._file) is not self:
            return
        if self.is_held:
            link = socket_path(self.endpoint)
            for leftover in (link if link != socket_path(self.bind) else None, self._file):
                if leftover is not None:
                    with contextlib.suppress(OSError):
                        os.unlink(leftover)
        if _names.get(self._file) is self:
            del _names[self._file]


def claim(name: str, endpoint: str | None = None, *, replace: bool = False) -> Claim:
    """Claim a table's name for this process; replace the files of a dead process.

    Args:
        name: A checked table name.
        endpoint: Where it will be published; None for this process's local socket.
        replace: Whether to take the name from a live process of this user.

    Raises:
        NameTaken: a live process, perhaps this one, holds it.
        BadEndpoint: the folder's path is too long for a socket.
        RuntimeFolder: there is no usable folder for the file.
    """
    # Long, as the lock is held from the look at the file until the new record is written.
    import fcntl

    folder = own_folder()
    home = _home(folder)
    stem = name if endpoint is None else f"{name}@{_file_name(endpoint)}"
    file, link = str(folder / f"{stem}.lock"), str(folder / f"{stem}.sock")
    for path in (home.socket, link) if endpoint is None else ():
        if len(path.encode()) > MAX_PATH:
            raise BadEndpoint(f"{path} is too long for a socket: choose a shorter name or folder")
    mine = Claim(
        name, endpoint or f"ipc://{link}", endpoint or f"ipc://{home.socket}", file, home.file
    )
    if (known := _names.setdefault(file, mine)) is not mine:
        raise NameTaken(name, os.getpid(), holder=known.holder)
    try:
        until = time.monotonic() + _CLAIM_SECONDS
        while True:
            try:
                descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise RuntimeFolder(f"can't create {file}: {error.strerror}") from None
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _is_at(descriptor, file):
                    continue  # its owner removed the file between our open and our lock
                holder = holder_of(file, {})
                if holder is not None and not replace:
                    raise NameTaken(name, holder.pid)
                mine.replaced = holder
                write_record(descriptor, mine.record(None))
                return mine
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    raise RuntimeFolder(f"can't lock {file}: {error.strerror}") from None
                if time.monotonic() > until:  # held by an older livetable, or many claim it at once
                    found = entry_of(record_of(file))
                    raise NameTaken(name, found.pid if found else None) from None
            finally:
                os.close(descriptor)
            sleep(0.01)
    except BaseException:
        _names.pop(file, None)
        raise


def _file_name(endpoint: str) -> str:
    return "".join(c if c.isalnum() or c in ".-[]:" else "_" for c in endpoint.split("://", 1)[-1])


def _link(target: str, link: str) -> None:
    """Replace a link atomically: viewers may be connecting through it."""
    fresh = f"{link}.{os.urandom(4).hex()}"
    os.symlink(os.path.basename(target), fresh)
    os.rename(fresh, link)


def _is_at(descriptor: int, file: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    return False


def _home(folder: Path) -> Home:
    """Return this process's files in a folder; create them if necessary.

    Raises:
        RuntimeFolder: they can't be created.
    """
    import fcntl

    home = homes.get(folder)
    if home is not None and home.pid == os.getpid() and os.path.exists(home.file):
        return home
    file = str(folder / f".{os.getpid()}-{os.urandom(4).hex()}.process")
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RuntimeFolder(f"can't create {file}: {error.strerror}") from None
    made = Home(file, descriptor, os.getpid())
    if home is not None:
        homes.pop(folder, None)
    if (home := homes.setdefault(folder, made)) is not made:  # another thread was faster
        os.unlink(file)
        os.close(descriptor)
    else:
        with contextlib.suppress(RuntimeError):
            start_thread(lambda: _sweep_dead(folder))
    return home


def _sweep_dead(folder: Path) -> None:
    """Remove the files of processes that were killed."""
    import fcntl

    with contextlib.suppress(OSError):
        for file in _files(folder, ".process"):
            if is_own(file) or lives_by(file, {}):
                continue
            with contextlib.suppress(OSError):
                if time.time() - os.stat(file).st_mtime > _YOUNG_SECONDS:
                    os.unlink(file.removesuffix(".process") + ".sock")
                    os.unlink(file)
        for file in _files(folder, ".lock"):
            record = record_of(file)
            if record is None or not record.get("process") or file in _names:
                continue
            if os.path.exists(os.path.join(folder, str(record["process"]))):
                continue
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(descriptor, file) and record_of(file) == record and file not in _names:
                    with contextlib.suppress(OSError):
                        os.unlink(file.removesuffix(".lock") + ".sock")
                    os.unlink(file)
            finally:
                os.close(descriptor)


def _files(folder: Path, ending: str) -> list[str]:
    return sorted(
        os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(ending)
    )
