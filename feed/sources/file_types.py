"""Which files are tables, by the end of their names. Light: the viewer asks at each start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PACKED: Final = {".gz": "gzip", ".zst": "zstd"}
_FORMS: Final = {
    ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".feather": "feather", ".arrow": "arrow",
}  # fmt: skip
ENDINGS: Final = tuple(_FORMS)
"""What the names of files end in that are tables; behind it may stand .gz or .zst."""

LINE_FORMS: Final = ("csv", "tsv", "jsonl")
"""Forms of which each line is a row."""


def form_of(path: str) -> tuple[str | None, str | None]:
    """Return a file's form and how it is packed, by its name's end; None for what is unknown."""
    name = path.lower()
    packed = next((how for end, how in _PACKED.items() if name.endswith(end)), None)
    if packed is not None:
        name = name.rpartition(".")[0]
    return _FORMS.get(f".{name.rpartition('.')[2]}" if "." in name else ""), packed


def path_of(text: str) -> Path:
    """Return the path that a person wrote: ``~/x`` is in their own folder.

    Not by Path's `expanduser`: that drops the ``./`` of ``./~.csv`` first, and raises for nobody's.
    """
    return Path(os.path.expanduser(text))


def is_folder(source: str) -> bool:
    """Tell whether a source is a folder of files, or a pattern for some: ``logs/``, ``*.csv``."""
    at_path = "/" in source or source in (".", "..") or "\\" in source
    path = path_of(source)
    if any(one in source for one in "*?["):  # a table's name may have these, and a file's, too
        return (at_path or form_of(source)[0] is not None) and not path.is_file()
    return at_path and path.is_dir()
