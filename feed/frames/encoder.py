"""Encode a captured frame as an Arrow IPC stream, with its labels and index."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from livetable.feed.arrow.arrays import dtype_of, one_chunk, plain_type
from livetable.feed.arrow.from_pandas import columns_of, values_of_column
from livetable.feed.buffers.pool import LEAST, MOST, Room
from livetable.feed.buffers.shared import SharedRoom
from livetable.feed.frames.body import Body
from livetable.feed.frames.captured import Captured
from livetable.feed.frames.template import Column, Layout, Stencil, layout_of
from livetable.feed.protocol.labels import to_json, to_text
from livetable.feed.protocol.messages import METADATA_KEY

if TYPE_CHECKING:
    import pandas as pd


_END: Final = 8
"""Bytes that end a stream."""


class Encoder:
    """Encodes the frames of one table; keeps the schema of the last one.

    Making a schema costs more than encoding a small frame, and it rarely changes.

    Args:
        room: Where the memory for its bodies comes from.
    """

    def __init__(self, room: Room | None = None) -> None:
        self._room = room or Room()
        self._last: tuple[Any, ...] | None = None
        self._columns: Any = None
        self._schema: pa.Schema | None = None
        self._sized: pa.Schema | None = None
        self._schema_size = 0
        self._is_one = True
        """Whether the stream is a single batch, without dictionaries before it."""
        self._note: str | None = None
        self._described: list[Any] | None = None
        self._stencil: Stencil | None = None

    def __call__(self, captured: Captured) -> Body:
        """Return the frame as a body. Raises nothing that a cell's content could cause."""
        layout = self._layout_of(captured)
        body = self._stencilled(captured, layout)
        if body is None:
            schema, arrays, texts = self.columns(captured, layout)
            body = self._stream(schema, arrays, captured.shape[0])
            self._note = text_note(texts)
            self._draw(body, layout)
        place = self._room.place_of(body) if isinstance(self._room, SharedRoom) else None
        return Body(body, *captured.shape, self._note, place)

    def _layout_of(self, captured: Captured) -> Layout | None:
        """Return the layout of the frame in memory, None if a stencil can't use it.

        Don't keep it: `send` would count its references as the caller's, and copy the frame.
        """
        if isinstance(captured.frame, pa.Table) or not captured.shape[0]:
            return None
        levels = _levels_of(captured.frame.index)
        return layout_of(captured.frame, list(map(values_of_column, levels)))

    def _stencilled(self, captured: Captured, layout: Layout | None) -> memoryview | None:
        """Return the frame's body if the stencil of the last frame fits, None if not."""
        if layout is None:
            return None
        frame = captured.frame
        names = list(map(to_json, frame.index.names))
        described = [names, _range_of(frame.index), [one.described for one in layout]]
        fits = described == self._described and _same_labels(self._columns, frame.columns)
        self._described = described
        if not fits:
            self._stencil = None
        if self._stencil is None:
            return None
        try:
            return self._stencil.fill(layout, captured.shape[0], self._room)
        except ValueError:
            return None

    def _draw(self, body: memoryview, layout: Layout | None) -> None:
        """Make a stencil of a body, for later frames of the same layout."""
        self._stencil = None
        if layout is not None:
            with contextlib.suppress(ValueError):
                self._stencil = Stencil(body, layout)

    def _stream(self, schema: pa.Schema, arrays: list[pa.Array], rows: int) -> memoryview:
        """Do what `stream` does, in memory from the pool."""
        batch = _batch(schema, arrays, rows)
        if schema is not self._sized:
            self._sized, self._schema_size = schema, batch.schema.serialize().size
            self._is_one = "dictionary" not in str(schema.types)
        # Compute the size first: a buffer that grows is copied each time.
        size = self._schema_size + pa.ipc.get_record_batch_size(batch) + _END
        if not self._is_one or not LEAST <= size <= MOST:
            return _stream(batch)
        body = self._room.take(size)
        with pa.ipc.new_stream(pa.FixedSizeBufferWriter(pa.py_buffer(body)), batch.schema) as into:
            into.write_batch(batch)
        return body.toreadonly()

    def columns(
        self, captured: Captured, layout: Layout | None = None
    ) -> tuple[pa.Schema, list[pa.Array], list[str]]:
        """Return the frame's schema, its columns, and which of them became text."""
        if isinstance(captured.frame, pa.Table):
            return self._from_arrow(captured.frame)
        return self._from_pandas(captured.frame, layout)

    def _from_pandas(
        self, frame: pd.DataFrame, layout: Layout | None
    ) -> tuple[pa.Schema, list[pa.Array], list[str]]:
        index_range = _range_of(frame.index)
        if layout is not None:  # it has converted all other columns than numbers to Arrow
            columns = [part for run in layout for part in run.columns]
        else:
            levels = map(values_of_column, _levels_of(frame.index))
            columns = list(map(Column, [*levels, *columns_of(frame)]))
        arrays = [column.array for column in columns]
        texts = [number for number, column in enumerate(columns) if column.is_text]
        dtypes = [_named(column.dtype) for column in columns]
        names = list(map(to_json, frame.index.names))
        kinds = [array.type for array in arrays]
        # `index_range` is compared on its own: Arrow's types don't include it.
        orders = orders_of(arrays)
        recipe = names, index_range, dtypes, kinds, texts, orders
        if self._last != recipe or not _same_labels(self._columns, frame.columns):
            self._schema = _schema(
                labels=list(frame.columns),
                column_names=list(frame.columns.names),
                index_names=list(frame.index.names),
                index_range=index_range,
                dtypes=dtypes,
                types=kinds,
                texts=texts,
                orders=orders,
            )
            self._last, self._columns = recipe, frame.columns
        assert self._schema is not None
        return self._schema, arrays, [self._schema.field(number).name for number in texts]

    def _from_arrow(self, table: pa.Table) -> tuple[pa.Schema, list[pa.Array], list[str]]:
        arrays = [one_chunk(column) for column in table.columns]
        dtypes = list(map(dtype_of, table.schema))
        orders = orders_of(arrays)
        recipe = (table.schema.names, table.schema.types, dtypes, orders)
        if self._last != recipe:
            self._schema = _schema(
                labels=table.schema.names,
                column_names=[None],
                index_names=[None],
                index_range=[0, 1],
                dtypes=dtypes,
                types=table.schema.types,
                texts=[],
                orders=orders,
            )
            self._last, self._columns = recipe, None
        assert self._schema is not None
        return self._schema, arrays, []


