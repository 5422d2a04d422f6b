"""A captured frame as the bytes of an Arrow IPC stream, labels and index included."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from livetable.feed.arrays import one_chunk, to_arrow, values_of_column
from livetable.feed.blocks import arrow_columns
from livetable.feed.frames import Captured
from livetable.feed.labels import to_json, to_text
from livetable.feed.state import Body
from livetable.feed.wire import METADATA_KEY

if TYPE_CHECKING:
    import pandas as pd


class Encoder:
    """Encodes the frames of one table; remembers the schema of the last one.

    Making a schema costs more than a small frame's data, and it seldom changes.
    """

    def __init__(self) -> None:
        self._last: tuple[Any, ...] | None = None
        self._columns: Any = None
        self._schema: pa.Schema | None = None

    def __call__(self, captured: Captured) -> Body:
        """Return the frame as a body. Raises nothing that a cell's content could cause."""
        schema, arrays, texts = self.columns(captured)
        note = None
        if texts:
            named = ", ".join(text[:40] for text in texts[:3]) + (
                f" and {len(texts) - 3} more" if texts[3:] else ""
            )
            note = f"shown as text, as Arrow has no such type: {named}"
        rows, columns = captured.shape
        return Body(stream(schema, arrays, rows), rows, columns, note)

    def columns(self, captured: Captured) -> tuple[pa.Schema, list[pa.Array], list[str]]:
        """Return the frame's schema, its columns, and which of them became text."""
        if isinstance(captured.frame, pa.Table):
            return self._from_arrow(captured.frame)
        return self._from_pandas(captured.frame)

    def _from_pandas(self, frame: pd.DataFrame) -> tuple[pa.Schema, list[pa.Array], list[str]]:
        index_range, levels = _index_levels(frame.index)
        indexes = [(*to_arrow(one), one.dtype) for one in map(values_of_column, levels)]
        columns = [*indexes, *arrow_columns(frame)]
        arrays = [array for array, _, _ in columns]
        as_text = [text for _, text, _ in columns]
        names = tuple(frame.index.names)
        dtypes = [_named(dtype) for _, _, dtype in columns]
        # The range's start is the one thing about the index that a schema does not say.
        recipe = (
            list(map(to_json, names)),
            index_range,
            dtypes,
            [array.type for array in arrays],
            as_text,
        )
        if self._last != recipe or not _same_labels(self._columns, frame.columns):
            self._schema = _schema(
                labels=list(frame.columns),
                column_names=list(frame.columns.names),
                index_names=list(names),
                index_range=index_range,
                dtypes=dtypes,
                types=recipe[3],
                as_text=as_text,
            )
            self._last, self._columns = recipe, frame.columns
        assert self._schema is not None
        texts = [self._schema.field(at).name for at, text in enumerate(as_text) if text]
        return self._schema, arrays, texts

    def _from_arrow(self, table: pa.Table) -> tuple[pa.Schema, list[pa.Array], list[str]]:
        arrays = [one_chunk(column) for column in table.columns]
        recipe = (table.schema.names, table.schema.types)
        if self._last != recipe:
            self._schema = _schema(
                labels=table.schema.names,
                column_names=[None],
                index_names=[None],
                index_range=[0, 1],
                dtypes=list(map(str, table.schema.types)),
                types=table.schema.types,
                as_text=[False] * table.num_columns,
            )
            self._last, self._columns = recipe, None
        assert self._schema is not None
        return self._schema, arrays, []


def stream(schema: pa.Schema, arrays: list[pa.Array], rows: int) -> memoryview:
    """Return columns as an Arrow IPC stream of one batch."""
    if arrays:
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
    else:  # no column holds the number of rows then
        batch = pa.RecordBatch.from_arrays([pa.nulls(rows)], names=["rows"])
        schema = batch.schema.with_metadata(schema.metadata)
        batch = batch.replace_schema_metadata(schema.metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


@lru_cache(maxsize=256)
def _named(dtype: Any) -> str:
    return str(dtype)


def _same_labels(last: Any, columns: pd.Index[Any]) -> bool:
    # `identical` alone takes 1 and True for the same label.
    return (
        last is not None
        and (last is columns or last.identical(columns))
        and (last.dtype != object or list(map(type, last)) == list(map(type, columns)))
    )


def _index_levels(index: pd.Index[Any]) -> tuple[list[int] | None, list[pd.Index[Any]]]:
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        return [index.start, index.step], []
    if isinstance(index, pd.MultiIndex):
        return None, [index.get_level_values(level) for level in range(index.nlevels)]
    return None, [index]


def _schema(
    *,
    labels: list[Any],
    column_names: list[Any],
    index_names: list[Any],
    index_range: list[int] | None,
    dtypes: list[str],
    types: list[pa.DataType],
    as_text: list[bool],
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
        "text": [at for at, text in enumerate(as_text) if text],
    }
    fields = [pa.field(name, kind) for name, kind in zip(names, types, strict=True)]
    text = json.dumps(described, separators=(",", ":"))
    return pa.schema(fields, metadata={METADATA_KEY: text.encode()})
