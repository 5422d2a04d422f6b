"""Where this user's local endpoints live: their names, who holds them, and which are dead.

Each process that publishes has two files in a folder that only its user can enter: a socket, and a
file that it keeps locked. The operating system lets go of the lock when the process dies, however
it dies. Each table is one small file there: its name, its endpoint, its process. So a process takes
two descriptors, whatever the number of its tables; and viewers need not ask around.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import errno
import json
import os
import socket
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from livetable.feed.base.addresses import read_address, shown
from livetable.feed.base.descriptors import crowded
from livetable.feed.base.native import original, sleep, start_thread
from livetable.feed.errors import BadEndpoint, NameTaken, RuntimeFolder
from livetable.feed.protocol.messages import MAX_NAME

MAX_PATH = 103
"""Longest path of a socket that Linux and macOS both take, in bytes."""

_AT_HOME: Final = (".cache", "livetable", "run")
_NEW_SECONDS: Final = 60.0

_CLAIM_SECONDS: Final = 0.5
"""So long a name's file may be locked by another who claims it, before the name counts as taken."""

_YOUNG_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Home:
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
_homes: dict[Path, _Home] = {}
_names: dict[str, Claim] = {}  # names' files of this process


def _forget_held() -> None:
    # A forked child holds none of its parent's locks (that is why they are `lockf` locks).
    for home in _homes.values():
        with contextlib.suppress(OSError):
            os.close(home.descriptor)
    _homes.clear()
    _names.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_held)


@atexit.register
def remove_held() -> None:
    """Remove this process's files."""
    for claim in list(_names.values()):
        claim.release()
    for home in list(_homes.values()):
        for leftover in (home.socket, home.file):
            with contextlib.suppress(OSError):
                os.unlink(leftover)
    # Their locks go with the process: what is published yet, by other handlers, has new ones.
    _homes.clear()


@dataclass(frozen=True, slots=True)
class Entry:
    """A table that a process of this user publishes on this machine.

    Attributes:
        name: The table's name.
        endpoint: Where it is published.
        pid: The process that publishes it.
        process: The socket that it shares with all the process's tables, if that has one.
    """

    name: str
    endpoint: str
    pid: int
    process: str = ""


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
                _write(descriptor, self.record(endpoint))
                os.utime(self._file)  # viewers watch the folder for names, not files for contents
            finally:
                os.close(descriptor)
            if self.endpoint != self.bind:
                _link(self.bind.removeprefix("ipc://"), self.endpoint.removeprefix("ipc://"))
        except OSError as error:  # a full disk
            raise RuntimeFolder(f"{self._file} can't be written: {error.strerror}") from None

    def record(self, endpoint: str | None) -> dict[str, Any]:
        return {"name": self.name, "endpoint": endpoint, "pid": os.getpid(),
                "process": os.path.basename(self._process), "id": self._id}  # fmt: skip

    @property
    def is_held(self) -> bool:
        """Whether the name is still this claim's: another process may have taken it."""
        record = _record_of(self._file)
        return record is not None and record.get("id") == self._id

    def release(self) -> None:
        """Give the name back; a second call does nothing."""
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
    with original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def pid_at(endpoint: str) -> int | None:
    """Return the process of an older livetable that publishes at a local endpoint.

    None if none is known to. ZeroMQ listens for those, and ends them at their limit of descriptors;
    others tell a viewer themselves that they can't take it.
    """
    path = Path(endpoint.removeprefix("ipc://"))
    if path.name.startswith("."):
        return None  # of a viewer's own, or of a process that is none
    if (pid := _older_at(path.with_suffix(".lock"), endpoint)) is not None:
        return pid  # most often it is beside it
    for folder in folders():
        with contextlib.suppress(RuntimeFolder, OSError):
            check_folder(folder)
            for file in folder.glob("*@*.lock"):  # those that are published elsewhere
                if (pid := _older_at(file, endpoint)) is not None:
                    return pid
    return None


def _older_at(file: Path, endpoint: str) -> int | None:
    record = _record_of(file)
    entry = _entry(record)
    if entry is None or entry.endpoint != endpoint or (record or {}).get("process") is not None:
        return None
    return entry.pid


