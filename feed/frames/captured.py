"""A captured frame, and the conversion of its columns to the types of `schema=`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from livetable.feed.base.late_import import loaded
from livetable.feed.errors import BadFrame

_NUMPY_NAMES: Final = {"double": "float64", "float": "float32", "halffloat": "float16"}


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame that can't change any more: a copy-on-write pandas frame, or an Arrow table.

    Attributes:
        frame: The pandas DataFrame or pyarrow Table.
        shape: Its rows and columns, the index not counted.
        beside: Whether encoding it may run user code, and so take any time.
    """

    frame: Any
    shape: tuple[int, int]
    beside: bool = False

    def last(self, rows: int) -> Captured:
        """Return the frame's last rows."""
        frame = self.frame
        kept = frame.iloc[-rows:] if hasattr(frame, "iloc") else frame.slice(len(frame) - rows)
        return Captured(kept, (rows, self.shape[1]), self.beside)


def with_types(captured: Captured, types: Mapping[str, Any]) -> Captured:
    """Return a frame with columns converted to given types, by the JSON of their labels.

    Raises:
        BadFrame: some values don't fit the type of their column.
    """
    loaded("livetable.feed.arrow.arrays")
    loaded("livetable.feed.arrow.common_type")
    from livetable.feed.arrow.from_pandas import to_arrow, values_of_column
    from livetable.feed.protocol.labels import to_json

    frame = captured.frame
    is_pandas = hasattr(frame, "iloc")
    for number, label in enumerate(frame.columns if is_pandas else frame.column_names):
        kind = types.get(json.dumps(to_json(label)))
        if kind is None:
            continue
        values = frame.column(number) if not is_pandas else None
        if values is None:
            column = frame.iloc[:, number]
            if str(column.dtype) == _NUMPY_NAMES.get(str(kind), str(kind)):
                continue
            values = to_arrow(values_of_column(column))[0]
        cast = _cast(values, kind)
        if cast is None:
            raise BadFrame(
                f"can't convert column {label!r} to {kind} (schema=): some of its values "
                f"({values.type}) don't fit; convert them first"
            )
        if is_pandas:
            import pandas as pd

            frame.isetitem(number, pd.array(cast, dtype=pd.ArrowDtype(kind)))
        else:
            frame = frame.set_column(number, label, cast)
    return Captured(frame, captured.shape, captured.beside)


def _cast(values: Any, kind: Any) -> Any:
    """Return values converted to a type, None if that would change some of them."""
    pa: Any = loaded("pyarrow")
    from livetable.feed.arrow.common_type import cast_exactly

    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    cast = [cast_exactly(one, kind, rounds=True) for one in chunks]
    return None if any(one is None for one in cast) else pa.chunked_array(cast, type=kind)
