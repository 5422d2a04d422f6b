"""A pandas column as an Arrow array; values that Arrow has no type for become text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from livetable.feed.arrow.arrays import one_chunk
from livetable.feed.arrow.borrowed import lent_values
from livetable.feed.arrow.pandas_private import manager_of
from livetable.feed.base.terminal_text import safe_str

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Values: TypeAlias = Any
"""A NumPy array or a pandas extension array."""


def columns_of(frame: pd.DataFrame) -> list[Values]:
    """Return the values of a frame's columns, in order, without copying."""
    try:
        # frame.iloc makes a Series of each column: 0.05 ms each, most of a small frame's encoding.
        manager = manager_of(frame)
        blocks = [block.values for block in manager.blocks]
        places = zip(manager.blknos.tolist(), manager.blklocs.tolist(), strict=True)
    except AttributeError:  # another pandas
        return [values_of_column(frame.iloc[:, position]) for position in range(frame.shape[1])]
    lent_ones = [lent_values(one) for one in blocks]
    del blocks
    return [
        lent_ones[block][place] if lent_ones[block].ndim == 2 else lent_ones[block]
        for block, place in places
    ]


def values_of_column(column: pd.Series[Any] | pd.Index[Any]) -> Values:
    """Return a column's values as pandas holds them: a NumPy or an extension array."""
    import numpy as np

    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def to_arrow(values: Values) -> tuple[pa.Array, bool]:
    """Return a column as one Arrow array, and whether it had to become text.

    NumPy's numbers keep their NaN (they are not nulls) and are not copied where their memory is
    contiguous. Text is what `str` gives for each cell; missing values become nulls.
    """
    array = _as_is(values)
    return (array, False) if array is not None else (_as_text(values), True)


def _as_is(values: Values) -> pa.Array | None:
    import numpy as np

    dtype = values.dtype
    try:
        if isinstance(dtype, np.dtype):
            if dtype.kind == "O":
                return _objects(np.asarray(values))
            if dtype.kind == "c":
                return None
            return pa.array(np.asarray(values))
        if type(dtype).__name__ == "SparseDtype":
            return pa.array(np.asarray(values))
        if type(dtype).__name__ == "CategoricalDtype" and dtype.categories.dtype == object:
            array = _categories(values)
        else:
            array = one_chunk(pa.array(values, from_pandas=True))
        return None if _has_no_plain_form(array.type) else array
    except Exception:  # raised by Arrow or by the extension dtype
        return None


def _has_no_plain_form(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return True
    if pa.types.is_dictionary(kind):
        return _has_no_plain_form(kind.value_type)
    return False


def _categories(values: Values) -> pa.Array:
    """Return categories of Python objects, checked by `of_cells`: Arrow alone would change some."""
    import numpy as np

    codes = np.asarray(values.codes)
    indices = pa.array(codes, mask=codes < 0)
    dictionary = _objects(values.categories.to_numpy())
    return pa.DictionaryArray.from_arrays(indices, dictionary, ordered=bool(values.ordered))


def _objects(values: np.ndarray[Any, Any]) -> pa.Array | None:
    from livetable.feed.arrow.cells import of_cells

    return of_cells(values)  # type: ignore[arg-type]


def _as_text(values: Values) -> pa.Array:
    import pandas as pd

    # A Series, as iterating it gives Python values; with its dtype, as pandas would infer another.
    column = pd.Series(values, dtype=values.dtype, copy=False)
    cells = [
        None if gone else safe_str(value).encode("utf-8", "backslashreplace")
        for value, gone in zip(column, column.isna(), strict=True)
    ]
    return pa.array(cells, type=pa.large_binary()).cast(pa.large_string())
