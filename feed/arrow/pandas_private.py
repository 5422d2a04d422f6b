"""All of pandas that is not its public API and is leant on here: another pandas is looked up here.

Its public ways make a Series of each column, which costs more than a small frame's encoding, and do
not tell who else holds a column's memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def manager_of(frame: pd.DataFrame) -> Any:
    """Return what holds a frame's blocks.

    Raises:
        AttributeError: this pandas has none.
    """
    return frame._mgr


def is_arrows(values: Any) -> bool:
    """Tell whether a column's values are Arrow's."""
    return hasattr(values, "_pa_array")


def arrow_of(values: Any) -> Any:
    """Return the Arrow array of a column whose values are Arrow's."""
    return values._pa_array


def indexes_that_share(index: pd.Index[Any]) -> Iterable[Any]:
    """Return the indexes that share an index's array, as far as pandas knows of them."""
    for reference in index._references.referenced_blocks:  # type: ignore[attr-defined]
        if (other := reference()) is not None:
            yield other


def finds_labels(index: Any) -> bool:
    """Tell whether an index has made what finds its labels, which holds on to its array."""
    return "_engine" in index._cache
