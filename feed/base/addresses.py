"""Addresses of brokers: parse them, and show them without credentials.

Every address that reaches a screen, a log, a tape or the process list goes through `shown`, every
text that others wrote through `without_secrets`.
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
"""By the scheme of a broker's address: its module, and the extra that installs what it needs."""

HIDDEN: Final = "***"
"""Replaces a secret."""

_HOST: Final = r"(?:[\w.~*-]+|\[[\w.:%]+\])(?::\d{1,5})?"
_SERVER: Final = re.compile(rf"(?:[^@\s]*@)?{_HOST}")
_PLACEHOLDER: Final = r"(?:host:port|HOST:PORT)"
_ADDRESS: Final = re.compile(
    # Ends at whitespace or a quote. If no server was seen until there, it goes on to the last @:
    # then the password contains the whitespace or the quote.
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
"""Query parameters whose values may be shown. Of all others only the name is shown."""


def scheme_of(endpoint: str) -> str | None:
    """Return the scheme of a broker's endpoint, None for any other endpoint."""
    scheme, found, _ = endpoint.partition("://")
    return scheme if found and scheme in BROKERS else None


def shown(address: str) -> str:
    """Return an address without its secrets: ``nats://ann:***@host``.

    Everything before the last ``@`` is hidden except a plain user name: a password with a slash or
    a hash that is not percent-encoded could end anywhere.
    """
    scheme, found, rest = address.partition("://")
    if not found:  # a typo in the scheme must not show the password
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
    """Return a text without the secrets in its addresses, key=value pairs and bearer tokens."""

    def seen(found: re.Match[str]) -> str:
        address = found[0].rstrip(":;,.)")  # punctuation of the sentence
        return shown(address) + found[0][len(address) :]

    if "://" in text:
        text = _ADDRESS.sub(seen, text)
    if "@" in text:
        text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    return _BEARER.sub(rf"\1{HIDDEN}", _PAIR.sub(rf"\1{HIDDEN}", text))


def shown_command(words: Sequence[str]) -> list[str]:
    """Return a command without its secrets: ``curl -u ann:*** https://host``."""
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
    return f"{user}:{HIDDEN}@" if plain else f"{HIDDEN}@"  # a lone user may be a token


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
    """A broker's address in parts.

    Attributes:
        scheme: ``nats``.
        servers: ``host:port`` of each.
        user: The user, None if there is none. Without a password it may be a token.
        password: The user's.
        path: The path, with its slash.
        query: The query parameters.
    """

    scheme: str
    servers: tuple[str, ...]
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)

    def url(self, server: str, *, without: frozenset[str] = frozenset()) -> str:
        """Return one server's address without user, password and some query parameters."""
        query = urlencode(
            {name: value for name, value in self.query.items() if name not in without}
        )
        return f"{self.scheme}://{server}{self.path}{'?' if query else ''}{query}"


def read_address(address: str) -> Address:
    """Parse a broker's address.

    Raises:
        BadEndpoint: it is not an address. The sentence shows nothing that may be a secret.
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
    # A path can only be a Redis database number: anything else is the rest of a password.
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
    """Tell whether a server has a valid port, or none."""
    found = re.search(r":(\d+)$", server)
    return found is None or int(found[1]) <= 65_535


def secret_from(
    address: Address, names: tuple[str, ...], files: tuple[str, ...] = ()
) -> str | None:
    """Return the password from a file or the environment, None if there is none.

    Args:
        address: The address; ``?password_file=FILE`` names a file.
        names: Environment variables that may hold the password.
        files: Environment variables that may name a file with it.

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
    """Read a file that an address or the environment names.

    Raises:
        BadEndpoint: it can't be read.
    """
    path = Path(name).expanduser()
    try:
        return read(path)
    except OSError as error:
        raise BadEndpoint(f"can't read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadEndpoint(f"{path} is not a text file: put the password into it as text") from None


def scrubbed(text: str, *secrets: str | None) -> str:
    """Return a library's message without the secrets that it was given."""
    for secret in sorted(filter(None, secrets), key=lambda one: -len(one or "")):
        text = text.replace(secret or "", HIDDEN)
    return without_secrets(text)
