"""Text that comes piece by piece, as rows: CSV, TSV and JSON lines, whole lines only."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from livetable.feed.errors import LivetableError

SEPARATORS: Final = {"csv": ",", "tsv": "\t"}
_QUOTE: Final = b'"'


class BadLines(LivetableError):
    """Text that is no table; the sentence says where."""


class OtherTypes(LivetableError):
    """Lines whose values don't fit the types that those before had.

    Attributes:
        types: Types, by column, that fit all.
    """

    def __init__(self, types: dict[str, pa.DataType]) -> None:
        super().__init__("other types")
        self.types = types


class Lines:
    """Turns pieces of text into rows, each row once.

    Args:
        form: ``csv``, ``tsv`` or ``jsonl``.
        separator: What stands between two values, if it is not what the form says.
        encoding: The text's encoding.
        types: Types of columns that are not to be found out.
    """

    def __init__(
        self,
        form: str,
        *,
        separator: str | None = None,
        encoding: str = "utf-8",
        types: Mapping[str, pa.DataType] | None = None,
    ) -> None:
        self._form = form
        self._separator = separator or SEPARATORS.get(form, ",")
        self._encoding = encoding
        self._rest = b""
        self._names: list[str] | None = None
        self.types: dict[str, pa.DataType] = dict(types or {})
        """The columns' types, as far as they are known."""

    def add(self, data: bytes, *, last: bool = False) -> pa.Table | None:
        """Return the rows of the lines that are whole now, None if there are none.

        Args:
            data: What came.
            last: Whether nothing more will come: then a line without an end is whole, too.

        Raises:
            OtherTypes: they don't fit the types of the rows before.
            BadLines: they can't be read at all.
        """
        text = self._rest + data
        end = len(text) if last else _end_of_lines(text, quotes=self._form != "jsonl")
        self._rest = text[end:]
        whole, text = text, text[:end]
        if not text.strip():
            return None
        try:
            table = self._read(text)
        except OtherTypes:
            self._rest = whole  # it can be asked for again, when `types` fit
            raise
        if table.num_columns == 0:
            return None
        self._names = table.column_names
        if not table.num_rows:  # of a header alone nothing is known
            return None
        self.types = dict(zip(table.column_names, table.schema.types, strict=True))
        return table

    def _read(self, text: bytes) -> pa.Table:
        try:
            return self._parsed(text, self.types)
        except pa.ArrowException as error:
            try:
                found = self._parsed(text, {})
            except pa.ArrowException:
                raise BadLines(str(error).split("\n")[0][:200]) from None
            there = dict(zip(found.column_names, found.schema.types, strict=True))
            wider = {
                name: _wider(kind, there.get(name, kind)) for name, kind in self.types.items()
            } | {name: kind for name, kind in there.items() if name not in self.types}
            if wider == self.types:
                raise BadLines(str(error).split("\n")[0][:200]) from None
            raise OtherTypes(wider) from None

    def _parsed(self, text: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
        if self._form == "jsonl":
            schema = pa.schema(list(types.items())) if types else None
            options = pa.json.ParseOptions(
                explicit_schema=schema,
                # Of the first lines not all columns are known yet.
                unexpected_field_behavior="error" if types and self._names else "infer",
            )
            reading = pa.json.ReadOptions(block_size=len(text) + 64)
            try:
                table = pa.json.read_json(io.BytesIO(text), reading, options)
            except pa.ArrowInvalid as error:
                if "changed from" not in str(error):
                    raise
                table = _mixed(text, types)  # values of several types in one column
            if types and not self._names:  # these came first
                table = table.select(_in_order(text, table.column_names))
        else:
            table = pa.csv.read_csv(
                io.BytesIO(text),
                # In one block: types are found out from all of it, not from its first megabyte.
                pa.csv.ReadOptions(
                    column_names=self._names, block_size=len(text) + 64, encoding=self._encoding
                ),
                pa.csv.ParseOptions(delimiter=self._separator, newlines_in_values=True),
                pa.csv.ConvertOptions(column_types=dict(types), strings_can_be_null=False),
            )
        return table.combine_chunks()


def _mixed(text: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    """Return JSON lines as a table where a column's values differ in type: these are text then.

    Raises:
        pa.ArrowInvalid: a line is no JSON object, or a value does not fit the type it must have.
    """
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                rows.append(dict(json.loads(line)))
            except (ValueError, TypeError):
                raise pa.ArrowInvalid(f"line {number} is no JSON object") from None
    names = list(dict.fromkeys([*types, *(name for row in rows for name in row)]))
    return pa.table([_column([row.get(name) for row in rows], types.get(name)) for name in names],
                    names=names)  # fmt: skip


def _column(values: list[Any], kind: pa.DataType | None) -> pa.Array:
    if kind != pa.string():
        try:
            return pa.array(values, kind)
        except (pa.ArrowException, OverflowError):
            if kind is not None:
                raise pa.ArrowInvalid(f"not all values are {kind}") from None
    texts = [one if isinstance(one, str) or one is None else json.dumps(one) for one in values]
    return pa.array(texts, pa.string())


def _in_order(text: bytes, names: list[str]) -> list[str]:
    """Return names in the order in which the first line has them, the others behind."""
    first = list(json.loads(text.lstrip().partition(b"\n")[0]))
    return sorted(names, key=lambda name: first.index(name) if name in first else len(first))


def _end_of_lines(text: bytes, *, quotes: bool) -> int:
    """Return where the last whole line ends: a line break between quotes ends none."""
    end = text.rfind(b"\n") + 1
    while end and quotes and text.count(_QUOTE, 0, end) % 2:
        end = text.rfind(b"\n", 0, end - 1) + 1
    return end


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numbers = (pa.types.is_integer, pa.types.is_floating)
    if all(any(is_of(kind) for is_of in numbers) for kind in (one, other)):
        return pa.float64()
    return pa.string()


def last_of_each(table: pa.Table, key: str) -> pa.Table:
    """Return the last row of each key: of several that came together only it counts."""
    if key not in table.column_names:
        raise LivetableError(no_column(key, table.column_names))
    last = {value: at for at, value in enumerate(table.column(key).to_pylist())}
    return table if len(last) == len(table) else table.take(sorted(last.values()))


def no_column(key: object, names: Sequence[object]) -> str:
    """Say that the key column is missing, and which columns there are."""
    more = ", …" if len(names) > 20 else ""
    return f"there is no column {key!r}; there are {', '.join(map(repr, names[:20]))}{more}"


_NAMED: Final = {
    "text": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(),
    "date": pa.date32(), "time": pa.timestamp("us"),
}  # fmt: skip
"""Types as they are called on the command line."""


def read_types(text: str) -> dict[str, pa.DataType]:
    """Return types of columns by what is written of them: ``zip=text,when=time``.

    Raises:
        BadLines: it is not written so.
    """
    types = {}
    for part in text.split(","):
        column, equals, name = part.rpartition("=")
        if not equals or not column.strip() or name.strip() not in _NAMED:
            raise BadLines(f"--types {part!r}: write COLUMN=TYPE with one of {', '.join(_NAMED)}")
        types[column.strip()] = _NAMED[name.strip()]
    return types
