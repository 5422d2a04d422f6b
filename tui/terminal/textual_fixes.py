"""Mends what Textual never lets go of, or late."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from rich.segment import Segment
from textual._styles_cache import StylesCache
from textual.strip import Strip

_BY_COLOURS: Final = "get_inner_outer"

_LARGE: Final = ((Strip, "render_ansi"), (Segment, "_split_cells"))
"""What is remembered of 16,384 styles and texts: with what changes all the time, 30 MB in hours."""

_ENOUGH: Final = 1024


def mend() -> None:
    """Have Textual forget the lines of widgets that are gone. A second call does nothing.

    It remembers two styles by the colours *and* by the widget's cache of painted lines, for the
    last 1,024 such caches: each column panel that was ever shown stays with all its lines, half a
    megabyte. By the class instead of the instance it holds colours alone.
    """
    found = vars(StylesCache).get(_BY_COLOURS)
    if found is not None and hasattr(found, "cache_info"):
        setattr(StylesCache, _BY_COLOURS, classmethod(found))
    for owner, name in _LARGE:
        _shrink(owner, name)


def _shrink(owner: type, name: str) -> None:
    """Have a class method remember fewer of its answers, if it is one that remembers them."""
    method: Any = vars(owner).get(name)
    cached: Any = getattr(method, "__func__", None)
    if isinstance(method, classmethod) and hasattr(cached, "cache_parameters"):
        most = cached.cache_parameters()["maxsize"]
        if most is None or most > _ENOUGH:
            fewer: Any = lru_cache(_ENOUGH)(cached.__wrapped__)
            setattr(owner, name, classmethod(fewer))
