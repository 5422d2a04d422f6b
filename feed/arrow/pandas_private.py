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


def is_copy_on_write(pandas: Any) -> bool:
    """Tell whether a write to one frame leaves all others as they are: from pandas 3 on always.

    Before, it is a mode that the program sets (``mode.copy_on_write``), at any time.
    """
    if not pandas.__version__.startswith("2."):
        return True
    return pandas.get_option("mode.copy_on_write") is True


def is_arrows(values: Any) -> bool:
    """Tell whether a column's values are an Arrow array."""
    return hasattr(values, "_pa_array")


def arrow_of(values: Any) -> Any:
    """Return the Arrow array that holds a column's values."""
    return values._pa_array


def indexes_that_share(index: pd.Index[Any]) -> Iterable[Any]:
    """Return the indexes that share an index's array, as far as pandas tracks them."""
    references = index._references  # type: ignore[attr-defined]
    # None in pandas 2 without copy-on-write, which knows of no other.
    for reference in () if references is None else references.referenced_blocks:
        if (other := reference()) is not None:
            yield other


def finds_labels(index: Any) -> bool:
    """Tell whether an index has built its lookup engine, which keeps a reference to its array."""
    return "_engine" in index._cache
