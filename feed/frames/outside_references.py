"""Detect references to a frame's memory that pandas' copy-on-write does not know of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from livetable.feed.arrow.borrowed import lent_of, numpys_memory
from livetable.feed.arrow.pandas_private import (
    finds_labels,
    indexes_that_share,
    is_arrows,
    manager_of,
)
from livetable.feed.base.native import sleep

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def writable_from_outside(frame: pd.DataFrame) -> bool:
    """Tell whether the caller may hold an array over a frame's NumPy memory."""
    # Look several times: the feed's thread may hold a reference for a moment.
    for pause in (0.0, 0.0002, 0.001):
        if pause:
            sleep(pause)
        if _outside_references(frame) <= _baseline():
            return False
    return True


def is_held_elsewhere(index: pd.Index[Any]) -> bool:
    """Tell whether the caller may hold the array that an index was made over (``copy=False``)."""
    import numpy as np
    import pandas as pd

    if isinstance(index, pd.RangeIndex):  # pandas 2 makes an array of it when `_data` is read
        return False

    values = getattr(index, "_data", None)  # a MultiIndex has none
    if isinstance(values, np.ndarray):
        # Expected: `values` and getrefcount's argument; plus one for each index that shares the
        # array, and one for its lookup engine.
        known = 2
        for other in indexes_that_share(index):
            if getattr(other, "_data", None) is values:
                known += 1 + finds_labels(other)
        other = None
        if (base := values.base) is None:
            return sys.getrefcount(values) > known
        del values
        return not isinstance(base, np.ndarray) or sys.getrefcount(base) > 3
    return values is not None and not is_arrows(values)


class _Counted:
    """The number of references to an array if only pandas holds it."""

    __slots__ = ("array", "expected")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.expected = 0


def _outside_references(frame: pd.DataFrame) -> int:
    """Return the largest number of references to a NumPy array of the frame that pandas lacks.

    Copy-on-write knows every frame that shares a block (`refs.referenced_blocks`), but not an array
    that the caller still holds. Such an array is a reference beyond those of the blocks, of arrays
    made from one another, and of ours (`borrowed.lent`). The number has a constant offset, which
    `_baseline` measures on frames that nobody else holds.
    """
    most = -sys.maxsize
    for block in manager_of(frame).blocks:
        if numpys_memory(block.values) is None:
            continue  # extension arrays: `_own_cells`
        counted: dict[int, _Counted] = {}
        seen: set[int] = set()
        for reference in block.refs.referenced_blocks:
            if (other := reference()) is None:
                continue
            array = numpys_memory(other.values)
            known = counted.get(id(array)) or _with_bases(array, counted)
            if known is None:
                return sys.maxsize  # not NumPy's memory: a memory map, a bytearray
            if array is other.values or id(other.values) not in seen:
                known.expected += 1  # held by the block, or by pandas' array around it
            seen.add(id(other.values))
        other = array = None
        for counts in counted.values():
            lent = -1
            # the feed's thread may drop some meanwhile
            while lent != (now := lent_of(counts.array)):
                lent = now
                most = max(most, sys.getrefcount(counts.array) - counts.expected - lent)
    return most


def _with_bases(array: Any, counted: dict[int, _Counted]) -> _Counted | None:
    """Add an array and its bases to `counted`; return None if the memory is not NumPy's own."""
    import numpy as np

    if not isinstance(array, np.ndarray):
        return None
    first = counted[id(array)] = _Counted(array)
    base: Any = array.base
    while isinstance(base, np.ndarray):
        if (known := counted.get(id(base))) is not None:
            known.expected += 1
            return first
        known = counted[id(base)] = _Counted(base)
        known.expected += 1
        array, base = base, base.base
    return None if base is not None and array.flags.writeable else first


_offset: int | None = None


def _baseline() -> int:
    """Return `_outside_references` of a frame whose memory only pandas holds."""
    global _offset
    if _offset is None:
        import numpy as np
        import pandas as pd

        array, column = np.zeros((4, 2)), np.zeros(4)
        alone, shared = set(), set()
        for frame in (pd.DataFrame(array), pd.DataFrame({"a": column, "b": 0.0})):
            alone.add(_outside_references(pd.DataFrame(frame)))
            # Another frame over the same memory must not change the number.
            again = frame.copy(deep=False)
            alone.add(_outside_references(pd.DataFrame(frame)))
            del again
        for frame in (pd.DataFrame(array, copy=False), pd.Series(column, copy=False).to_frame()):
            shared.add(_outside_references(pd.DataFrame(frame)))
        # If shared frames don't give exactly one more, treat every frame as shared: it is copied.
        is_clear = len(alone) == 1 and min(shared) == min(alone) + 1
        _offset = min(alone) if is_clear else -sys.maxsize - 1
    return _offset