_MOST_CATEGORIES: Final = 1000
_MOST_OF_THEM: Final = 64 << 10  # characters: each body has them


def orders_of(arrays: list[pa.Array]) -> dict[str, list[str]]:
    """Return the ordered categories of columns, as texts, by the number of the field.

    A table that changes row by row holds them as plain texts: only this keeps their order.
    """
    orders = {}
    for number, array in enumerate(arrays):
        kind = array.type
        if not pa.types.is_dictionary(kind) or not kind.ordered:
            continue
        plain = plain_type(kind)
        if len(array.dictionary) > _MOST_CATEGORIES:
            continue
        if plain not in _TEXTS and not pa.types.is_integer(plain):
            continue
        texts = array.dictionary.cast(pa.string()).to_pylist()
        if None not in texts and sum(map(len, texts)) <= _MOST_OF_THEM:
            orders[str(number)] = texts
    return orders


_TEXTS: Final = (pa.string(), pa.large_string())


def text_note(texts: Sequence[str]) -> str | None:
    """Return a sentence about columns that became text, None if none did."""
    if not texts:
        return None
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    named = ", ".join(text[:40] for text in texts[:3]) + more
    return f"shown as text (no Arrow type fits): {named}"


def stream(schema: pa.Schema, arrays: list[pa.Array], rows: int) -> memoryview:
    """Return columns as an Arrow IPC stream of one batch."""
    return _stream(_batch(schema, arrays, rows))


def _batch(schema: pa.Schema, arrays: list[pa.Array], rows: int) -> pa.RecordBatch:
    if arrays:
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    # Without columns a column of nulls carries the number of rows.
    batch = pa.RecordBatch.from_arrays([pa.nulls(rows)], names=["rows"])
    return batch.replace_schema_metadata(schema.metadata)


def _stream(batch: pa.RecordBatch) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def _named(dtype: Any) -> str:
    # Not cached: the hash of categories includes their values, which may not be hashable.
    return str(dtype) if type(dtype).__name__ == "CategoricalDtype" else _name_of(dtype)


@lru_cache(maxsize=256)
def _name_of(dtype: Any) -> str:
    return str(dtype)


def _same_labels(last: Any, columns: pd.Index[Any]) -> bool:
    if last is None or last is columns:
        return last is not None
    if not last.identical(columns):
        return False
    # For `identical` 1, 1.0 and True are one label, and so are 0.0 and -0.0.
    kind = "U" if str(columns.dtype) in ("str", "string") else columns.dtype.kind
    return (kind in "UiubM" and columns.nlevels == 1) or _written(last) == _written(columns)


def _written(columns: pd.Index[Any]) -> str:
    return json.dumps([list(map(to_json, columns)), list(map(to_json, columns.names))])


def _range_of(index: pd.Index[Any]) -> list[int] | None:
    """Return start and step of a RangeIndex, None for other indexes."""
    import pandas as pd

    return [index.start, index.step] if isinstance(index, pd.RangeIndex) else None


def _levels_of(index: pd.Index[Any]) -> list[pd.Index[Any]]:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return []
    if isinstance(index, pd.MultiIndex):
        return [index.get_level_values(level) for level in range(index.nlevels)]
    return [index]


def _schema(
    *,
    labels: list[Any],
    column_names: list[Any],
    index_names: list[Any],
    index_range: list[int] | None,
    dtypes: list[str],
    types: list[pa.DataType],
    texts: list[int],
    orders: dict[str, list[str]],
) -> pa.Schema:
    """Return the schema: the index's levels first, then the columns, named by their text."""
    levels = 0 if index_range is not None else len(index_names)
    every = index_names[:levels] + labels
    names = [
        to_text(label).encode("utf-8", "replace").decode()
        or (f"index {at}" if levels > 1 else "index" if at < levels else "")
        for at, label in enumerate(every)
    ]
    described = {
        "index": [to_json(name) for name in index_names],
        "range": index_range,
        "columns": [to_json(name) for name in column_names],
        "labels": [to_json(label) for label in labels],
        "dtypes": dtypes,
        "text": texts,
        **({"orders": orders} if orders else {}),
    }
    fields = [pa.field(name, kind) for name, kind in zip(names, types, strict=True)]
    text = json.dumps(described, separators=(",", ":"))
    return pa.schema(fields, metadata={METADATA_KEY: text.encode()})
