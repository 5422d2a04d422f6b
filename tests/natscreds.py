"""A NATS server's operator, accounts and a user with a credentials file, for tests."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]

_ALL = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1}


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Key:
    def __init__(self, prefix: int) -> None:
        self.seed = bytes(nkeys.encode_seed(os.urandom(32), prefix))
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public = bytes(self._pair.public_key).decode()

    def says(self, of: str, name: str, claims: dict[str, Any]) -> str:
        """Return a signed statement about a key."""
        about = {"iat": 1, "iss": self.public, "name": name, "sub": of, "nats": claims}
        about["jti"] = hashlib.sha256(json.dumps(about).encode()).hexdigest()
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        said = ".".join(_text(json.dumps(one).encode()) for one in (head, about))
        return f"{said}.{_text(bytes(self._pair.sign(said.encode())))}"


def credentials(folder: Path) -> tuple[Path, Path, str]:
    """Return the server's configuration, the user's credentials file, and the seed in it."""
    operator, system = _Key(nkeys.PREFIX_BYTE_OPERATOR), _Key(nkeys.PREFIX_BYTE_ACCOUNT)
    account, user = _Key(nkeys.PREFIX_BYTE_ACCOUNT), _Key(nkeys.PREFIX_BYTE_USER)
    stores = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    top = operator.says(
        operator.public, "O",
        {"type": "operator", "version": 2, "system_account": system.public},
    )  # fmt: skip
    accounts = {
        one.public: operator.says(
            one.public, name, {"type": "account", "version": 2, "limits": limits}
        )
        for one, name, limits in ((system, "SYS", _ALL), (account, "A", _ALL | stores))
    }
    folder.mkdir(parents=True, exist_ok=True)
    server = folder / "server.conf"
    preload = "\n".join(f"  {public}: {said}" for public, said in accounts.items())
    server.write_text(
        f"operator: {top}\nsystem_account: {system.public}\nresolver: MEMORY\n"
        f"resolver_preload: {{\n{preload}\n}}\n"
    )
    limits = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}
    lets_in = account.says(user.public, "ann", limits)
    file = folder / "ann.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{lets_in}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    return server, file, user.seed.decode()
