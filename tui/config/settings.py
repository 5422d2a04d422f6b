"""Settings for all tables: theme, keys, history; read from a TOML file."""

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

_LONGEST: Final = 200  # characters of a file's name: file systems allow 255 bytes


class BadFile(LivetableError):
    """A settings or view file that can't be used. It is left unchanged."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings for all tables.

    Attributes:
        theme: A theme's name, None for the default.
        history: The size of the history, None for the default.
        keys: Keys by the names of their bindings.
    """

    theme: str | None = None
    history: HistorySize | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


def folder() -> Path:
    """Return the folder of the settings."""
    return config_folder()


def view_path(table: str, origin: str | None = None) -> Path:
    """Return the file of a table's remembered view.

    Args:
        table: The table's name.
        origin: What identifies the table if not its name: two files `results.csv` in two folders
            are two tables.
    """
    name = quote(table, safe="")
    if origin is not None or len(name) > _LONGEST:
        whole = (origin if origin is not None else table).encode("utf-8", "surrogateescape")
        # A quoted table's name has no @, so a file's view can't be taken for a table's.
        name = f"{name[:_LONGEST]}@{hashlib.sha256(whole).hexdigest()[:16]}"
    return folder() / "views" / f"{name}.toml"


def read_toml(path: Path) -> dict[str, Any]:
    """Return the entries of a file; none if it does not exist.

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
    """Read the settings.

    Raises:
        BadFile: the file can't be used.
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
        wrong = "history must be a number of megabytes, or '64/table' for each table"
        raise BadFile(f"{path}: {wrong}") from None
    if not isinstance(keys, dict):
        raise BadFile(f"{path}: keys must be a table, [keys]")
    return Settings(theme, size, keys)
