"""What a caller hands to `Publisher.send`, held so that the caller may go on writing into it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livetable.feed.errors import BadFrame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame that no longer changes: a copy-on-write pandas frame, or an Arrow table.

    Attributes:
        frame: The pandas DataFrame or pyarrow Table.
        shape: Its rows and columns, the index not counted.
    """

    frame: Any
    shape: tuple[int, int]

    def last(self, rows: int) -> Captured:
        """Return the frame's last rows."""
        frame = self.frame
        kept = frame.iloc[-rows:] if hasattr(frame, "iloc") else frame.slice(len(frame) - rows)
        return Captured(kept, (rows, self.shape[1]))


def capture(data: Any) -> Captured:
    """Hold `data` as it is now, in time that does not depend on its size.

    Args:
        data: A pandas DataFrame or Series; anything with the Arrow PyCapsule interface (polars,
            pyarrow, duckdb); a dict of columns; a list of dicts; a NumPy array. The last three
            are converted here, which takes time in proportion to their size.

    Raises:
        BadFrame: it is none of these, or can't be read as one.
    """
    pandas = sys.modules.get("pandas")  # a caller with a pandas frame has imported it
    if pandas is not None:
        if isinstance(data, pandas.Series):
            data = data.to_frame()
        if isinstance(data, pandas.DataFrame):
            return _capture_pandas(data)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        import pyarrow as pa

        try:
            table = data if isinstance(data, pa.Table) else pa.table(data)
        except Exception as error:
            raise BadFrame(f"{_named(data)} can't be read as an Arrow table: {error}") from error
        return Captured(table, table.shape)
    if hasattr(data, "collect"):
        raise BadFrame(f"{_named(data)} is lazy: send its .collect()")
    is_array = type(data).__module__ == "numpy" and type(data).__name__ == "ndarray"
    is_rows = isinstance(data, Sequence) and not isinstance(data, (str, bytes, bytearray))
    if is_array or isinstance(data, Mapping) or is_rows:
        import pandas as pd

        try:
            return _capture_pandas(pd.DataFrame(data, copy=True if is_array else None))
        except Exception as error:
            raise BadFrame(f"{_named(data)} can't be read as a table: {error}") from error
    raise BadFrame(
        f"{_named(data)} is no table: send a DataFrame, a dict of columns or a list of dicts"
    )


def _named(data: object) -> str:
    kind = type(data)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _capture_pandas(frame: pd.DataFrame) -> Captured:
    import pandas as pd

    # Of a subclass only the table is wanted: its attrs and finalizers may be slow.
    held = pd.DataFrame(frame)
    if _writable_from_outside(held):
        held = held.copy(deep=True)
    return Captured(held, held.shape)


def _outside_references(frame: pd.DataFrame) -> int:
    """Return how many references to the frame's NumPy memory pandas does not know of, at most.

    Copy-on-write sees every frame that shares a block (`refs.referenced_blocks`), not an array
    that its caller still holds. One reference more than pandas counts is such an array. The
    figure has an offset that `_baseline` measures on a frame nobody else holds.
    """
    import numpy as np

    most = -sys.maxsize
    for block in frame._mgr.blocks:
        owner = block.values
        if not isinstance(owner, np.ndarray):
            continue  # extension arrays: Arrow's memory is immutable, see limits in docs
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        if owner.base is not None and owner.flags.writeable:
            return sys.maxsize  # memory of something else: a memory map, a bytearray
        known = sum(1 for reference in block.refs.referenced_blocks if reference() is not None)
        most = max(most, sys.getrefcount(owner) - known)
    return most


_offset: int | None = None


def _baseline() -> int:
    """Return `_outside_references` of a frame whose memory only pandas holds."""
    global _offset
    if _offset is None:
        import numpy as np
        import pandas as pd

        array = np.zeros((4, 2))
        alone = _outside_references(pd.DataFrame(pd.DataFrame(array)))
        shared = _outside_references(pd.DataFrame(pd.DataFrame(array, copy=False)))
        # Where the two can't be told apart, every frame counts as shared and is copied.
        _offset = alone if shared == alone + 1 else -sys.maxsize - 1
    return _offset


def _writable_from_outside(frame: pd.DataFrame) -> bool:
    try:
        return _outside_references(frame) > _baseline()
    except AttributeError:  # another pandas: what is read above is not its public API
        return True
