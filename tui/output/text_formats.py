"""Tables as text: CSV, TSV, JSON, JSON lines, Markdown, or as on the screen."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TextIO

from livetable.feed.arrow.arrays import numpy_type, plain_type, without_dictionary
from livetable.feed.base.terminal_text import harmless
from livetable.tui.grid.layout import Layout, title_text
from livetable.tui.model.table import Table
from livetable.tui.query.column_choice import free_title
from livetable.tui.text.column_format import ColumnFormat, fit

if TYPE_CHECKING:
    import pyarrow as pa

_SLICE: Final = 4096  # rows that are turned into text at once
_BATCH: Final = 65_536  # rows whose times are measured at once

Progress = Callable[[int], object]
"""Called with the number of rows written so far."""


def _silent(rows: int) -> None:
    pass


def _write_table(table: Table, out: TextIO, progress: Progress = _silent) -> None:
    layout = Layout(table)
    for start, stop in _slices(table):  # first all widths: a column's width must not change later
        for column, form in enumerate(layout.formats):
            form.measure(form.values(table.window(column, start, stop)))
    header = [
        title_text(harmless(title), form)
        for title, form in zip(layout.titles, layout.formats, strict=True)
    ]
    print(" ".join(header)[1:].rstrip() if header else "", file=out)
    for start, stop in _slices(table, progress):
        cells = [
            [fit(text, form.width, right=form.right) for text in form.texts(values)]
            for form, values in (
                (form, form.values(table.window(column, start, stop)))
                for column, form in enumerate(layout.formats)
            )
        ]
        rows = zip(*cells, strict=True) if cells else ((),) * (stop - start)
        out.writelines("  ".join(row).rstrip() + "\n" for row in rows)


def _write_csv(
    table: Table,
    out: TextIO,
    progress: Progress = _silent,
    *,
    separator: str = ",",
    header: Sequence[str] | None = None,
    more_to_come: bool = False,
) -> None:
    """Write CSV. The header is the titles, or another one; an empty one is left out."""
    columns = data_columns(table)
    writer = csv.writer(_Ends(out), lineterminator="\r\n", delimiter=separator)
    titles = [table.titles[column] for column in columns] if header is None else header
    if header is None or header:
        writer.writerow(titles)
    forms = time_forms(None if more_to_come else table, table, columns)
    for start, stop in _slices(table, progress):
        plain = [
            list(map(csv_value, values))
            for values in plain_values(table, columns, start, stop, forms=forms)
        ]
        writer.writerows(zip(*plain, strict=True))


class _Ends:
    """Ends rows with LF. Python's writer must end them with CRLF, or it would not quote a CR."""

    def __init__(self, out: TextIO) -> None:
        self._write = out.write

    def write(self, row: str) -> int:
        """Write one row."""
        return self._write(row.removesuffix("\r\n") + "\n")


def _write_json(table: Table, out: TextIO, progress: Progress = _silent) -> None:
    out.write("[")
    separator = "\n"
    for record in _records(table, progress):
        out.write(separator + record)
        separator = ",\n"
    out.write("\n]\n")


def _write_jsonl(
    table: Table, out: TextIO, progress: Progress = _silent, *, more_to_come: bool = False
) -> None:
    records = _records(table, progress, more_to_come=more_to_come)
    out.writelines(record + "\n" for record in records)


def _write_tsv(table: Table, out: TextIO, progress: Progress = _silent) -> None:
    _write_csv(table, out, progress, separator="\t")


def _write_markdown(table: Table, out: TextIO, progress: Progress = _silent) -> None:
    columns = data_columns(table)
    forms = [ColumnFormat(table.types[column]) for column in columns]
    out.write(_markdown_row(table.titles[column] for column in columns))
    out.write(_markdown_row("--:" if form.right else ":--" for form in forms))
    for start, stop in _slices(table):  # first all digits: a column's digits must not change later
        for form, column in zip(forms, columns, strict=True):
            form.measure(form.values(table.window(column, start, stop)))
    for start, stop in _slices(table, progress):
        cells = []
        for form, column in zip(forms, columns, strict=True):
            cells.append(form.texts(form.values(table.window(column, start, stop))))
        out.writelines(map(_markdown_row, zip(*cells, strict=True)))


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


WRITERS: Final[dict[str, Callable[..., None]]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "tsv": _write_tsv,
    "markdown": _write_markdown,
}


def _slices(table: Table, progress: Progress = _silent) -> Iterator[tuple[int, int]]:
    for start in range(0, table.rows, _SLICE):
        stop = min(table.rows, start + _SLICE)
        yield start, stop
        progress(stop)


def data_columns(table: Table) -> list[int]:
    """Return the columns without a range index."""
    return [
        column
        for column, heading in enumerate(table.headings.columns)
        if heading.source is not None or heading.formula is not None
    ]


def names_of(table: Table, columns: Sequence[int]) -> list[str]:
    """Return titles of columns, each different from the others."""
    names: list[str] = []
    for column in columns:
        names.append(free_title(table.titles[column] or f"column {column}", names))
    return names


