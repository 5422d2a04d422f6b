"""Capture what a caller passes to `Publisher.send`, so that the caller may change it afterwards."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from livetable.feed.arrow.pandas_private import is_copy_on_write
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import BadFrame
from livetable.feed.frames.arrow_tables import as_table, copied, without_overflow
from livetable.feed.frames.captured import Captured
from livetable.feed.frames.exact import exact
from livetable.feed.frames.outside_references import is_held_elsewhere, writable_from_outside
from livetable.feed.frames.own_cells import own_cells
from livetable.feed.frames.python_rows import (
    columns_of_dict,
    is_many,
    is_row,
    name_of_kind,
    pandas_now,
    pandas_wholly,
    row_of,
    rows_of,
)

if TYPE_CHECKING:
    import pandas as pd


def capture(data: Any) -> Captured:
    """Capture `data` as it is now.

    For pandas frames that own their memory this takes the same time for any size. Copied are:
    memory that others may write to (a frame made with ``copy=False`` over an array that the caller
    holds, all Arrow tables), pandas' extension arrays except Arrow's, and lists, dicts, sets and
    arrays in cells. Anything else is converted to a frame.

    Args:
        data: A pandas DataFrame or Series; anything with the Arrow PyCapsule interface (polars,
            pyarrow, duckdb) or with ``to_pandas()``; a dict of columns; a list or an iterator of
            rows: dicts, named tuples, dataclasses, models; a NumPy array.

    Raises:
        BadFrame: it is none of these, or can't be converted.
    """
    pandas = pandas_now()  # a caller with a pandas frame has imported it
    if pandas is not None:
        if isinstance(data, pandas.Series):
            data = data.to_frame()
        if isinstance(data, pandas.DataFrame):
            return _capture_pandas(data)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        table = copied(as_table(data))
        return Captured(without_overflow(table), table.shape)
    if hasattr(data, "collect") and not isinstance(data, Mapping):
        raise BadFrame(f"{name_of_kind(data)} is lazy: send its .collect()")
    if hasattr(data, "compute") and hasattr(data, "dask"):
        raise BadFrame(f"{name_of_kind(data)} is lazy: send its .compute()")
    try:
        if (made := _made(data)) is not None:
            return made
    except BadFrame:
        raise
    except Exception as error:
        said = f"can't read {name_of_kind(data)} as a table: {safe_str(error):.300}"
        raise BadFrame(said) from error
    raise BadFrame(
        f"can't publish {name_of_kind(data)} as a table: send a DataFrame, a dict of columns or a "
        "list of dicts"
    )


def _made(data: Any) -> Captured | None:
    """Convert data that is not a frame to one; None if it can't be converted."""
    if isinstance(data, Mapping):
        columns = columns_of_dict(data)
        if columns and not any(map(is_column, columns.values())):
            return _of_rows([columns])
        return _capture_pandas(exact(pandas_wholly().DataFrame(columns), columns.get))
    if is_row(data):
        return _of_rows([row_of(data)])
    if is_many(data):
        return _of_rows(rows_of(data))
    if (numpy := sys.modules.get("numpy")) is not None and isinstance(data, numpy.ndarray):
        return _capture_pandas(pandas_wholly().DataFrame(data, copy=True))
    if callable(to_pandas := getattr(data, "to_pandas", None)) and not isinstance(data, type):
        made = to_pandas()
        pandas = pandas_wholly()
        if isinstance(made, (pandas.DataFrame, pandas.Series)):
            return capture(made.copy(deep=True))
    return None


def _of_rows(rows: list[Any]) -> Captured:
    frame = pandas_wholly().DataFrame(rows)
    if rows and all(isinstance(one, Mapping) for one in rows):
        frame = exact(frame, lambda label: [one.get(label) for one in rows])
    elif rows and all(isinstance(one, (list, tuple)) for one in rows):
        frame = exact(frame, lambda at: [one[at] if at < len(one) else None for one in rows])
    elif frame.shape[1] == 1:
        frame = exact(frame, lambda at: rows)
    return _capture_pandas(frame)


def is_column(value: object) -> bool:
    """Tell whether a value in a dict is a column and not a single cell."""
    cells = (str, bytes, bytearray, memoryview, Mapping)
    sized = hasattr(value, "__len__") and not isinstance(value, cells)
    return sized and getattr(value, "ndim", 1) > 0


def _capture_pandas(frame: pd.DataFrame) -> Captured:
    import pandas as pd

    # A plain DataFrame: a subclass may have slow finalizers and attributes.
    held = pd.DataFrame(frame)
    try:
        if not is_copy_on_write(pd) or writable_from_outside(held):
            held = held.copy(deep=True)
        if is_held_elsewhere(held.index):
            held.index = held.index.copy(deep=True)
        beside = own_cells(held)
    except AttributeError:  # another version of pandas, without these private attributes
        held, beside = held.copy(deep=True), True
    return Captured(held, held.shape, beside)
