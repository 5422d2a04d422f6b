"""Where this user's local endpoints live: their names, who holds them, and which are dead.

Each table has a lock file in a folder that only its user can enter. Whoever holds the lock owns
the name; the operating system lets go of it when the process dies, however it dies. The file
tells the endpoint and the process, so that viewers need not ask around.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import os
import socket
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from livetable.feed.addresses import read_address, shown
from livetable.feed.errors import BadEndpoint, NameTaken, RuntimeFolder
from livetable.feed.headroom import crowded
from livetable.feed.wire import MAX_NAME

MAX_PATH = 103
"""Longest path of a socket that Linux and macOS both take, in bytes."""

_AT_HOME = (".cache", "livetable", "run")
_NEW_SECONDS = 60.0

_held: dict[str, int] = {}  # lock file → descriptor
_held_lock = threading.RLock()


def _forget_held() -> None:
    # A forked child holds none of its parent's locks (that is why they are `lockf` locks).
    global _held_lock
    _held_lock = threading.RLock()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_held)


@atexit.register
def _remove_held() -> None:
    with _held_lock:
        for lock_file in _held:
            for leftover in (lock_file.removesuffix(".lock") + ".sock", lock_file):
                with contextlib.suppress(OSError):
                    os.unlink(leftover)
        # A publisher collected after this must not unlink what is its successor's by then.
        _held.clear()


@dataclass(frozen=True, slots=True)
class Entry:
    """A table that a process of this user publishes on this machine.

    Attributes:
        name: The table's name.
        endpoint: Where it is published.
        pid: The process that publishes it.
    """

    name: str
    endpoint: str
    pid: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that this process holds until `release`.

    Attributes:
        name: The table's name.
        endpoint: The endpoint to bind.
    """

    name: str
    endpoint: str
    _lock_file: str

    def publish(self, endpoint: str) -> None:
        """Tell viewers where the table is, once `endpoint` is bound.

        Raises:
            RuntimeFolder: it can't be written down.
        """
        record = {"name": self.name, "endpoint": endpoint, "pid": os.getpid()}
        with _held_lock:
            descriptor = _held[self._lock_file]
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(record).encode() + b"\n", 0)
                # Viewers watch the folder for names, not files for contents.
                os.utime(self._lock_file)
            except OSError as error:  # a full disk
                raise RuntimeFolder(
                    f"{self._lock_file} can't be written: {error.strerror}"
                ) from None

    def release(self) -> None:
        """Give the name back; a second call does nothing."""
        with _held_lock:
            descriptor = _held.pop(self._lock_file, None)
            if descriptor is None:
                return
            path = socket_path(self.endpoint)
            for leftover in (path, self._lock_file):
                if leftover is not None:
                    with contextlib.suppress(OSError):
                        os.unlink(leftover)
            os.close(descriptor)


def check_endpoint(endpoint: str) -> str:
    """Return an endpoint if it can be one.

    Raises:
        BadEndpoint: another scheme, no path, or a port that there is not.
    """
    scheme, _, rest = endpoint.partition("://")
    port = rest.rpartition(":")[2]
    if scheme == "tcp" and "@" in rest:
        raise BadEndpoint(f"{shown(endpoint)} takes no password: keys let viewers in, see --secure")
    if scheme == "tcp" and rest.rpartition(":")[0] and " " not in rest:
        if port == "*" or (port.isascii() and port.isdigit() and int(port) <= 65_535):
            return endpoint
        raise BadEndpoint(
            f"{shown(endpoint)!r} has no port: write a number up to 65535, as in tcp://127.0.0.1:5411"
        )
    if scheme == "ipc" and rest and len(rest.encode()) <= 107:
        return endpoint
    raise BadEndpoint(
        f"{shown(endpoint)!r} is no endpoint: write tcp://127.0.0.1:5411 or ipc:///path"
    )


