"""Restore integers that pandas rounded to floats because some values are missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

_EXACT: Final = float(1 << 53)


def exact(frame: pd.DataFrame, source_of: Callable[[Any], Any]) -> pd.DataFrame:
    """Replace float columns that were made of integers by exact ones.

    pandas converts integers with missing values to floats, which rounds those above 2⁵³.

    Args:
        frame: The frame.
        source_of: Returns the cells that a column was made of, by its label.
    """
    import numpy as np
    import pandas as pd

    result: Any = frame
    for number, dtype in enumerate(frame.dtypes):
        if dtype != np.float64 or not (frame.iloc[:, number].abs() >= _EXACT).any():
            continue
        cells = source_of(frame.columns[number])
        if not isinstance(cells, (list, tuple)) or len(cells) != len(frame):
            continue
        cells = [int(cell) if _is_whole(cell) else cell for cell in cells]
        whole = all(_is_missing(cell) or type(cell) is int for cell in cells)
        if not whole:
            if any(type(cell) is int and int(float(cell)) != cell for cell in cells):
                result.isetitem(number, pd.Series(list(cells), dtype=object, index=frame.index))
            continue
        values = [None if _is_missing(cell) else cell for cell in cells]
        fits = all(cell is None or -(1 << 63) <= cell < 1 << 63 for cell in values)
        integers = pd.array(values, dtype="Int64") if fits else pd.Series(values, dtype=object)
        result.isetitem(number, getattr(integers, "array", integers))
    return frame


def _is_whole(value: object) -> bool:
    import numpy as np

    return isinstance(value, np.integer) and not isinstance(value, np.timedelta64)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)
