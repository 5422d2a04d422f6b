"""Reads a table from a message's bytes. Detects the format, or takes it from the content type."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import pyarrow as pa

from livetable.feed.arrow.arrays import check_type, checked, plain_type
from livetable.feed.arrow.cells import unmixed_array
from livetable.feed.arrow.envelope import check_stream
from livetable.feed.base.terminal_text import safe_str
from livetable.feed.errors import LivetableError
from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import MAX_COLUMNS
from livetable.feed.frames.exact import exact
from livetable.feed.sources.json_documents import table_of_value
from livetable.feed.sources.json_values import BadJson, is_deep, loads
from livetable.feed.sources.pickle_reader import looks_pickled

TYPES: Final = {
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
}
"""Content types that say how a text is to be read; of other bytes it is seen."""


MAX_UNPACKED: Final = 2 << 30
"""A message may unpack to so many bytes."""

FREE_CELLS: Final = 2_000_000
CELLS_A_BYTE: Final = 20
"""Records with different names make a table of mostly nothing: it may have so many cells, and so
many more for each byte of the message."""

_MOST_OF_NOTHING: Final = 10_000_000


class Unreadable(LivetableError):
    """Bytes that are not a table. The sentence says what they seem to be."""


def recognise(data: bytes, *, pickles: bool) -> Any:
    """Return the table in a message, as something `Publisher.send` takes.

    Recognised: Arrow IPC stream and file (Feather), Parquet, JSON records, JSON
    columns, and CSV with a header. A pickled DataFrame only if admitted.

    Raises:
        Unreadable: it is none of these.
        Refused: a pickle that names anything but a DataFrame's parts.
    """
    # Long, as it is a list: one form of a message after the other.
    if looks_pickled(data):
        if not pickles:
            raise Unreadable(
                "this publisher sends pickles, which can run code where they are read: "
                "add --pickle to accept DataFrames, and nothing else"
            )
        from livetable.feed.sources.pickle_frames import thaw
        from livetable.feed.sources.pickle_reader import read

        return thaw(read(data))
    try:
        if data[:4] == b"\xff\xff\xff\xff" or data[:6] == _FEATHER:
            # A file is a stream between two marks, followed by where its parts are.
            stream = memoryview(data)[8 if data[:6] == _FEATHER else 0 :]
            check_stream(stream, unpacked=MAX_UNPACKED)
            return _checked(pa.ipc.open_stream(pa.py_buffer(stream)).read_all())
        if data[:4] == b"PAR1":
            from livetable.feed.sources.parquet import read_parquet

            return _checked(read_parquet(data, MAX_UNPACKED))
        if data[:1] in (b"[", b"{"):
            return _json_or_lines(data)
        if data[:1] and data[0] in _PACKED and (packed := _message_pack(data)) is not None:
            return packed
        if _looks_like_csv(data):
            return _lines(data, "csv")
    except Unreadable:
        raise
    except Exception as error:  # of any library, on bytes of a stranger's
        raise Unreadable(f"can't read a message as a table: {safe_str(error):.200}") from None
    raise Unreadable(
        f"a message of {len(data):,} bytes is neither Arrow, Feather, Parquet, JSON, CSV nor pickle"
    )


_FEATHER: Final = b"ARROW1"
_PACKED: Final = frozenset((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
"""First bytes of a map and of a list in MessagePack."""


def _message_pack(data: bytes) -> Any:
    """Return the table in MessagePack: a record, records, or columns; None if it is none.

    Raises:
        MissingExtra: what reads it is not installed.
    """

    from livetable.feed.base.extras import need

    msgpack = need("msgpack", "msgpack", "a message in MessagePack")
    try:
        value = msgpack.unpackb(data, strict_map_key=False, timestamp=3)
    except Exception:  # of msgpack, on what is none
        return None
    if is_deep(value):
        raise Unreadable("a message is nested too deeply to be a table")
    if isinstance(value, dict) and value:
        if _is_columns(value):
            return _by_columns(value, len(data))
        return _records([value], len(data))
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return _records(value, len(data))
    return None


def check_cells(rows: int, columns: int, size: int) -> None:
    """Raise if most cells of a table would be empty, and it far larger than its message.

    Raises:
        Unreadable: it would.
    """
    if rows * columns > FREE_CELLS + CELLS_A_BYTE * size:
        raise Unreadable(
            f"can't make a table of {rows:,} records with {columns:,} different names: "
            "most of its cells would be empty"
        )


def _by_columns(columns: dict[Any, Any], size: int) -> Any:
    """Return columns, each a list or an object, as a table."""
    import pandas as pd

    if all(isinstance(part, dict) for part in columns.values()):
        labels = {label for part in columns.values() for label in part}
        check_cells(len(labels), len(columns), size)
        frame = pd.DataFrame(columns)
        return exact(frame, lambda name: [columns[name].get(label) for label in frame.index])
    return capture(columns).frame


def array_of(header: bytes, data: bytes) -> Any:
    """Return a NumPy array that came as pyzmq's guide sends one: a JSON header, then its memory.

    Args:
        header: ``{"dtype": "float64", "shape": [100, 3]}``, perhaps with ``columns``.
        data: The array's memory.

    Raises:
        Unreadable: the two don't fit, or it has more than two dimensions.
    """
    import numpy as np
    import pandas as pd

    try:
        about = json.loads(header)
        kind, shape = np.dtype(about["dtype"]), tuple(map(int, about["shape"]))
        if kind.hasobject:
            raise Unreadable("can't read an array of Python objects")
        if not kind.itemsize or (not data and max(shape, default=0) > _MOST_OF_NOTHING):
            raise Unreadable(f"an array of {shape} {kind} is too large")
        if len(shape) == 2 and shape[1] > MAX_COLUMNS:
            raise Unreadable(f"{shape[1]:,} columns are too many: the limit is {MAX_COLUMNS:,}")
        if len(shape) > 2 or math.prod(shape) * kind.itemsize != len(data):
            raise Unreadable(f"an array of {shape} {kind} does not fit {len(data):,} bytes")
        array = np.frombuffer(data, kind).reshape(shape)
    except Unreadable:
        raise
    except Exception as error:  # of NumPy, on what a stranger says
        raise Unreadable(f"can't read an array's header: {safe_str(error):.200}") from None
    if kind.names:
        return pd.DataFrame({name: array.reshape(-1)[name] for name in kind.names})
    columns = about.get("columns")
    fits = isinstance(columns, list) and array.ndim == 2 and len(columns) == shape[1]
    return pd.DataFrame(array, columns=columns if fits else None)


def _checked(table: pa.Table) -> pa.Table:
    table.validate(full=True)
    for kind in table.schema.types:
        check_type(kind)
    for number, column in enumerate(table.columns):
        if (
            plain_type(column.type) != column.type
        ):  # dictionary-encoded: values may be stored once and used often
            chunks = pa.chunked_array(list(map(checked, column.chunks)), column.type)
            table = table.set_column(number, table.schema.field(number), chunks)
    return table


def _json_or_lines(data: bytes) -> Any:
    try:
        return _json(data)
    except BadJson as error:
        if data[:1] != b"{" or "Extra data" not in str(error):
            raise
        return _lines(data, "jsonl")


def _json(data: bytes) -> Any:
    value = loads(data)
    if isinstance(value, dict) and not value:
        raise Unreadable("an empty object is neither a record nor a table")
    if isinstance(value, list):
        if value and not all(isinstance(row, dict) for row in value):
            raise Unreadable("a JSON list must hold records, [{…}, {…}]")
        names = {name for row in value for name in row}
        check_cells(len(value), len(names), len(data))
    elif all(isinstance(part, dict) for part in value.values()):
        labels = {label for part in value.values() for label in part}
        check_cells(len(labels), len(value), len(data))
    try:
        return table_of_value(value).table
    except BadJson as error:
        raise Unreadable(f"JSON that {error}") from None


def _is_columns(value: dict[str, Any]) -> bool:
    """Tell a table by columns from one record: all are lists, or all are objects."""
    parts = list(value.values())
    if all(isinstance(part, list) for part in parts):
        return True
    return all(isinstance(part, dict) for part in parts) and len(parts) > 1


def _records(rows: list[dict[str, Any]], size: int) -> Any:
    """Return records as a table: whole numbers stay whole where some of them are missing."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_cells(len(rows), len(names), size)
    if not names or not all(isinstance(name, str) for name in names):
        return capture(rows).frame
    try:
        arrays = [unmixed_array([row.get(name) for row in rows]) for name in names]
    except (pa.ArrowException, OverflowError, ValueError):  # values of several types in one column
        return capture(rows).frame
    return pa.table(arrays, names=names)


