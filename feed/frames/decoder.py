"""Decode an Arrow IPC stream to checked columns with their labels. Does not import pandas."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, overload

import pyarrow as pa

from livetable.feed.arrow.arrays import (
    as_numpy,
    check_type,
    checked,
    one_chunk,
    plain_type,
)
from livetable.feed.arrow.envelope import check_stream, is_in_this_order, metadata_size
from livetable.feed.errors import BodyError
from livetable.feed.protocol.labels import Label, from_json
from livetable.feed.protocol.messages import METADATA_KEY

if TYPE_CHECKING:
    from livetable.feed.rows.row_map import Numbers

MAX_COLUMNS: Final = 100_000
"""More columns than this are refused."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of the columns and the index.

    Attributes:
        columns: The columns' labels, in order, duplicates allowed.
        column_names: Names of the levels of the columns' labels.
        index: Names of the index's levels.
        range: Start and step of a RangeIndex; None if the index has values.
        dtypes: Names of the sender's types: of the index's levels, then of the columns.
        text: Positions in `dtypes` of columns that the sender converted to text.
        orders: Positions in `dtypes` of ordered categoricals, each with its categories in order.
    """

    columns: tuple[Label, ...]
    column_names: tuple[Label, ...]
    index: tuple[Label, ...]
    range: tuple[int, int] | None
    dtypes: tuple[str, ...]
    text: frozenset[int]
    orders: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded table, fully validated.

    Attributes:
        labels: Labels of columns and index; the same object while they don't change.
        index: The index's levels, none for a RangeIndex.
        columns: The columns, each of `rows` values.
        rows: The number of rows.
        types: Arrow types of the columns; the same object while they don't change.
        schema: The schema of its stream.
    """

    labels: Labels
    index: Sequence[pa.Array]
    columns: Sequence[pa.Array]
    rows: int
    types: tuple[pa.DataType, ...]
    schema: pa.Schema | None = None

    @property
    def arrays(self) -> Sequence[pa.Array]:
        """The index's levels, then the columns."""
        index, columns = self.index, self.columns
        levels = len(index)
        return Columns(
            levels + len(columns), lambda at: index[at] if at < levels else columns[at - levels]
        )

    @property
    def all_types(self) -> tuple[pa.DataType, ...]:
        """Arrow types of the index's levels and of the columns; the same object for the same."""
        if not self.index:
            return self.types
        return _joined(tuple(one.type for one in self.index), self.types)


@lru_cache(maxsize=16)
def _joined(
    index: tuple[pa.DataType, ...], columns: tuple[pa.DataType, ...]
) -> tuple[pa.DataType, ...]:
    return index + columns


@dataclass(frozen=True, slots=True)
class Delta:
    """Rows of a table that changed.

    Attributes:
        positions: Their positions in the table after the change, ascending.
        table: The rows.
    """

    positions: Numbers
    table: Decoded


class Columns(Sequence[pa.Array]):
    """Columns that are created when they are accessed: of 500 the screen shows ten.

    Args:
        count: How many there are.
        make: Returns the column of a number.
    """

    def __init__(self, count: int, make: Callable[[int], pa.Array]) -> None:
        self._places = range(count)
        self._make = make

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> pa.Array: ...
    @overload
    def __getitem__(self, at: slice) -> list[pa.Array]: ...
    def __getitem__(self, at: int | slice) -> pa.Array | list[pa.Array]:
        if isinstance(at, slice):
            return list(map(self._make, self._places[at]))
        return self._make(self._places[at])


class _Reread:
    """A small batch that drops its Arrow objects after a while, and reads them again from its body.

    The objects of a batch are tens of small allocations. A history of thousands of frames would
    keep them for minutes and fragment the heap: a viewer in use grew by 1 MB in four minutes
    (measured).

    Args:
        body: The stream, checked; never written to again.
        schema: Its schema.
        batch: What it holds.
    """

    __slots__ = ("_batch", "_body", "_schema")

    def __init__(self, body: memoryview, schema: pa.Schema, batch: pa.RecordBatch) -> None:
        self._body, self._schema = body, schema
        self._batch: pa.RecordBatch | None = batch
        _forget_oldest(self)

    def column(self, number: int) -> pa.Array:
        """Return a column."""
        batch = self._batch  # once: another thread may forget it
        if batch is None:
            batch = _batch_of(pa.py_buffer(self._body), self._schema)
            assert batch is not None  # it was one when it came
            self._batch = batch
            _forget_oldest(self)
        return batch.column(number)

    def forget(self) -> None:
        """Drop the Arrow objects; the next access reads them again."""
        self._batch = None