def check_address(address: str) -> str:
    """Return an address of any scheme, ``http://127.0.0.1:5000``, if it can be one.

    Raises:
        BadEndpoint: it can't; so says the sentence.
    """
    scheme = address.partition("://")[0]
    if scheme in ("tcp", "ipc"):
        return check_endpoint(address)
    if not scheme.startswith("http"):
        read_address(address)
        return address
    try:
        # Reads it, and raises where it is no number up to 65535.
        parts, _ = urlsplit(address), urlsplit(address).port
    except ValueError:
        raise BadEndpoint(
            f"{shown(address)!r} is no address: write {scheme}://host:port, "
            f"e.g. {scheme}://127.0.0.1:5000"
        ) from None
    if "@" in parts.netloc:
        raise BadEndpoint(f"{shown(address)} takes no password: give a word by LIVETABLE_TOKEN")
    return address


def socket_path(endpoint: str) -> str | None:
    """Return the file behind an ``ipc://`` endpoint, None for others."""
    return endpoint.removeprefix("ipc://") if endpoint.startswith("ipc://") else None


def folders() -> list[Path]:
    """Return where tables may be, best place first; none of them need exist.

    A service or a cron job has no ``XDG_RUNTIME_DIR``, while the person who logs in to look at it
    has: so all places are looked at, and one is published in.
    """
    if not hasattr(os, "getuid"):
        return []
    named = os.environ.get("XDG_RUNTIME_DIR")
    places = [Path(named) / "livetable"] if named and os.path.isabs(named) else []
    places.append(Path(f"/run/user/{os.getuid()}/livetable"))
    places.append(Path(f"/tmp/livetable-{os.getuid()}"))
    # Where anybody may make folders somebody else may have made it: not so at home.
    home = os.path.expanduser("~/.cache/livetable/run")
    if os.path.isabs(home):
        places.append(Path(home))
    return list(dict.fromkeys(places))


def unusable() -> str | None:
    """Return what is wrong with a folder that is there and is not used, None if nothing is."""
    for folder in folders():
        try:
            check_folder(folder)
        except RuntimeFolder as error:
            return str(error)
        except OSError:
            continue
    return None


def check_folder(folder: Path) -> None:
    """Make sure that only this user can have put something into `folder`.

    Raises:
        RuntimeFolder: it is a link, no folder, another user's, or open to others.
        FileNotFoundError: it does not exist.
    """
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise RuntimeFolder(f"{folder} is not a folder: remove it")
    if status.st_uid != os.geteuid():
        raise RuntimeFolder(f"{folder} belongs to user {status.st_uid}: it is not used")
    if status.st_mode & 0o077:
        raise RuntimeFolder(
            f"{folder} is open to other users: remove it, or close it with chmod 700"
        )


def own_folder() -> Path:
    """Return the folder to publish in, made if need be.

    Raises:
        RuntimeFolder: there is no place that only this user can use.
    """
    problem = RuntimeFolder("local sockets need Linux or macOS: give an endpoint tcp://127.0.0.1:…")
    for folder in folders():
        try:
            if not _made(folder):
                continue
            check_folder(folder)
        except RuntimeFolder as error:
            problem = error
        except OSError as error:
            problem = RuntimeFolder(f"{folder} can't be made: {error.strerror}")
        else:
            return folder
    raise problem


def _made(folder: Path) -> bool:
    """Make a folder if need be; tell whether there is a place for it."""
    if folder.parts[-3:] == _AT_HOME:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.parent.is_dir():
        return False
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return True