Forms = Mapping[int, ColumnFormat]
"""Formats of the time columns, by column."""


def time_forms(whole: Table | None, table: Table, columns: Sequence[int]) -> Forms:
    """Return the formats of time columns: all values of a column get the same digits.

    Args:
        whole: All rows that will be written; None: not known yet, so write all digits of the type.
        table: The table.
        columns: Which of its columns.
    """
    import pyarrow as pa

    forms = {}
    for column in columns:
        if not pa.types.is_temporal(plain_type(table.types[column])):
            continue
        forms[column] = form = ColumnFormat(table.types[column])
        if whole is None:
            form.settle()
            continue
        for start in range(0, whole.rows, _BATCH):
            stop = min(whole.rows, start + _BATCH)
            form.settle(without_dictionary(whole.window(column, start, stop)))
    return forms


def plain_values(
    table: Table,
    columns: Sequence[int],
    start: int,
    stop: int,
    *,
    finite: bool = False,
    forms: Forms | None = None,
) -> list[list[Any]]:
    """Return columns as values of CSV and JSON: text, numbers, true, false and null.

    Args:
        table: The table.
        columns: Which of its columns.
        start: The first row, as shown.
        stop: The row after the last.
        finite: Whether infinity and NaN become null: JSON has no such numbers.
        forms: The formats of times, from `time_forms`; None: those that these rows need.
    """
    import pyarrow as pa

    plain = []
    for column in columns:
        window = table.window(column, start, stop)
        window = without_dictionary(window)
        if pa.types.is_temporal(window.type):
            form = forms.get(column) if forms is not None else None
            if form is None:
                form = ColumnFormat(window.type)
                form.settle(window)
            values = form.values(window)
            texts = form.texts(values)
            plain.append(
                [None if time is None else text for time, text in zip(values, texts, strict=True)]
            )
        else:
            try:
                values = window.to_pylist()
            except Exception:  # a list with dates outside Python's range
                values = ColumnFormat(window.type).values(window)
            if _has_narrow_floats(window.type):
                values = [_as_narrow(value, window.type) for value in values]
            plain.append([_plain_value(value, finite) for value in values])
    return plain


def _has_narrow_floats(kind: pa.DataType) -> bool:
    """Tell whether a type contains floats of less than 64 bits, even in a list or struct."""
    import pyarrow as pa

    if pa.types.is_floating(kind):
        return bool(kind.bit_width < 64)
    parts = [kind.field(number).type for number in range(kind.num_fields)]
    return any(map(_has_narrow_floats, parts))


def _as_narrow(value: Any, kind: pa.DataType) -> Any:
    """Return a value whose narrow floats are the shortest numbers that read back the same."""
    import pyarrow as pa

    if isinstance(value, float):
        if pa.types.is_floating(kind) and kind.bit_width < 64:
            return float(str(numpy_type(kind).type(value)))
    elif isinstance(value, dict) and pa.types.is_struct(kind):
        return {
            name: _as_narrow(part, kind.field(number).type)
            for number, (name, part) in enumerate(value.items())
        }
    elif isinstance(value, list) and pa.types.is_map(kind):
        return [(_as_narrow(k, kind.key_type), _as_narrow(v, kind.item_type)) for k, v in value]
    elif isinstance(value, list) and kind.num_fields == 1:
        return [_as_narrow(part, kind.field(0).type) for part in value]
    return value


def _plain_value(value: Any, finite: bool) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) or not finite else None
    if isinstance(value, Decimal):
        # A whole number stays a number, whatever its size: a column may outgrow 64 bits.
        return int(value) if value.as_tuple().exponent == 0 else f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _plain_value(part, finite) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(part, finite) for part in value]
    return str(value)


def csv_value(value: Any) -> Any:
    """Return a plain value as written to CSV: NaN becomes empty, as with pandas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value != value else value


def _records(table: Table, progress: Progress, *, more_to_come: bool = False) -> Iterator[str]:
    columns = data_columns(table)
    names = names_of(table, columns)
    forms = time_forms(None if more_to_come else table, table, columns)
    for start, stop in _slices(table, progress):
        plain = plain_values(table, columns, start, stop, finite=True, forms=forms)
        rows = zip(*plain, strict=True) if plain else ((),) * (stop - start)
        for row in rows:
            yield json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)


def as_text(table: Table, form: str) -> str:
    """Return a table as text in one of the formats of `print_once`."""
    out = io.StringIO()
    WRITERS[form](table, out)
    return out.getvalue()


class HarmlessOut:
    """Writes to a terminal without control characters, except line breaks and tabs.

    Args:
        out: The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write text."""
        lines = (line.replace("\t", "\0") for line in text.split("\n"))
        kept = ("\t".join(map(harmless, line.split("\0"))) for line in lines)
        return self._out.write("\n".join(kept))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the terminal."""
        self._out.flush()


def safe_out(out: TextIO) -> Any:
    """Return an output that is safe for terminals; files get the text unchanged."""
    return HarmlessOut(out) if out.isatty() else out
