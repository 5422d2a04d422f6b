"""What a person set for all tables: theme, keys, history; read from a TOML file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from livetable.feed.curve.keys import config_folder
from livetable.feed.errors import LivetableError
from livetable.tui.model.budget import HistorySize, history_size

_LONGEST: Final = 200  # of a name: a folder takes no entries beyond 255 bytes


class BadFile(LivetableError):
    """A file of the person's that can't be used. It is left as it is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person set.

    Attributes:
        theme: A theme's name, None for the usual one.
        history: What the history may take, None for the usual.
        keys: Keys by the names of what they do.
    """

    theme: str | None = None
    history: HistorySize | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


def folder() -> Path:
    """Return the folder of the person's files."""
    return config_folder()


def view_path(table: str, origin: str | None = None) -> Path:
    """Return the file that a table's view is remembered in.

    Args:
        table: The table's name.
        origin: What it is made of, where that and not the name tells it apart from others: two
            files `results.csv` in two folders are two tables.
    """
    name = quote(table, safe="")
    if origin is not None or len(name) > _LONGEST:
        whole = (origin if origin is not None else table).encode("utf-8", "surrogateescape")
        # No table's name has an @ once it is quoted: a file never gets the view of a table.
        name = f"{name[:_LONGEST]}@{hashlib.sha256(whole).hexdigest()[:16]}"
    return folder() / "views" / f"{name}.toml"


def read_toml(path: Path) -> dict[str, Any]:
    """Return what stands in a file; nothing if there is none.

    Raises:
        BadFile: it can't be read.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"Can't read {path}: {error}") from None
    import tomllib  # late: most people have no such file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{path} is not valid TOML: {error}") from None


def read_settings() -> Settings:
    """Return what the person set.

    Raises:
        BadFile: the file can't be used; it says why.
    """
    path = folder() / "config.toml"
    entries = read_toml(path)
    if unknown := set(entries) - {"theme", "history", "keys"}:
        known = "theme, history or [keys]"
        raise BadFile(f"{path}: unknown setting {sorted(unknown)[0]!r}. Use {known}")
    theme, history, keys = entries.get("theme"), entries.get("history"), entries.get("keys", {})
    if not isinstance(theme, str | None):
        raise BadFile(f"{path}: theme must be a string")
    try:
        size = None if history is None else history_size(str(history))
    except ValueError:
        says = "history must be a number of megabytes, or '64/table' for each table"
        raise BadFile(f"{path}: {says}") from None
    if not isinstance(keys, dict):
        raise BadFile(f"{path}: keys must be a table, [keys]")
    return Settings(theme, size, keys)
