"""Valid names of tables."""

from __future__ import annotations

import unicodedata
from typing import Final

from livetable.feed.errors import BadName

MAX_NAME: Final = 64
"""Longest table name, in bytes of UTF-8 (it is part of a socket's path)."""


def check_name(name: object) -> str:
    """Return `name` if it is a valid table name.

    Raises:
        BadName: not a string, empty, longer than 64 bytes, with a slash, a hash, a control
            character, or with ``@ - . ~`` or a space at its start.
    """
    if not isinstance(name, str):
        raise BadName(f"a table's name must be a string, not {type(name).__name__}")
    if not name or not name.isprintable() or name != unicodedata.normalize("NFC", name):
        raise BadName(f"can't name a table {name!r:.80}: use printable characters")
    if len(name.encode()) > MAX_NAME:
        raise BadName(f"{name!r:.80} is too long for a table's name: {MAX_NAME} bytes at most")
    if name[0] in "@-.~ " or name[-1] == " " or set(name) & set("/\\#") or "://" in name:
        raise BadName(f"can't name a table {name!r}: leave out / \\ # and, at the start, @ - . ~")
    return name


def name_from(text: str, other: str) -> str:
    """Make a valid table name out of any text, e.g. a file name.

    Args:
        text: The text. ``*`` and ``[]`` are replaced, as they are patterns on the command line.
        other: The name if nothing is left of the text.
    """
    text = unicodedata.normalize("NFC", text)
    plain = "".join("+" if one in "*?[]/\\#" or not one.isprintable() else one for one in text)
    end = plain.encode()[-MAX_NAME:].decode(errors="ignore")
    return end.lstrip("@-.~ ").rstrip() or other