_SMALL: Final = 1 << 16
"""Largest body that is read again, in bytes: for larger ones Arrow's objects hardly matter."""

_at_hand: deque[_Reread] = deque()
_AT_HAND: Final = 32


def _forget_oldest(newest: _Reread) -> None:
    _at_hand.append(newest)
    if len(_at_hand) > _AT_HAND:
        with contextlib.suppress(IndexError):  # another thread was faster
            _at_hand.popleft().forget()


class Decoder:
    """Decodes the bodies of one table; keeps the labels of the last one."""

    def __init__(self) -> None:
        self._schema: pa.Schema | None = None
        self._labels: Labels | None = None
        self._types: tuple[pa.DataType, ...] = ()
        self._named: list[int] = []
        self._head: tuple[bytes, pa.Schema] | None = None
        """The first message of the last stream, and its schema."""

    def __call__(self, body: bytes | bytearray | memoryview) -> Decoded:
        """Return the table in `body`, which must not be written to any more.

        Raises:
            BodyError: it is not the Arrow stream that docs/protocol.md asks for.
        """
        batch, is_plain = self._batch(body)
        return self._decoded(batch, memoryview(body) if is_plain and len(body) <= _SMALL else None)

    def delta(self, body: bytes | bytearray | memoryview) -> Delta:
        """Return the rows in `body`, the first field of which says where they are.

        Raises:
            BodyError: it is not the Arrow stream that docs/protocol.md asks for.
        """
        batch, _ = self._batch(body)
        if (
            not len(batch.schema)
            or _first_name(batch.schema) != "row"
            or batch.schema.types[0] != pa.int64()
        ):
            raise BodyError("a delta's first field must be an int64 named row")
        where = batch.column(0)
        positions = as_numpy(where)
        if where.null_count or (len(positions) and positions[0] < 0):
            raise BodyError("a delta's row numbers must be 0 or more")
        if len(positions) > 1 and int((positions[1:] - positions[:-1]).min()) < 1:
            raise BodyError("a delta's row numbers must ascend")
        return Delta(positions, self._decoded(batch.remove_column(0)))

    def _batch(self, body: bytes | bytearray | memoryview) -> tuple[pa.RecordBatch, bool]:
        """Return the rows of a stream, and whether `_batch_of` reads them with their schema."""
        try:
            check_stream(memoryview(body))
            batch, is_plain = self._only_batch(memoryview(body))
            # Before any value is read: a corrupted offset would crash the process.
            batch.validate(full=True)
        except BodyError:
            raise
        except Exception as error:  # on damaged data Arrow raises any kind of exception
            raise BodyError(f"not a readable Arrow stream: {error}".split("\n")[0][:300]) from None
        return batch, is_plain

    def _only_batch(self, body: memoryview) -> tuple[pa.RecordBatch, bool]:
        buffer = pa.py_buffer(body)
        head = bytes(body[: 8 + metadata_size(body[:8])])
        # Reading a schema of 500 fields takes three times as long as reading their values.
        if self._head is not None and head == self._head[0]:
            batch = _batch_of(buffer, self._head[1])
            if batch is not None:
                return batch, True
        batch = _only_batch(buffer)
        # The other byte order only Arrow's stream reader converts, so don't reuse that schema.
        self._head = (head, batch.schema) if is_in_this_order(head) else None
        return batch, False

    def _decoded(self, batch: pa.RecordBatch, again: memoryview | None = None) -> Decoded:
        try:
            labels = self._read_labels(batch.schema)
        except UnicodeDecodeError as error:  # a field's name
            raise BodyError(f"not a readable Arrow stream: {error}"[:300]) from None
        for number in self._named:
            plain = checked(batch.column(number))
            if plain is not batch.column(number):
                batch, again = batch.set_column(number, batch.schema.field(number), plain), None
        column = batch.column if again is None else _Reread(again, batch.schema, batch).column
        levels = 0 if labels.range is not None else len(labels.index)
        # Without any columns a column of nulls holds the number of rows.
        stop = batch.num_columns if labels.dtypes else levels
        index = Columns(levels, column)
        columns = Columns(stop - levels, lambda number: column(levels + number))
        return Decoded(labels, index, columns, batch.num_rows, self._types, batch.schema)

    def _read_labels(self, schema: pa.Schema) -> Labels:
        if self._labels is None or not schema.equals(self._schema, check_metadata=True):
            for kind in schema.types:
                check_type(kind)
            self._labels = _labels((schema.metadata or {}).get(METADATA_KEY, b""), schema)
            levels = 0 if self._labels.range is not None else len(self._labels.index)
            self._types = tuple(schema.types[levels:]) if self._labels.dtypes else ()
            self._schema = schema
            # In these columns many rows may refer to one long value.
            self._named = [at for at, kind in enumerate(schema.types) if plain_type(kind) != kind]
        return self._labels


