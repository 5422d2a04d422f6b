"""What a path says of a table. Light: the viewer asks at each start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from livetable.feed.sources.source_table import FILE, suffix_of

_PACKED: Final = {".gz": "gzip", ".zst": "zstd"}

LINE_FORMS: Final = ("csv", "tsv", "jsonl")
"""Formats with a row per line."""


def form_of(path: str) -> tuple[str | None, str | None]:
    """Return a file's form and how it is packed, by its name's end; None for what is unknown."""
    packed = _PACKED.get(suffix_of(path))
    name = path if packed is None else path.rpartition(".")[0]
    return FILE.suffixes.get(suffix_of(name)), packed


def path_of(text: str) -> Path:
    """Return the path that a person wrote: ``~/x`` is in their own folder.

    Not by Path's `expanduser`: that drops the ``./`` of ``./~.csv`` first, and raises for nobody's.
    """
    return Path(os.path.expanduser(text))


def is_folder(source: str) -> bool:
    """Tell whether a source is a folder of files, or a pattern for some: ``logs/``, ``*.csv``."""
    at_path = "/" in source or source in (".", "..") or "\\" in source
    path = path_of(source)
    if any(sign in source for sign in "*?["):  # a table's name may have these, and a file's, too
        return (at_path or form_of(source)[0] is not None) and not path.is_file()
    return at_path and path.is_dir()
