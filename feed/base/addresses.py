"""Addresses of brokers: read once, and shown without what lets one in.

Whatever a person, a log, a tape or the list of processes gets to see of an address went through
`shown`, and of a text that others wrote through `without_secrets`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode

from livetable.feed.errors import BadEndpoint

BROKERS: Final = {
    "nats": ("nats", "nats"),
    "tls": ("nats", "nats"),
    "redis": ("redis", "redis"),
    "rediss": ("redis", "redis"),
}
"""By the scheme of a broker's address: the module that knows it, and the extra that brings it."""

HIDDEN: Final = "***"
"""Stands in place of a secret."""

_HOST: Final = r"(?:[\w.~*-]+|\[[\w.:%]+\])(?::\d{1,5})?"
_SERVER: Final = re.compile(rf"(?:[^@\s]*@)?{_HOST}")
_PLACEHOLDER: Final = r"(?:host:port|HOST:PORT)"
_ADDRESS: Final = re.compile(
    # Up to a blank or a quote; beyond that to the last @ where no server is found before it: the
    # password has a blank or a quote in it.
    rf"""\b(?!ipc:)[A-Za-z][A-Za-z0-9+.-]*://
    (?:(?!(?:{_HOST}|{_PLACEHOLDER})(?![\w@%:]))(?![^\s'"<>]*@)[^\s/@]*:(?:(?!\w://)[^\n])*@)?
    [^\s'"<>]*""",
    re.VERBOSE,
)
_NO_PORT: Final = r"^([^:\[]*):(?!(?:\d{1,5}|port|PORT|\*)$).+"
_LOGIN: Final = re.compile(
    r"(?<![\w.%+/:-])((?:(?:\w+:)?/{0,2})[\w.%+-]*:)[^\s'\"@:/]+@(?=[\w\[*])"
)
_PAIR: Final = re.compile(
    r"((?:password|passwd|pass|pwd|secret|token|api[-_]?key)=)[^\s&'\",;#]+", re.IGNORECASE
)
_BEARER: Final = re.compile(
    r"(\bauthorization:\s*(?:(?:basic|bearer|token)\s+)?|\bbearer\s+)"
    r"(?!(?:basic|bearer|token)\b)[^\s'\"]{6,}",
    re.IGNORECASE,
)
_TAKES_SECRET: Final = re.compile(
    r"--?(?:\w+-)*(?:password|passwd|pass|pwd|secret|token|api-?key)", re.IGNORECASE
)
_TAKES_LOGIN: Final = frozenset({"-u", "--user", "-U", "--proxy-user"})
_PLAIN: Final = frozenset(
    {"creds", "db", "password_file", "protocol", "replicas", "ssl_ca_certs", "ssl_cert_reqs"}
)
"""Parts of a query that are nobody's secret. Of any other only the name is shown."""


def scheme_of(endpoint: str) -> str | None:
    """Return the scheme of a broker's endpoint, None for any other endpoint."""
    scheme, found, _ = endpoint.partition("://")
    return scheme if found and scheme in BROKERS else None


def shown(address: str) -> str:
    """Return an address as it may be seen: ``nats://ann:***@host``.

    All that stands before the last ``@`` is hidden, but for a user's plain name: where a password
    with a slash or a hash in it is not percent-encoded, nobody can tell where it ends.
    """
    scheme, found, rest = address.partition("://")
    if not found:  # a slip of the pen leaves the slashes out, and not the password
        login, mark, host = address.rpartition("@")
        return f"{_shown_login(login)}{host}" if mark and ":" in login else address
    if scheme == "ipc":
        return address
    end = next((place for place, sign in enumerate(rest) if sign in "/?#"), len(rest))
    servers, tail = rest[:end].split(","), rest[end:]
    if "@" in tail or not all(map(_SERVER.fullmatch, servers)):
        login, mark, host = rest.rpartition("@")
        if not mark and scheme != "tcp":  # the server is missing: this is user and password
            hidden = [
                re.sub(_NO_PORT, rf"\1:{HIDDEN}", server, flags=re.DOTALL) for server in servers
            ]
            return f"{scheme}://{','.join(hidden)}{_shown_tail(tail)}"
        cut = next((place for place, sign in enumerate(host) if sign in "?#"), len(host))
        return (
            f"{scheme}://{_shown_login(login) if mark else ''}{host[:cut]}{_shown_tail(host[cut:])}"
        )
    parts = [server.rpartition("@") for server in servers]
    logins = [_shown_login(login) if mark else "" for login, mark, _ in parts]
    hosts = [f"{login}{host}" for login, (_, _, host) in zip(logins, parts, strict=True)]
    return f"{scheme}://{','.join(hosts)}{_shown_tail(tail)}"


def without_secrets(text: str) -> str:
    """Return a text with each address, and whatever else is told by its form, as it may be seen."""

    def seen(found: re.Match[str]) -> str:
        address = found[0].rstrip(":;,.)")  # the sentence's own
        return shown(address) + found[0][len(address) :]

    if "://" in text:
        text = _ADDRESS.sub(seen, text)
    if "@" in text:
        text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    return _BEARER.sub(rf"\1{HIDDEN}", _PAIR.sub(rf"\1{HIDDEN}", text))


