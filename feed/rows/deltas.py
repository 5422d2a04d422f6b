"""Start a changing table from a sent frame, and encode it whole or as a delta."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from livetable.feed.arrow.arrays import rows_array, without_dictionary
from livetable.feed.arrow.cells import of_cells
from livetable.feed.arrow.common_type import cast_exactly, wider
from livetable.feed.arrow.from_pandas import to_arrow, values_of_column
from livetable.feed.errors import BadFrame
from livetable.feed.frames.body import Body
from livetable.feed.frames.capture import capture
from livetable.feed.frames.captured import Captured
from livetable.feed.frames.encoder import Encoder, stream, text_note
from livetable.feed.protocol.fields import MAX_RANGES
from livetable.feed.protocol.labels import from_json, to_text
from livetable.feed.rows.input import fitted
from livetable.feed.rows.keys import keys_of
from livetable.feed.rows.row_map import Numbers
from livetable.feed.rows.schema import Shape
from livetable.feed.rows.state import Difference, State

_ROW = pa.field("row", pa.int64(), nullable=False)


def begun(
    frame: Captured | None,
    body: Body | None,
    key: tuple[Any, ...],
) -> tuple[State, tuple[int, ...]]:
    """Return the first state of a changing table, and the fields of its key.

    Args:
        frame: The last sent frame, or first rows that define the columns.
        body: Its bytes, if it has been encoded.
        key: The key's labels, as JSON labels.

    Raises:
        BadFrame: a column of the key is missing.
    """
    if body is not None:
        with pa.ipc.open_stream(pa.py_buffer(body.data)) as reader:
            batch = reader.read_next_batch()
        schema, columns, rows = batch.schema, batch.columns, batch.num_rows
    else:
        assert frame is not None
        schema, columns, _ = Encoder().columns(frame)
        rows = frame.shape[0]
        if not isinstance(frame.frame, pa.Table):
            # Copy: the arrays are over pandas' memory, to which the caller could write without a
            # copy-on-write, as pandas does not know of them.
            with pa.ipc.open_stream(stream(schema, columns, rows)) as reader:
                columns = reader.read_next_batch().columns
    # A table without columns has a field of nulls for the number of rows: drop it.
    columns = columns[: len(Shape.of(schema).types)]
    state = State.of(schema, list(map(without_dictionary, columns)), rows)
    fields = []
    for label in map(from_json, key):
        field = state.shape.place_of(label)
        if field is None:
            raise BadFrame(f"no column {label!r}, which is the table's key")
        fields.append(field)
    return state, tuple(fields)


def nothing_of(state: State) -> State:
    """Return a state with the same columns and no rows."""
    return State.of(state.shape.schema(0), [pa.nulls(0, kind) for kind in state.shape.types], 0)


def keys_given(keys: Any, state: State, fields: Sequence[int]) -> list[Hashable]:
    """Return the keys that a caller passed, in the types of the table's columns.

    Args:
        keys: A key, or several as list, array, Series or Index; compound keys as tuples, or as a
            DataFrame with the key columns.
        state: The table.
        fields: The fields of its key.

    Raises:
        BadFrame: they are of another type, or have another number of parts.
    """
    # Long, as keys come in many forms.
    shape = state.shape
    columns: list[Any]
    if len(fields) > 1:
        if isinstance(keys, tuple):
            keys = [keys]
        if isinstance(keys, list):
            if not all(isinstance(key, tuple) and len(key) == len(fields) for key in keys):
                raise BadFrame(f"a key of this table must be a tuple of {len(fields)} values")
            columns = [[key[at] for key in keys] for at in range(len(fields))]
        else:
            frame = capture(keys).frame
            if isinstance(frame, pa.Table):
                frame = frame.to_pandas()
            labels = [shape.label(field) for field in fields]
            missing = [label for label in labels if label not in frame.columns]
            if missing or fields[0] < shape.levels:
                raise BadFrame(f"keys of this table must be tuples of {len(fields)} values")
            columns = [values_of_column(frame[label]) for label in labels]
    elif isinstance(keys, (str, bytes)) or not hasattr(keys, "__len__"):
        columns = [[keys]]
    else:
        columns = [keys if isinstance(keys, (list, tuple)) else _values(keys)]
    arrays: list[pa.Array] = []
    known: np.ndarray[Any, Any] | None = None
    for field, values in zip(fields, columns, strict=True):
        try:
            array = of_cells(values) if isinstance(values, (list, tuple)) else to_arrow(values)[0]
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise BadFrame(f"can't read these keys: {error}") from None
        array, fits = _held(without_dictionary(array), state, field)
        arrays.append(array)
        known = fits if known is None else known & fits
    if known is not None and not known.all():
        arrays = [array.filter(pa.array(known)) for array in arrays]
    return keys_of(arrays)


def _held(
    values: pa.Array, state: State, field: int
) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return key values in a column's type, and a mask of those that fit it exactly.

    The others can't be the key of any row.

    Raises:
        BadFrame: they are of another type.
    """
    shape, kind = state.shape, state.shape.types[field]
    every = np.ones(len(values), dtype=np.bool_)
    if values.type == kind or wider(values.type, kind) is None:
        return fitted(values, kind, shape, field), every
    if (cast := cast_exactly(values, kind)) is not None:
        return cast, every
    each = [cast_exactly(values.slice(at, 1), kind) for at in range(len(values))]
    nothing = pa.nulls(1, kind)
    arrays = [nothing if one is None else one for one in each]
    return pa.concat_arrays(arrays), np.array([one is not None for one in each], dtype=np.bool_)


def keys_held(keys: Any) -> Any:
    """Copy the keys that a caller passed, as the caller may change an array later."""
    if isinstance(keys, (str, bytes, tuple)) or not hasattr(keys, "__len__"):
        return keys
    return keys.copy() if hasattr(keys, "copy") else list(keys)


def _values(keys: Any) -> Any:
    if hasattr(keys, "dtype") and hasattr(keys, "array"):
        return values_of_column(keys)
    return keys if isinstance(keys, np.ndarray) else list(keys)


def whole(state: State) -> Body:
    """Return a table as a body."""
    rows = len(state.rows)
    arrays = state.store.reader(state.rows.stored(0, rows)).columns()
    return _body(state, arrays, rows, state.shape.schema(state.first))


def delta(state: State, difference: Difference) -> Body:
    """Return the changed rows as a body; its first field has their positions."""
    arrays = state.store.reader(difference.stored).columns()
    rows = rows_array(difference.changed)
    schema = state.shape.schema(state.first, before=[_ROW])
    return _body(state, [rows, *arrays], len(rows), schema)


def _body(state: State, arrays: list[pa.Array], rows: int, schema: pa.Schema) -> Body:
    described = state.shape.described
    note = text_note([to_text(state.shape.label(field)) for field in described["text"]])
    return Body(stream(schema, arrays, rows), len(state.rows), len(described["labels"]), note)


def ranges(positions: Numbers) -> tuple[tuple[int, int], ...] | None:
    """Return ascending positions as ranges (first, count); None if these are too many."""
    if not len(positions):
        return ()
    edges = np.flatnonzero(np.diff(positions) != 1) + 1
    if len(edges) >= MAX_RANGES:
        return None
    starts = positions[np.concatenate(([0], edges))]
    counts = np.diff(np.concatenate(([0], edges, [len(positions)])))
    return tuple(zip(starts.tolist(), counts.tolist(), strict=True))
