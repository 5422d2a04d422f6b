"""Every use of pandas' private attributes, in one place to check when pandas changes.

The public API makes a Series of each column, which costs more than encoding a small frame, and does
not tell who else holds a column's memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def manager_of(frame: pd.DataFrame) -> Any:
    """Return a frame's block manager.

    Raises:
        AttributeError: this version of pandas has none.
    """
    return frame._mgr


def is_arrows(values: Any) -> bool:
    """Tell whether a column's values are an Arrow array."""
    return hasattr(values, "_pa_array")


def arrow_of(values: Any) -> Any:
    """Return the Arrow array that holds a column's values."""
    return values._pa_array


def indexes_that_share(index: pd.Index[Any]) -> Iterable[Any]:
    """Return the indexes that share an index's array, as far as pandas tracks them."""
    for reference in index._references.referenced_blocks:  # type: ignore[attr-defined]
        if (other := reference()) is not None:
            yield other


def finds_labels(index: Any) -> bool:
    """Tell whether an index has built its lookup engine, which keeps a reference to its array."""
    return "_engine" in index._cache