def sweep() -> None:
    """Remove the sockets of viewers that were killed."""
    for folder in folders():
        with contextlib.suppress(RuntimeFolder, OSError):
            check_folder(folder)
            for path in folder.glob(".viewer-*.sock"):
                if _is_left(path):
                    path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    """Tell whether nobody listens at a viewer's socket, nor will."""
    pid = path.name.split("-")[1]
    with contextlib.suppress(PermissionError):
        try:
            os.kill(int(pid) if pid.isdigit() and len(pid) < 10 else 0, 0)
        except ProcessLookupError:
            return True
    # Its number may be another process's by now. A new one may not be listened at yet.
    if time.time() - path.stat().st_mtime < _NEW_SECONDS:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def pid_at(endpoint: str) -> int | None:
    """Return the process that publishes at a local endpoint, None if that is not known."""
    path = Path(endpoint.removeprefix("ipc://"))
    if path.name.startswith(".viewer-"):
        return None  # of a viewer's own
    entry = _read(path.with_suffix(".lock"))  # most often it is beside it
    if entry is not None and entry.endpoint == endpoint:
        return entry.pid
    for folder in folders():
        with contextlib.suppress(RuntimeFolder, OSError):
            check_folder(folder)
            for entry in map(_read, folder.glob("*.lock")):
                if entry is not None and entry.endpoint == endpoint:
                    return entry.pid
    return None


def claim(name: str, endpoint: str | None = None) -> Claim:
    """Take a table's name for this process; a dead process's leftovers are cleared away.

    Args:
        name: A checked table name.
        endpoint: Where it will be published; None for a local socket of its own.

    Raises:
        NameTaken: a live process, perhaps this one, holds it.
        BadEndpoint: the folder's path is too long for a socket.
        RuntimeFolder: there is no folder to hold it in.
    """
    import fcntl

    folder = own_folder()
    stem = name if endpoint is None else f"{name}@{_file_name(endpoint)}"
    lock_file = str(folder / f"{stem}.lock")
    path = str(folder / f"{stem}.sock")
    if endpoint is None and len(path.encode()) > MAX_PATH:
        raise BadEndpoint(f"{path} is too long for a socket: choose a shorter name or folder")
    with _held_lock:
        if lock_file in _held:
            raise NameTaken(name, os.getpid())
        while True:
            try:
                descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise RuntimeFolder(f"{lock_file} can't be made: {error.strerror}") from None
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    raise RuntimeFolder(f"{lock_file} can't be locked: {error.strerror}") from None
                holder = _read(Path(lock_file))
                raise NameTaken(name, holder.pid if holder else None) from None
            # Its last owner may have removed the file between our open and our lock.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(lock_file)):
                    break
            os.close(descriptor)
        if endpoint is None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        _held[lock_file] = descriptor
    return Claim(name, endpoint or f"ipc://{path}", lock_file)


def entries() -> list[Entry]:
    """Return the live tables of this user on this machine, by name."""
    found = {}
    for folder in folders():
        try:
            check_folder(folder)
            lock_files = sorted(folder.glob("*.lock"))
        except (RuntimeFolder, OSError):
            continue
        for lock_file in lock_files:
            entry = _read(lock_file)
            if entry is not None and _lives(entry):
                found[entry.name, entry.endpoint] = entry
    return [found[at] for at in sorted(found)]


def find(name: str) -> list[Entry]:
    """Return the live tables called `name`, the local socket's first."""
    return sorted(
        (entry for entry in entries() if entry.name == name),
        key=lambda entry: socket_path(entry.endpoint) is None,
    )


def _file_name(endpoint: str) -> str:
    return "".join(c if c.isalnum() or c in ".-[]:" else "_" for c in endpoint.split("://", 1)[-1])


def _read(lock_file: Path) -> Entry | None:
    try:
        # Never close a descriptor of a file this process holds a lock on: that lets go of it.
        with _held_lock:
            held = _held.get(str(lock_file))
            data = os.pread(held, 4096, 0) if held is not None else lock_file.read_bytes()[:4096]
        record = json.loads(data)
        name, endpoint, pid = record["name"], record["endpoint"], record["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # just being written, or just removed
    if isinstance(name, str) and isinstance(endpoint, str) and type(pid) is int:
        return Entry(name[:MAX_NAME], endpoint, pid)
    return None


def _lives(entry: Entry) -> bool:
    try:
        os.kill(entry.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # the number now belongs to another user's process
    path = socket_path(entry.endpoint)
    if path is None or crowded(entry.pid) is not None:
        return True  # one that is crowded would die of being asked
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(path)
        except OSError as error:
            return error.errno == errno.EAGAIN  # it lives, but does not answer
    return True
