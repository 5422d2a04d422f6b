"""A changing table's beginning and its bytes: from a frame that was sent, whole or as a delta."""

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
    """Return the state that a table begins to change from, and which fields are its key.

    Args:
        frame: What was sent last, or rows that show which columns there will be.
        body: Its bytes, if it was encoded.
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
            # A copy: these arrays are over pandas' memory, which would then count as the
            # caller's alone, and be written to.
            with pa.ipc.open_stream(stream(schema, columns, rows)) as reader:
                columns = reader.read_next_batch().columns
    # Of a table without columns a field of nulls holds the number of rows: it is no column.
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
    """Return a state's columns, without its rows."""
    return State.of(state.shape.schema(0), [pa.nulls(0, kind) for kind in state.shape.types], 0)


def keys_given(keys: Any, state: State, fields: Sequence[int]) -> list[Hashable]:
    """Return keys that a caller names, as the table's columns hold them.

    Args:
        keys: A key, or several as list, array, Series or Index; of a compound key tuples, or a
            DataFrame with its columns.
        state: The table.
        fields: Its key.

    Raises:
        BadFrame: they are of another type, or have another number of parts.
    """
    # Long, as keys are handed over in so many forms; then all go one way.
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
    """Return key values in a column's type, and a mask of those that the type can hold exactly.

    No row has one of the others as its key.

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
    """Return keys that a caller names as they are now: an array of the caller's is copied."""
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
    """Return the rows that changed as a body, with where each one is as its first field."""
    arrays = state.store.reader(difference.stored).columns()
    rows = rows_array(difference.changed)
    schema = state.shape.schema(state.first, before=[_ROW])
    return _body(state, [rows, *arrays], len(rows), schema)


def _body(state: State, arrays: list[pa.Array], rows: int, schema: pa.Schema) -> Body:
    described = state.shape.described
    note = text_note([to_text(state.shape.label(field)) for field in described["text"]])
    return Body(stream(schema, arrays, rows), len(state.rows), len(described["labels"]), note)


def ranges(positions: Numbers) -> tuple[tuple[int, int], ...] | None:
    """Return ascending positions as first ones and how many follow; None if these are too many."""
    if not len(positions):
        return ()
    edges = np.flatnonzero(np.diff(positions) != 1) + 1
    if len(edges) >= MAX_RANGES:
        return None
    starts = positions[np.concatenate(([0], edges))]
    counts = np.diff(np.concatenate(([0], edges, [len(positions)])))
    return tuple(zip(starts.tolist(), counts.tolist(), strict=True))
