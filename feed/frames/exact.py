"""Whole numbers that pandas rounded, since some among them are missing, as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

_EXACT: Final = float(1 << 53)


def exact(frame: pd.DataFrame, told: Callable[[Any], Any]) -> pd.DataFrame:
    """Return a frame with the whole numbers that it was made of, where floats would round them.

    pandas makes floats of whole numbers among which some are missing: from 2⁵³ on others.

    Args:
        frame: The frame.
        told: Returns what a column was made of, by its label.
    """
    import numpy as np
    import pandas as pd

    made: Any = frame
    for at, dtype in enumerate(frame.dtypes):
        if dtype != np.float64 or not (frame.iloc[:, at].abs() >= _EXACT).any():
            continue
        cells = told(frame.columns[at])
        if not isinstance(cells, (list, tuple)) or len(cells) != len(frame):
            continue
        cells = [int(one) if _is_whole(one) else one for one in cells]
        whole = all(_is_missing(one) or type(one) is int for one in cells)
        if not whole:
            if any(type(one) is int and int(float(one)) != one for one in cells):
                made.isetitem(at, pd.Series(list(cells), dtype=object, index=frame.index))
            continue
        there = [None if _is_missing(one) else one for one in cells]
        fits = all(one is None or -(1 << 63) <= one < 1 << 63 for one in there)
        whole_ones = pd.array(there, dtype="Int64") if fits else pd.Series(there, dtype=object)
        made.isetitem(at, getattr(whole_ones, "array", whole_ones))
    return frame


def _is_whole(value: object) -> bool:
    import numpy as np

    return isinstance(value, np.integer) and not isinstance(value, np.timedelta64)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)