def claim(name: str, endpoint: str | None = None, *, replace: bool = False) -> Claim:
    """Take a table's name for this process; a dead process's leftovers are cleared away.

    Args:
        name: A checked table name.
        endpoint: Where it will be published; None for this process's local socket.
        replace: Whether to take it from another process of this user that is alive.

    Raises:
        NameTaken: a live process, perhaps this one, holds it.
        BadEndpoint: the folder's path is too long for a socket.
        RuntimeFolder: there is no folder to hold it in.
    """
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
                raise RuntimeFolder(f"{file} can't be made: {error.strerror}") from None
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _is_at(descriptor, file):
                    continue  # its last owner removed the file between our open and our lock
                holder = _holder(file, {})
                if holder is not None and not replace:
                    raise NameTaken(name, holder.pid)
                mine.replaced = holder
                _write(descriptor, mine.record(None))
                return mine
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    raise RuntimeFolder(f"{file} can't be locked: {error.strerror}") from None
                if time.monotonic() > until:  # it is one of an older livetable, or claimed by many
                    found = _read(Path(file))
                    raise NameTaken(name, found.pid if found else None) from None
            finally:
                os.close(descriptor)
            sleep(0.01)
    except BaseException:
        _names.pop(file, None)
        raise


def _link(target: str, link: str) -> None:
    """Make a link in the place of what is there, which viewers may be connecting to."""
    fresh = f"{link}.{os.urandom(4).hex()}"
    os.symlink(os.path.basename(target), fresh)
    os.rename(fresh, link)


def _write(descriptor: int, record: dict[str, Any]) -> None:
    data = json.dumps(record).encode() + b"\n"
    os.pwrite(descriptor, data, 0)
    os.ftruncate(descriptor, len(data))


