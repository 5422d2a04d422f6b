"""Writes a table to a file in the format of its suffix, atomically."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from livetable.feed.arrow.arrays import plain_type, without_dictionary
from livetable.feed.errors import LivetableError
from livetable.feed.sources.file_types import path_of
from livetable.tui.model.table import Table
from livetable.tui.output.text_formats import WRITERS, Progress, data_columns, names_of

_BATCH: Final = 65_536  # rows per batch of a Parquet or Arrow file

_TEXTS: Final = {
    ".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".md": "markdown", ".txt": "table",
}  # fmt: skip
SUFFIXES: Final = (*_TEXTS, ".parquet", ".feather", ".arrow")
"""Suffixes of the files that can be written."""


class ExportError(LivetableError):
    """A table can't be written to a file."""


def destination(text: str) -> Path:
    """Return the file that a person typed.

    Raises:
        ExportError: its suffix is unknown, or its folder does not exist.
    """
    try:
        path = path_of(text.strip())
        has_folder = path.parent.is_dir()
        path.exists()
    except (OSError, RuntimeError) as error:  # ~ of an unknown user, a name that is too long
        raise ExportError(f"Can't use this file name: {error}") from None
    if path.suffix.lower() not in SUFFIXES:
        raise ExportError(f"The file name must end in one of {' '.join(SUFFIXES)}")
    if not has_folder:
        raise ExportError(f"No folder {path.parent}")
    return path


def export(table: Table, path: Path, progress: Progress) -> int:
    """Write a table as it is shown; return the file's size in bytes.

    An existing file is replaced atomically, once everything is written.

    Args:
        table: The table.
        path: The file, from `destination`.
        progress: Called with the number of rows written so far.

    Raises:
        ExportError: it could not be written; no partial file is left.
    """
    try:
        with replaced(path) as file:
            _write(table, path.suffix.lower(), file, progress)
            file.flush()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise ExportError(f"Can't write {path}: {error.strerror or error}") from None
    except pa.ArrowException as error:
        raise ExportError(f"{path.suffix} can't hold this table: {error}") from None
    return size


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` at the end, or is removed after an exception.

    Raises:
        OSError: it can't be written, or can't replace `path`.
    """
    part = part_of(path)
    try:
        with open_new(part) as file:
            yield file
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def part_of(path: Path) -> Path:
    """Return the name of the temporary file: random, so nobody can put a link there first."""
    return path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.part")


def open_new(path: Path) -> BinaryIO:
    """Create a file; fail if anything exists there, even a link."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def write_arrow(table: Table, form: str, file: IO[bytes]) -> None:
    """Write a table as an Arrow stream (``arrow``) or as ``parquet``; the file may be a pipe."""
    _write_arrow(table, file, pa.ipc.new_stream if form == "arrow" else _parquet, lambda rows: None)


def _write(table: Table, suffix: str, file: IO[bytes], progress: Progress) -> None:
    if suffix in _TEXTS:
        import io

        text = io.TextIOWrapper(file, "utf-8", newline="")
        WRITERS[_TEXTS[suffix]](table, text, progress)
        text.flush()
        text.detach()
    else:
        _write_arrow(table, file, _parquet if suffix == ".parquet" else pa.ipc.new_file, progress)


def _parquet(file: IO[bytes], schema: pa.Schema) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetWriter(file, schema)


def _write_arrow(
    table: Table, file: IO[bytes], writer_of: Callable[..., Any], progress: Progress
) -> None:
    columns = data_columns(table)
    fields = [
        pa.field(name, _stored_type(table.types[column]))
        for name, column in zip(names_of(table, columns), columns, strict=True)
    ]
    schema = pa.schema(fields)
    with writer_of(file, schema) as writer:
        for start in range(0, max(table.rows, 1), _BATCH):
            stop = min(table.rows, start + _BATCH)
            arrays = [
                _stored(table.window(column, start, stop), field.type)
                for column, field in zip(columns, fields, strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            progress(stop)


def _stored_type(kind: pa.DataType) -> pa.DataType:
    """Return a type that files can hold: no views, not even in the dictionaries of polars."""
    is_dictionary = pa.types.is_dictionary(kind)
    return kind if is_dictionary and plain_type(kind) == kind.value_type else plain_type(kind)


def _stored(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if values.type != kind:
        return without_dictionary(values).cast(kind)
    if pa.types.is_dictionary(kind) and values.null_count:
        # pandas stores -1 as the index of a missing value, which other readers reject.
        places = pc.fill_null(values.indices, 0)
        places = pc.if_else(pc.is_valid(values.indices), places, pa.nulls(1, places.type)[0])
        return pa.DictionaryArray.from_arrays(places, values.dictionary, ordered=kind.ordered)
    return values