def _only_batch(buffer: pa.Buffer) -> pa.RecordBatch:
    """Return a stream's rows as one batch."""
    with pa.ipc.open_stream(buffer) as reader:
        _check_schema(reader.schema)
        batches = list(reader)
        if len(batches) == 1:
            return batches[0]
        table = pa.Table.from_batches(batches, reader.schema)
    table.validate(full=True)  # before its chunks are joined
    return pa.RecordBatch.from_arrays(list(map(one_chunk, table.columns)), schema=table.schema)


def _batch_of(buffer: pa.Buffer, schema: pa.Schema) -> pa.RecordBatch | None:
    """Return the batch of a stream with this schema, None if there is not one message for it."""
    messages = list(pa.ipc.MessageReader.open_stream(buffer))
    if [message.type for message in messages] != ["schema", "record batch"]:
        return None  # several batches, or dictionaries
    return pa.ipc.read_record_batch(messages[1], schema)


def _first_name(schema: pa.Schema) -> str | None:
    try:
        return str(schema.field(0).name)
    except UnicodeDecodeError:
        return None


def _check_schema(schema: pa.Schema) -> None:
    if len(schema) > MAX_COLUMNS:
        raise BodyError(f"{len(schema)} columns are more than the limit of {MAX_COLUMNS}")


def _labels(metadata: bytes, schema: pa.Schema) -> Labels:
    if not metadata:  # a plain Arrow stream: its field names are the labels
        names = schema.names
        return Labels(
            tuple(names), (None,), (None,), (0, 1), tuple(map(str, schema.types)), frozenset()
        )
    try:
        described: dict[str, Any] = json.loads(metadata)
        index = tuple(map(from_json, described["index"]))
        span = described["range"]
        labels = Labels(
            columns=tuple(map(from_json, described["labels"])),
            column_names=tuple(map(from_json, described["columns"])),
            index=index,
            range=None if span is None else (int(span[0]), int(span[1])),
            dtypes=tuple(map(str, described["dtypes"])),
            text=frozenset(map(int, described["text"])),
            orders=tuple(
                (int(at), tuple(map(str, texts)))
                for at, texts in dict(described.get("orders", {})).items()
            ),
        )
    except Exception as error:
        raise BodyError(f"can't read the labels in the schema's metadata: {error}") from None
    if labels.range is not None and (labels.range[1] == 0 or max(map(abs, labels.range)) > 1 << 40):
        raise BodyError(f"range: {labels.range} must be the start and step of an index")
    fields = len(labels.columns) + (0 if labels.range is not None else len(index))
    if fields != len(labels.dtypes) or fields != (len(schema) if labels.dtypes else 0):
        raise BodyError(f"labels for {fields} columns, but the stream has {len(schema)}")
    return labels
