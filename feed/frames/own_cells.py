"""Copy the cells that a caller could change in spite of copy-on-write."""

from __future__ import annotations

import datetime
import decimal
from array import array
from collections import deque
from copy import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from livetable.feed.arrow.borrowed import numpys_memory
from livetable.feed.arrow.pandas_private import arrow_of, is_arrows, manager_of
from livetable.feed.frames.arrow_tables import copied

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_DEEPEST: Final = 20
_HOLDERS: Final = (list, dict, set, bytearray, array, deque)


def own_cells(held: pd.DataFrame) -> bool:
    """Copy what a caller could still change; return whether encoding cells may run user code.

    That is a column's ``.array`` unless it is NumPy's, and containers in cells. Arrow's texts need
    no copy: a write replaces their memory, and nobody else holds it.
    """
    import numpy as np

    manager: Any = manager_of(held)
    blocks, beside = list(manager.blocks), False
    for number, block in enumerate(blocks):
        values = block.values
        if numpys_memory(values) is None:
            beside = beside or not type(values).__module__.startswith("pandas.")
            own = _own_arrow(values) if is_arrows(values) else values.copy()
            if own is values:
                continue
        elif values.dtype == object:
            kinds = set(map(type, values.ravel("K")))
            beside = beside or not kinds <= _plain_types()
            if kinds <= _plain_types():
                continue
            own = np.empty_like(values)
            own.ravel("K")[:] = _array_of([own_cell(one) for one in values.ravel("K")])
        else:
            continue
        blocks[number] = type(block)(own, placement=block.mgr_locs, ndim=block.ndim)
    manager.blocks = tuple(blocks)
    return beside


def _own_arrow(values: Any) -> Any:
    """Return an Arrow-backed column in its own memory; texts are not copied."""
    import pyarrow as pa

    array = arrow_of(values)
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values
    return type(values)(copied(pa.table({"": array})).column(0))


def _array_of(cells: list[Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return made


def own_cell(value: Any, depth: int = 0) -> Any:
    """Return a cell that the caller can't change: containers are copied."""
    kind = type(value)
    if kind in _plain_types() or depth > _DEEPEST:
        return value
    try:
        if kind is list or kind is tuple:
            return kind([own_cell(one, depth + 1) for one in value])
        if kind is dict:
            return {key: own_cell(one, depth + 1) for key, one in value.items()}
        if kind.__module__.startswith(("numpy", "pandas")) and callable(
            copied_by := getattr(value, "copy", None)
        ):
            return copied_by()
        # A deque, an OrderedDict, a subclass of list: a shallow copy.
        return copy(value) if isinstance(value, _HOLDERS) else value
    except Exception:  # it can't be copied: its text is taken when it is encoded
        return value


@lru_cache(maxsize=1)
def _plain_types() -> frozenset[type]:
    """Return the types of cells that encode quickly and without user code."""
    import numpy as np
    import pandas as pd

    return frozenset({
        type(None), bool, int, float, str, bytes, datetime.date, datetime.datetime, datetime.time,
        datetime.timedelta, decimal.Decimal, np.float64, np.int64, np.bool_, pd.Timestamp,
        pd.Timedelta, type(pd.NaT), type(pd.NA),
    })  # fmt: skip
