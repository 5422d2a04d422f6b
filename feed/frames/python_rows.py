"""Convert Python objects to rows: models, dataclasses, named tuples, generators."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import numbers
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from typing import Any, Final

from livetable.feed.base.late_import import loaded
from livetable.feed.errors import BadFrame

_SCALARS: Final = (
    str, bytes, bytearray, numbers.Number, decimal.Decimal, datetime.date, datetime.time,
    datetime.timedelta, type(None), Set,
)  # fmt: skip


def pandas_now() -> Any:
    """Return pandas if it has been imported completely, else None.

    While another thread imports it, it is an empty module in `sys.modules`.
    """
    pandas = sys.modules.get("pandas")
    return pandas if hasattr(pandas, "DataFrame") and hasattr(pandas, "Series") else None


def pandas_wholly() -> Any:
    """Return pandas; import it if necessary.

    Raises:
        LivetableError: the caller is a signal handler or finalizer that interrupted its import.
    """
    return loaded("pandas")


def name_of_kind(data: object) -> str:
    """Return the name of an object's class for messages."""
    kind = type(data)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def is_many(data: object) -> bool:
    """Tell whether an object is a sequence or iterator of rows."""
    if isinstance(data, (str, bytes, bytearray)) or is_row(data):
        return False
    return isinstance(data, (Sequence, Iterator, deque, ValuesView))


def is_row(data: object) -> bool:
    """Tell whether an object is a single row, but not a dict: a model, a named tuple."""
    kind = type(data)
    if kind.__module__ in ("builtins", "numpy"):
        return False
    if isinstance(data, tuple) and hasattr(kind, "_fields"):
        return True
    return not isinstance(data, (type, Mapping)) and (
        dataclasses.is_dataclass(data)
        or hasattr(kind, "model_fields")
        or hasattr(kind, "__attrs_attrs__")
        or hasattr(kind, "__struct_fields__")
        or (hasattr(data, "_mapping") and isinstance(data._mapping, Mapping))
        or (kind.__module__ == "sqlite3" and kind.__name__ == "Row")
    )


def row_of(data: Any) -> Mapping[Any, Any]:
    """Return a row (see `is_row`), or a dict, as a dict.

    Raises:
        BadFrame: reading its fields raised an exception.
    """
    if isinstance(data, Mapping):
        row = data
    else:
        kind = type(data)
        try:
            if hasattr(kind, "_fields"):
                row = dict(zip(kind._fields, data, strict=True))
            elif hasattr(kind, "model_fields"):
                names = [*kind.model_fields, *(getattr(data, "model_extra", None) or ())]
                row = {name: getattr(data, name) for name in names}
            elif dataclasses.is_dataclass(data):
                row = {item.name: getattr(data, item.name) for item in dataclasses.fields(data)}
            elif hasattr(kind, "__attrs_attrs__"):
                row = {item.name: getattr(data, item.name) for item in kind.__attrs_attrs__}
            elif hasattr(kind, "__struct_fields__"):
                row = {name: getattr(data, name) for name in kind.__struct_fields__}
            else:
                row = dict(data._mapping) if hasattr(data, "_mapping") else dict(data)
        except Exception as error:
            raise BadFrame(f"can't read {name_of_kind(data)} as a row: {error}") from error
    if any(map(_is_wrapped, row.values())):
        row = {name: scalar_of(item) for name, item in row.items()}
    return row


def rows_of(data: Any) -> list[Any]:
    """Return a list of rows: dicts, or the objects themselves if they have no field names.

    Raises:
        BadFrame: they are of a class that can't be converted to a row.
    """
    rows = list(data)
    kinds = {type(row): row for row in rows}
    rowlike = {kind for kind, row in kinds.items() if is_row(row)}
    for kind, row in kinds.items():
        if kind in rowlike or isinstance(row, (Mapping, list, tuple, *_SCALARS)):
            continue
        if hasattr(row, "dtype") or hasattr(row, "__array__") or kind.__module__ == "numpy":
            continue
        if hasattr(row, "isoformat") or kind.__module__.startswith("pandas."):
            continue
        if hasattr(row, "__dict__") or hasattr(row, "__iter__"):
            raise BadFrame(
                f"can't publish a list of {name_of_kind(row)}: send a list of dicts, e.g. "
                "[vars(row) for row in rows]"
            )
    if not rowlike and not any(isinstance(row, Mapping) for row in kinds.values()):
        return [scalar_of(row) for row in rows] if any(map(_is_wrapped, rows)) else rows
    return [row_of(row) if type(row) in rowlike or isinstance(row, Mapping) else row
            for row in rows]  # fmt: skip


def columns_of_dict(data: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return a dict of columns with 0-d arrays in lists converted to scalars."""
    columns = dict(data)
    for name, column in columns.items():
        if isinstance(column, (list, tuple)) and any(map(_is_wrapped, column)):
            columns[name] = list(map(scalar_of, column))
        elif isinstance(column, Iterator):
            columns[name] = list(column)
    return columns


def scalar_of(value: Any) -> Any:
    """Convert a 0-d array or tensor to a scalar; return anything else as it is."""
    if type(value).__name__ == "MaskedConstant":  # NumPy's missing value
        return None
    return value.item() if _is_wrapped(value) else value


def _is_wrapped(value: Any) -> bool:
    """Tell whether a value is a 0-d array or tensor; NumPy's scalars are not."""
    kind = type(value)
    if kind.__module__ == "builtins" or not hasattr(value, "item"):
        return False
    if (numpy := sys.modules.get("numpy")) is not None and isinstance(value, numpy.generic):
        return False  # `item` would convert NumPy's times to integers
    return getattr(value, "ndim", None) == 0


def series_row(series: Any, key: Sequence[Any]) -> Any:
    """Return a pandas Series that is one row (``df.loc[7]``) as a frame, None if it is a column."""
    pandas = pandas_now()
    if pandas is None or not isinstance(series, pandas.Series):
        return None
    labels = list(series.index)
    is_one = all(label in labels for label in key) if key else (
        bool(labels) and all(isinstance(label, str) for label in labels)
    )  # fmt: skip
    return series.to_frame().T.infer_objects() if is_one else None
