"""Whether somebody else may write to a frame's memory, which copy-on-write does not see."""

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
    """Tell whether somebody else may have the NumPy memory of a frame."""
    # Looked at again: what the feed's thread refers to for a moment is no caller's.
    for pause in (0.0, 0.0002, 0.001):
        if pause:
            sleep(pause)
        if _outside_references(frame) <= _baseline():
            return False
    return True


def is_held_elsewhere(index: pd.Index[Any]) -> bool:
    """Tell whether somebody else may have the array that an index is made over (``copy=False``)."""
    import numpy as np

    values = getattr(index, "_data", None)  # of a range there is none, of several levels neither
    if isinstance(values, np.ndarray):
        # Ours and the call's; each index that shares it has it, and what finds labels for that.
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
    """How many references to an array there should be, if pandas alone has it."""

    __slots__ = ("array", "expected")

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array
        self.expected = 0


def _outside_references(frame: pd.DataFrame) -> int:
    """Return how many references to the frame's NumPy memory pandas does not know of, at most.

    Copy-on-write sees every frame that shares a block (`refs.referenced_blocks`), not an array
    that its caller still holds. One reference more than those of the blocks, of the arrays that
    are made of one another, and of ours (`arrays.lent`) is such an array. The figure has an offset
    that `_baseline` measures on frames nobody else holds.
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
                return sys.maxsize  # memory of something else: a memory map, a bytearray
            if array is other.values or id(other.values) not in seen:
                known.expected += 1  # by the block, or by pandas' array around it
            seen.add(id(other.values))
        other = array = None
        for counts in counted.values():
            lent = -1
            while lent != (now := lent_of(counts.array)):  # the feed's thread lets go meanwhile
                lent = now
                most = max(most, sys.getrefcount(counts.array) - counts.expected - lent)
    return most


def _with_bases(array: Any, counted: dict[int, _Counted]) -> _Counted | None:
    """Note an array and what it is made of; return None if that is not NumPy's own memory."""
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
            # Another frame of the same memory changes nothing.
            again = frame.copy(deep=False)
            alone.add(_outside_references(pd.DataFrame(frame)))
            del again
        for frame in (pd.DataFrame(array, copy=False), pd.Series(column, copy=False).to_frame()):
            shared.add(_outside_references(pd.DataFrame(frame)))
        # Where the two can't be told apart, every frame counts as shared and is copied.
        is_clear = len(alone) == 1 and min(shared) == min(alone) + 1
        _offset = min(alone) if is_clear else -sys.maxsize - 1
    return _offset
