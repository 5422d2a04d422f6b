"""Convert a state of a table back to the DataFrame that its producer sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from livetable.feed.rows.replica import Followed

_NULLABLE: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(), pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(), pa.uint64(): pd.UInt64Dtype(), pa.bool_(): pd.BooleanDtype(),
}  # fmt: skip


def to_dataframe(state: Followed) -> pd.DataFrame:
    """Return a state as a DataFrame, shape (rows, columns).

    Integers and booleans with missing values get pandas' nullable types: floats would round
    integers above 2⁵³. Values that were sent as text stay text.
    """
    labels = state.labels
    levels = 0 if labels.range is not None else len(labels.index)
    arrays = [_values(state.values.whole(at)) for at in range(levels + len(labels.columns))]
    index = _index(state, arrays[:levels])
    frame = pd.DataFrame(dict(enumerate(arrays[levels:])), index=index, copy=False)
    frame.columns = _columns(labels.columns, labels.column_names)
    return frame


def to_arrow(state: Followed) -> pa.Table:
    """Return a state as an Arrow table: first the index's levels, unless it is a RangeIndex.

    Duplicate column names stay; pandas can't read such a table back.
    """
    from livetable.feed.protocol.labels import to_text

    labels = state.labels
    index = labels.index if labels.range is None else ()
    names = [to_text(one) or f"index {at}" for at, one in enumerate(index)]
    names += map(to_text, labels.columns)
    arrays = [state.values.whole(at) for at in range(len(names))]
    return pa.Table.from_arrays(arrays, names=names)


def _values(array: pa.Array) -> Any:
    kind = array.type
    if pa.types.is_nested(kind):  # Arrow would convert nested numbers beside a null to floats
        return pd.Series(array.to_pylist(), dtype=object).array
    types = _NULLABLE.get if array.null_count and kind in _NULLABLE else None
    # The array without its index: pandas would align a Series with the frame's index.
    return array.to_pandas(types_mapper=types).array


def _index(state: Followed, levels: list[Any]) -> pd.Index[Any]:
    labels = state.labels
    names = list(labels.index)
    if labels.range is not None:
        start, step = labels.range
        return pd.RangeIndex(start, start + step * state.count, step, name=names[0])
    levels = [_hashable(one) if one.dtype == object else one for one in levels]
    if len(levels) == 1:
        one: pd.Index[Any] = pd.Index(levels[0], name=names[0])
        return one
    many: pd.Index[Any] = pd.MultiIndex.from_arrays(levels, names=names)
    return many


def _hashable(values: Any) -> Any:
    """Return labels as hashable objects: lists as tuples, dicts as text."""
    return pd.Series(
        [tuple(one) if hasattr(one, "tolist") else str(one) if isinstance(one, dict) else one
         for one in values], dtype=object
    ).array  # fmt: skip


def _columns(columns: tuple[Any, ...], names: tuple[Any, ...]) -> pd.Index[Any]:
    if len(names) > 1:
        many: pd.Index[Any] = pd.MultiIndex.from_tuples(list(columns), names=list(names))
        return many
    # As objects: pandas would make a MultiIndex of tuples, and floats of mixed numbers.
    objects = pd.Index(list(columns), dtype=object, tupleize_cols=False, name=names[0])
    texts = all(isinstance(one, str) for one in columns)
    if texts or all(type(one) is int for one in columns):
        return pd.Index(list(columns), name=names[0]) if columns else objects
    return objects
