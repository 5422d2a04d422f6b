"""References of our own to a caller's arrays, counted so that they are not taken for the caller's.

`send` uses this each time: it must not import Arrow.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np


def numpys_memory(values: Any) -> np.ndarray[Any, Any] | None:
    """Return the NumPy array that holds a block's values, None for other types.

    pandas wraps NumPy's times without a zone in an array of its own.
    """
    import numpy as np

    if isinstance(values, np.ndarray):
        return values
    memory = getattr(values, "_ndarray", None)
    is_numpys = isinstance(memory, np.ndarray) and isinstance(values.dtype, np.dtype)
    return memory if is_numpys else None


def lent_values(values: Any) -> Any:
    """Return a block's values through `lent` if they are a NumPy array, else as they are."""
    memory = numpys_memory(values)
    return values if memory is None else lent(memory)


_lent: dict[int, list[weakref.ref[Any]]] = {}


def lent(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array over the same memory that holds exactly one reference to its owner.

    Arrays made from it add no further references. So `lent_of` knows how many references are
    ours, and `frames.capture` whether the caller holds one. Without this, a table was copied
    again while it was being encoded: our references were taken for the caller's.
    """
    import numpy as np

    # Through a memoryview: an array over an array refers to the owner directly, once more for each.
    # A memoryview can't hold times, so those go as 64-bit integers.
    is_time = values.dtype.kind in "mM"
    view = values.view("i8") if is_time else values.view()
    owner = values
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    key = id(owner)
    _lent[key] = [reference for reference in _lent.get(key, ()) if reference() is not None] + [
        weakref.ref(view)
    ]
    if len(_lent) > _MOST_LENT:
        for other in [other for other, views in list(_lent.items()) if not _alive(views)]:
            _lent.pop(other, None)
    array: np.ndarray[Any, Any] = np.asarray(memoryview(view))
    return array.view(values.dtype) if is_time else array


def lent_of(owner: np.ndarray[Any, Any]) -> int:
    """Return how many references to an array `lent` holds."""
    return _alive(_lent.get(id(owner), ()))


def _alive(views: Sequence[weakref.ref[Any]]) -> int:
    return sum(1 for one in views if one() is not None)


_MOST_LENT: Final = 256