def _is_at(descriptor: int, file: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    return False


def _home(folder: Path) -> _Home:
    """Return this process's files in a folder, made if need be.

    Raises:
        RuntimeFolder: they can't be made.
    """
    import fcntl

    home = _homes.get(folder)
    if home is not None and home.pid == os.getpid() and os.path.exists(home.file):
        return home
    file = str(folder / f".{os.getpid()}-{os.urandom(4).hex()}.process")
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RuntimeFolder(f"{file} can't be made: {error.strerror}") from None
    made = _Home(file, descriptor, os.getpid())
    if home is not None:
        _homes.pop(folder, None)
    if (home := _homes.setdefault(folder, made)) is not made:  # another thread was faster
        os.unlink(file)
        os.close(descriptor)
    else:
        with contextlib.suppress(RuntimeError):
            start_thread(lambda: _sweep_dead(folder))
    return home


def _sweep_dead(folder: Path) -> None:
    """Remove what processes left that are dead: where they were killed."""
    import fcntl

    with contextlib.suppress(OSError):
        for file in _files(folder, ".process"):
            if _is_own(file) or _lives_by(file, {}):
                continue
            with contextlib.suppress(OSError):
                if time.time() - os.stat(file).st_mtime > _YOUNG_SECONDS:
                    os.unlink(file.removesuffix(".process") + ".sock")
                    os.unlink(file)
        for file in _files(folder, ".lock"):
            record = _record_of(file)
            if record is None or not record.get("process") or file in _names:
                continue
            if os.path.exists(os.path.join(folder, str(record["process"]))):
                continue
            descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(descriptor, file) and _record_of(file) == record and file not in _names:
                    with contextlib.suppress(OSError):
                        os.unlink(file.removesuffix(".lock") + ".sock")
                    os.unlink(file)
            finally:
                os.close(descriptor)


def _files(folder: Path, ending: str) -> list[str]:
    return sorted(
        os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(ending)
    )


def entries(name: str | None = None) -> list[Entry]:
    """Return the live tables of this user on this machine, by name.

    Args:
        name: Only those that are called so.
    """
    found, known = {}, dict[str, bool]()
    for folder in folders():
        try:
            check_folder(folder)
            there = os.listdir(folder)
        except (RuntimeFolder, OSError):
            continue
        stems = [one.removesuffix(".lock") for one in there if one.endswith(".lock")]
        if name is not None:
            stems = [one for one in stems if one == name or one.startswith(name + "@")]
        for stem in stems:
            entry = _linked(folder, stem, known) or _holder(f"{folder}/{stem}.lock", known)
            if entry is not None and entry.endpoint:
                found[entry.name, entry.endpoint] = entry
    return [found[at] for at in sorted(found)]


def _linked(folder: Path, name: str, known: dict[str, bool]) -> Entry | None:
    """Return a local table by its link alone, None if it has none: of thousands none is read."""
    link = f"{folder}/{name}.sock"
    try:
        target = os.readlink(link)
    except OSError:
        return None
    pid = target[1:].partition("-")[0]
    if not (target.startswith(".") and target.endswith(".sock") and pid.isdigit()):
        return None
    if "/" in target or not _lives_by(f"{folder}/{target.removesuffix('.sock')}.process", known):
        return None
    return Entry(name[:MAX_NAME], f"ipc://{link}", int(pid), f"ipc://{folder}/{target}")


def find(name: str) -> list[Entry]:
    """Return the live tables called `name`, the local socket's first."""
    return sorted(
        (entry for entry in entries(name) if entry.name == name),
        key=lambda entry: socket_path(entry.endpoint) is None,
    )


def _file_name(endpoint: str) -> str:
    return "".join(c if c.isalnum() or c in ".-[]:" else "_" for c in endpoint.split("://", 1)[-1])


def _record_of(file: str | Path) -> dict[str, Any] | None:
    try:
        with open(file, "rb") as opened:
            record = json.loads(opened.read(4096))
    except (OSError, ValueError):
        return None  # just being written, or just removed
    return record if isinstance(record, dict) else None


def _read(file: str | Path) -> Entry | None:
    return _entry(_record_of(file))


def _entry(record: dict[str, Any] | None) -> Entry | None:
    if record is None:
        return None
    name, endpoint, pid = record.get("name"), record.get("endpoint"), record.get("pid")
    if isinstance(name, str) and isinstance(endpoint, str) and type(pid) is int:
        return Entry(name[:MAX_NAME], endpoint, pid)
    return None


def _holder(file: str, known: dict[str, bool]) -> Entry | None:
    """Return the table whose name a file holds, None if there is none, or its process is dead.

    Args:
        file: The name's file.
        known: Which processes live, as far as it was found out already.
    """
    record = _record_of(file)
    entry = _entry(record)
    if record is None:
        return None
    process = record.get("process")
    if not isinstance(process, str):  # written by an older livetable
        return entry if entry is not None and _answers(entry) else None
    if os.path.basename(process) != process or not process:
        return None
    if not _lives_by(os.path.join(os.path.dirname(file), process), known):
        return None
    if entry is None and type(record.get("pid")) is int and record.get("endpoint") is None:
        return Entry(str(record.get("name"))[:MAX_NAME], "", record["pid"])  # about to be told
    if entry is not None and socket_path(entry.endpoint) is not None:
        shared = process.removesuffix(".process") + ".sock"
        return dataclasses.replace(
            entry, process=f"ipc://{os.path.join(os.path.dirname(file), shared)}"
        )
    return entry


def _is_own(file: str) -> bool:
    return any(home.file == file and home.pid == os.getpid() for home in list(_homes.values()))


def _lives_by(file: str, known: dict[str, bool]) -> bool:
    """Tell whether a process lives, by the lock on its file."""
    if file not in known:
        # Never open one's own: to close it lets go of the lock.
        known[file] = _is_own(file) or _is_locked(file)
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


def _answers(entry: Entry) -> bool:
    try:
        os.kill(entry.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # the number now belongs to another user's process
    path = socket_path(entry.endpoint)
    if path is None or crowded(entry.pid) is not None:
        return True  # one that is crowded would die of being asked
    with original("socket", "socket")(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(path)
        except OSError as error:
            return error.errno == errno.EAGAIN  # it lives, but does not answer
    return True