def shown_command(words: Sequence[str]) -> list[str]:
    """Return a command as it may be seen: ``curl -u ann:*** https://host``."""
    seen: list[str] = []
    before = ""
    for word in words:
        if _TAKES_SECRET.fullmatch(before) and not word.startswith("-"):
            seen.append(HIDDEN)
        elif before in _TAKES_LOGIN and ":" in word:
            seen.append(f"{word.partition(':')[0]}:{HIDDEN}")
        else:
            seen.append(without_secrets(word))
        before = word
    return seen


def _shown_login(login: str) -> str:
    user, found, _ = login.partition(":")
    plain = found and re.fullmatch(r"[\w.%+-]*", user)
    return f"{user}:{HIDDEN}@" if plain else f"{HIDDEN}@"  # alone it may be a token


def _shown_tail(tail: str) -> str:
    tail = _PAIR.sub(rf"\1{HIDDEN}", tail)
    before, found, query = tail.partition("?")
    if not found:
        return tail
    query, hash_mark, table = query.partition("#")
    pairs = [one.partition("=") for one in query.split("&")]
    kept = [
        f"{name}={value if name in _PLAIN else HIDDEN}" if equals else (name and HIDDEN)
        for name, equals, value in pairs
    ]
    return f"{before}?{'&'.join(kept)}{hash_mark}{table}"


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's address, taken apart.

    Attributes:
        scheme: ``nats``.
        servers: ``host:port`` of each.
        user: Who one is, None if that is not said. Where there is no password, it may be a token.
        password: The user's.
        path: What follows the servers, with its slash.
        query: What follows that, by name.
    """

    scheme: str
    servers: tuple[str, ...]
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    def url(self, server: str, *, without: frozenset[str] = frozenset()) -> str:
        """Return one server's address without user and password, and without parts of the query."""
        query = urlencode(
            {name: value for name, value in self.query.items() if name not in without}
        )
        return f"{self.scheme}://{server}{self.path}{'?' if query else ''}{query}"


def read_address(address: str) -> Address:
    """Take a broker's address apart.

    Raises:
        BadEndpoint: it can't be one. The sentence shows nothing that may be a password's part.
    """
    scheme, _, rest = address.partition("://")
    before, _, query = rest.partition("?")
    servers, slash, path = before.partition("/")
    login: set[str] = set()
    hosts = []
    for server in servers.split(","):
        given, at, host = server.removeprefix(f"{scheme}://").rpartition("@")
        if at:
            login.add(given)
        hosts.append(host)
    # A path is the number of Redis' database: any other is the rest of a password.
    broken = "@" in query or "#" in rest or len(login) > 1 or (path and not path.isdigit())
    if broken or not all(re.fullmatch(_HOST, host) and _port_of(host) for host in hosts):
        raise BadEndpoint(
            f"can't read the {scheme}:// address: write {scheme}://user:password@host:port, and "
            "in a password %40 for @, %2F for /, %3A for :, %23 for #, %3F for ?, %2C for a comma"
        )
    user, colon, password = next(iter(login), "").partition(":")
    return Address(
        scheme,
        tuple(hosts),
        unquote(user) or None,
        unquote(password) if colon else None,
        slash + path,
        dict(parse_qsl(query, keep_blank_values=True)),
    )


def _port_of(server: str) -> bool:
    """Tell whether a server has a port that there can be, or none."""
    found = re.search(r":(\d+)$", server)
    return found is None or int(found[1]) <= 65_535


def secret_from(
    address: Address, names: tuple[str, ...], files: tuple[str, ...] = ()
) -> str | None:
    """Return a password that is not in an address, None if there is none.

    Args:
        address: The address; ``?password_file=FILE`` names a file.
        names: Variables of the environment that may hold one.
        files: Variables of the environment that may name a file.

    Raises:
        BadEndpoint: the file can't be read.
    """
    file = address.query.get("password_file")
    if file is None:
        if word := next(filter(None, map(os.environ.get, names)), None):
            return word
        file = next(filter(None, map(os.environ.get, files)), None)
    return None if file is None else read_file(file, lambda path: path.read_text().strip())


def read_file(name: str, read: Callable[[Path], str]) -> str:
    """Return what is in a file that an address, or the environment, names.

    Raises:
        BadEndpoint: it can't be read.
    """
    path = Path(name).expanduser()
    try:
        return read(path)
    except OSError as error:
        raise BadEndpoint(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadEndpoint(f"{path} is not a text file: put the password into it as text") from None


def scrubbed(text: str, *secrets: str | None) -> str:
    """Return what a library says without the secrets that it was given."""
    for secret in sorted(filter(None, secrets), key=lambda one: -len(one or "")):
        text = text.replace(secret or "", HIDDEN)
    return without_secrets(text)
