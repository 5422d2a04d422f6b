"""CURVE keys in files like those of SSH: key, key.pub, authorized_viewers, known_feeds.

They are in the folder of the user's settings, one key per line: ``curve25519 BASE64 comment``. The
secret key is refused if other users can read it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livetable.feed.errors import BadEndpoint, BadKey

KIND: Final = "curve25519"
_SECRET_KIND: Final = "curve25519-secret"
_MAX_FILE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key and its secret half, 32 bytes each."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair({key_text(self.public)!r})"  # never the secret one


def config_folder() -> Path:
    """Return the folder of the user's settings, views and keys."""
    base = os.path.expanduser(os.environ.get("XDG_CONFIG_HOME") or "~/.config")
    # a user without a home directory, e.g. in a container, has no such files
    if base.startswith("~"):
        base = "/nonexistent"
    return Path(base) / "livetable"


def key_text(key: bytes) -> str:
    """Return a public key as text, as it stands in the files."""
    return f"{KIND} {base64.b64encode(key).decode()}"


def read_key(text: str) -> bytes:
    """Return the 32 bytes of a public key, with or without its kind.

    Raises:
        BadKey: it is not a key.
    """
    words = text.split()
    if words[:1] == [KIND]:
        words = words[1:]
    key = _decoded(words[0]) if words else None
    if key is None:
        raise BadKey(f"{text[:80]!r} is not a key: write curve25519 and its 44 characters")
    return key


def new_pair() -> KeyPair:
    """Return a new key."""
    import zmq
    from zmq.utils import z85

    public, secret = zmq.curve_keypair()
    return KeyPair(z85.decode(public), z85.decode(secret))


def keygen() -> Path:
    """Create this user's key; return the file with its public half.

    Raises:
        BadKey: there is one already, or it can't be written.
    """
    folder = config_folder()
    pair = new_pair()
    comment = f"{_user()}@{socket.gethostname()}"
    secret, public = folder / "key", folder / "key.pub"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with os.fdopen(os.open(secret, flags, 0o600), "w") as file:
            halves = base64.b64encode(pair.secret), base64.b64encode(pair.public)
            file.write(f"{_SECRET_KIND} {halves[0].decode()} {halves[1].decode()}\n")
        public.write_text(f"{key_text(pair.public)} {comment}\n")
    except FileExistsError:
        raise BadKey(
            f"{secret} already exists, and feeds know you by it: move it away first to make a "
            "new key"
        ) from None
    except OSError as error:
        raise BadKey(f"can't create {secret}: {error.strerror}") from None
    return public


def own_pair() -> KeyPair | None:
    """Return this user's key, None if there is none.

    Raises:
        BadKey: others could read or change it, or it is damaged.
    """
    path = config_folder() / "key"
    text = _read(path, 0o077, "chmod 600")
    if text is None:
        return None
    words = text.split()
    halves = [_decoded(word) for word in words[1:3]]
    if words[:1] != [_SECRET_KIND] or len(halves) != 2 or halves[0] is None or halves[1] is None:
        raise BadKey(
            f"{path} is not a key made by livetable-feed keygen: move it away and make a new one"
        )
    return KeyPair(halves[1], halves[0])


def authorized_viewers() -> frozenset[bytes]:
    """Return the keys in authorized_viewers; lines that are not keys are skipped.

    Raises:
        BadKey: other users can write the file.
    """
    text = _read(config_folder() / "authorized_viewers", 0o022, "chmod go-w") or ""
    keys = set()
    for line in _lines(text):
        with contextlib.suppress(BadKey):
            keys.add(read_key(line))
    return frozenset(keys)


def known_feed(endpoint: str) -> bytes | None:
    """Return the key of the feed at an endpoint from known_feeds, None if it is not there.

    Raises:
        BadKey: other users can write the file.
    """
    text = _read(config_folder() / "known_feeds", 0o022, "chmod go-w") or ""
    for line in _lines(text):
        where, *key = line.split(None, 1)
        if key and address_of(where) == address_of(endpoint):
            return read_key(key[0])
    return None


