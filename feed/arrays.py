"""One pandas column as an Arrow array; what Arrow can't hold becomes its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from livetable.feed.labels import safe_str

if TYPE_CHECKING:
    import pandas as pd


def to_arrow(column: pd.Series[Any] | pd.Index[Any]) -> tuple[pa.Array, bool]:
    """Return a column as one Arrow array, and whether it had to become text.

    NumPy's numbers keep their NaN (they are not nulls) and are not copied where their memory is
    contiguous. Text is what `str` gives for each cell; missing values become nulls.
    """
    array = _as_is(column)
    return (array, False) if array is not None else (_as_text(column), True)


def one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return an array without chunks, copying only if there are several."""
    if not isinstance(array, pa.ChunkedArray):
        return array
    if array.num_chunks == 1:
        return array.chunk(0)
    joined = array.combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # no chunk at all, or over 2 GiB of text
        return joined.chunk(0) if joined.num_chunks == 1 else pa.array([], type=array.type)
    return joined


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of `without_dictionary`'s result."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if pa.types.is_binary_view(kind) else kind


def without_dictionary(array: pa.Array) -> pa.Array:
    """Return an array's values as such: no dictionary, no views (which few functions take)."""
    if pa.types.is_dictionary(array.type):
        values = array.dictionary
        plain = plain_type(values.type)
        return (values if plain == values.type else values.cast(plain)).take(array.indices)
    plain = plain_type(array.type)
    return array if plain == array.type else array.cast(plain)


def _as_is(column: pd.Series[Any] | pd.Index[Any]) -> pa.Array | None:
    import numpy as np

    dtype: Any = column.dtype
    try:
        if isinstance(dtype, np.dtype):
            if dtype.kind == "O":
                return _objects(column)
            if dtype.kind == "c":
                return None
            return pa.array(column.to_numpy())
        if type(dtype).__name__ == "SparseDtype":
            return pa.array(np.asarray(column))
        array = one_chunk(pa.array(column.array, from_pandas=True))
        return None if _has_no_plain_form(array.type) else array
    except Exception:  # of any library: Arrow's, the dtype's author's
        return None


def _has_no_plain_form(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return True
    if pa.types.is_dictionary(kind):
        return _has_no_plain_form(kind.value_type)
    return False


def _objects(column: pd.Series[Any] | pd.Index[Any]) -> pa.Array | None:
    values = column.to_numpy()
    try:
        array = one_chunk(pa.array(values, from_pandas=True))
    except (pa.ArrowInvalid, OverflowError):
        # Whole numbers over 64 bits are decimals without digits behind the point.
        if not all(type(value) is int or value is None for value in values):
            return None
        array = pa.array(values, type=pa.decimal256(76, 0))
    # A struct would give every dict the keys of all the others.
    return None if pa.types.is_struct(array.type) else array


def _as_text(column: pd.Series[Any] | pd.Index[Any]) -> pa.Array:
    missing = column.isna()
    cells = [
        None if gone else safe_str(value).encode("utf-8", "backslashreplace")
        for value, gone in zip(column, missing, strict=True)
    ]
    return pa.array(cells, type=pa.large_binary()).cast(pa.large_string())
