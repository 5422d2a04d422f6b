"""Fixes memory that Textual never frees, or frees late."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.strip import Strip

_BY_COLOURS: Final = "get_inner_outer"

_LARGE: Final = ((Strip, "render_ansi"), (Segment, "_split_cells"))
"""Caches of 16,384 entries: with texts that keep changing, they grow to 30 MB within hours."""

_ENOUGH: Final = 1024


def mend() -> None:
    """Make Textual free the lines of removed widgets. A second call does nothing.

    Textual caches two styles, keyed by colours *and* by the widget's cache of painted lines. So the
    last 1,024 such caches stay in memory: half a megabyte for each column panel ever shown. As a
    class method, the key only contains the class and the colours.
    """
    found = vars(StylesCache).get(_BY_COLOURS)
    if found is not None and hasattr(found, "cache_info"):
        setattr(StylesCache, _BY_COLOURS, classmethod(found))
    for owner, name in _LARGE:
        _shrink(owner, name)


def _shrink(owner: type, name: str) -> None:
    """Limit the cache of a class method, if it has one."""
    method: Any = vars(owner).get(name)
    cached: Any = getattr(method, "__func__", None)
    if isinstance(method, classmethod) and hasattr(cached, "cache_parameters"):
        most = cached.cache_parameters()["maxsize"]
        if most is None or most > _ENOUGH:
            fewer: Any = lru_cache(_ENOUGH)(cached.__wrapped__)
            setattr(owner, name, classmethod(fewer))