def check_plain(endpoint: str) -> None:
    """Refuse to read an endpoint without keys if known_feeds has a key for it.

    Raises:
        BadKey: it has, or the file can't be used.
    """
    if endpoint.startswith("tcp://") and known_feed(endpoint) is not None:
        raise BadKey(
            f"WARNING: {endpoint} HAS A KEY in known_feeds, but what answers there does not prove "
            "it: nothing was read. If you know why, remove its line from "
            f"{config_folder() / 'known_feeds'}"
        )


def trust(endpoint: str, key: bytes) -> None:
    """Add a feed's key to known_feeds.

    Raises:
        BadKey: another key is there, or the file can't be written.
    """
    path = config_folder() / "known_feeds"
    known = known_feed(endpoint)
    if known == key:
        return
    if known is not None:
        raise BadKey(changed(endpoint, known, key))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        with os.fdopen(os.open(path, flags, 0o600), "a") as file:
            file.write(f"{address_of(endpoint)} {key_text(key)}\n")
    except OSError as error:
        raise BadKey(f"can't write {path}: {error.strerror}") from None


def changed(endpoint: str, known: bytes, now: bytes | None) -> str:
    """Return the warning that a feed does not have the key in known_feeds."""
    shows = "does not prove that it has its key" if now is None else f"now shows {key_text(now)}"
    return (
        f"WARNING: THE KEY OF {endpoint} HAS CHANGED, or somebody else answers there: it was "
        f"{key_text(known)}, it {shows}. If you know why, remove its line from "
        f"{config_folder() / 'known_feeds'}"
    )


def how_to_trust(endpoint: str) -> str:
    """Return how to trust a feed whose key is not in known_feeds yet."""
    return (
        f"run livetable {endpoint} again to be asked, or run "
        f"livetable --feed-key KEY {endpoint} (livetable-feed key prints KEY there)"
    )


def address_of(endpoint: str) -> str:
    """Return an endpoint as it stands in known_feeds: ``host:port``."""
    return endpoint.removeprefix("tcp://").lower()


def pair_for(endpoint: str, secure: bool | None) -> KeyPair | None:
    """Return the key that a feed uses at an endpoint, None if it uses none.

    Args:
        endpoint: Where it will be bound.
        secure: Whether to use keys; None: where other machines can connect.

    Raises:
        BadEndpoint: a key is needed, and this user has none.
        BadKey: this user's key can't be used.
    """
    if not endpoint.startswith("tcp://") or secure is False:
        return None  # only this user can connect to a local socket
    if secure is None and is_loopback(endpoint):
        return None
    pair = own_pair()
    if pair is None:
        why = "asks for keys" if secure else "can be reached by other machines"
        raise BadEndpoint(
            f"{endpoint} {why}: make a key with `livetable-feed keygen`, or let anybody read it "
            "with --insecure (in Python: secure=False)"
        )
    return pair


def is_loopback(endpoint: str) -> bool:
    """Tell whether only this machine can connect to a ``tcp://`` endpoint that is bound."""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]").lower()
    host = host.removeprefix("::ffff:")
    numbers = host.split(".")
    if len(numbers) == 4 and all(number.isdigit() for number in numbers):
        return numbers[0] == "127"
    return host in ("localhost", "::1", "lo")


def _decoded(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None


def _lines(text: str) -> list[str]:
    """Return lines without blank ones and comments; split at \\n only, as editors do."""
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _read(path: Path, refused: int, mend: str) -> str | None:
    """Return a file's text, None if it is missing; only its user and root may write to it."""
    try:
        folder = path.parent.stat()  # whoever can write to it could replace the file by a link
        if os.name == "posix" and (
            folder.st_mode & 0o022 or folder.st_uid not in (os.geteuid(), 0)
        ):
            raise BadKey(f"{path.parent} is open to other users: close it with chmod go-w")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadKey(f"{path} is not a file: move it away")
            if hasattr(os, "geteuid") and status.st_uid not in (os.geteuid(), 0):
                raise BadKey(f"{path} belongs to user {status.st_uid}: livetable does not use it")
            if os.name == "posix" and status.st_mode & refused:
                raise BadKey(f"{path} is open to other users: close it with {mend} {path}")
            return file.read(_MAX_FILE).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadKey(f"can't read {path}: {error.strerror}") from None


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
