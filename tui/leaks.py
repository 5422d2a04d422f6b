"""Mends what Textual never lets go of."""

from __future__ import annotations

from textual._styles_cache import StylesCache

_NAME = "get_inner_outer"


def mend() -> None:
    """Have Textual forget the lines of widgets that are gone. A second call does nothing.

    It remembers two styles by the colours *and* by the widget's cache of painted lines, for the
    last 1,024 such caches: each column panel that was ever shown stays with all its lines, half a
    megabyte. By the class instead of the instance it holds colours alone.
    """
    found = vars(StylesCache).get(_NAME)
    if found is not None and hasattr(found, "cache_info"):
        setattr(StylesCache, _NAME, classmethod(found))