def _looks_like_csv(data: bytes) -> bool:
    first, newline, _ = data[:65_536].partition(b"\n")
    try:
        text = first.decode()
    except UnicodeDecodeError:
        return False
    return (
        bool(newline)
        and ("," in text or text.strip().isidentifier())
        and all(c.isprintable() or c in "\r\t" for c in text)
    )


def table_of(data: bytes, content_type: str) -> Any:
    """Return the table in a body, as something `Publisher` takes.

    Args:
        data: The body.
        content_type: What is said of it; of what is not in `TYPES` it is seen.

    Raises:
        Unreadable: it is none.
    """
    form = TYPES.get(content_type.partition(";")[0].strip().lower())
    if not data.strip():
        raise Unreadable("the body is empty: send JSON records, JSON lines, CSV, Arrow or Parquet")
    if looks_pickled(data):
        raise Unreadable("can't read pickles: send JSON, CSV, Arrow or Parquet")
    if form is None or (form == "json" and data.lstrip()[:1] not in b"[{"):
        return recognise(data.strip() if data.lstrip()[:1] in (b"[", b"{") else data, pickles=False)
    try:
        return _json(data) if form == "json" else _lines(data, form)
    except Unreadable:
        raise
    except Exception as error:  # of any library, on bytes of a stranger's
        raise Unreadable(f"can't read the body as {form}: {safe_str(error):.200}") from None


_NAME: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')


def _lines(data: bytes, form: str) -> pa.Table:
    from livetable.feed.sources.lines import Lines

    if form == "jsonl":
        names: set[bytes] = set()
        rows = data.count(b"\n") + 1
        for match in _NAME.finditer(data):
            names.add(match[1])
            if len(names) % 1000 == 0:
                check_cells(rows, len(names), len(data))
        check_cells(rows, len(names), len(data))
    lines = Lines(form)
    table = lines.add(data, last=True)
    if lines.bad:  # a part is not taken for the whole
        first = lines.bad[0]
        raise Unreadable(f"line {first.number} {first.reason}")
    if table is None:
        raise Unreadable(f"the body has no {form} rows")
    return table
