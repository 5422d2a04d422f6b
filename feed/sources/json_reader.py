"""Lines of JSON objects as typed rows; each column's type is the one that fits all its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from livetable.feed.arrow.common_type import cast_exactly
from livetable.feed.sources.bad_lines import BadLine, BadLines
from livetable.feed.sources.fitting_types import OtherTypes
from livetable.feed.sources.json_columns import as_texts, exact_cast, wider_type
from livetable.feed.sources.json_lines import lines_of
from livetable.feed.sources.table_of_texts import field_of
from livetable.feed.sources.values import Form, Kind, NotFitting, given, read


class JsonReader:
    """Reads JSON lines.

    Args:
        types: Types of columns, so as not to detect them.
        known: The types that an earlier reader of the same lines detected.
    """

    header_lines = 0
    open_quote = False

    def __init__(self, types: Mapping[str, pa.DataType], known: JsonTypes | None) -> None:
        self.names: list[str] | None = None
        self.rest = b""
        self._given = types
        self._known = known or JsonTypes()
        self._nameless = 0
        """The number of empty objects before the first name."""

    def add(self, text: bytes) -> bytes:
        """Return the lines that are now complete."""
        if b"\r" in text:  # in JSON only between tokens
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        text = self.rest + text if self.rest else text
        end = text.rfind(b"\n") + 1
        self.rest = text[end:]
        return text[:end]

    def begin(self, names: list[str], separator: str | None) -> None:
        """Do nothing: JSON lines have no header."""

    def read_as_text(self) -> bytes:
        """Return nothing: a JSON text never continues on the next line."""
        return b""

    def finish(self) -> bytes:
        """Return the rest, after the last piece."""
        whole, self.rest = self.rest, b""
        return whole

    def tail(self, line: bytes, has_rows: bool) -> tuple[pa.Table | None, list[BadLine]]:
        """Return the row of the unfinished line."""
        names, nameless = self.names, self._nameless
        try:
            return self.rows(line, has_rows)
        finally:
            self.names, self._nameless = names, nameless

    def rows(self, lines: bytes, has_rows: bool) -> tuple[pa.Table | None, list[BadLine]]:
        """Return lines as rows, and the unreadable lines, numbered from 0.

        Args:
            lines: Whole lines.
            has_rows: Whether rows were returned before: then their types stay.

        Raises:
            OtherTypes: they don't fit the types of earlier rows.
            BadLines: a value does not fit the given type.
        """
        if not lines.strip():
            return None, []
        read_lines, bad = lines_of(lines, self._known.types)
        table = self._with_nameless(read_lines.table)
        if table is None:
            return None, bad
        known = self._known.copied()
        columns, fields = [], []
        for name, column in zip(table.column_names, table.columns, strict=True):
            values = _in_one_piece(column)
            if name in self._given:
                values = _as_given(name, values, self._given[name])
            else:
                values = known.widened(name, values)
            columns.append(values)
            rounded = name in read_lines.rounded or known.is_rounded(name)
            fields.append(
                field_of(name, values.type, Kind(Form.FLOAT, values.type, rounded=rounded))
            )
        if has_rows and known.is_wider_than(self._known):
            raise OtherTypes(known)
        self._known = known
        self.names = list(dict.fromkeys([*(self.names or ()), *table.column_names]))
        return pa.table(columns, schema=pa.schema(fields)), bad

    def _with_nameless(self, table: pa.Table) -> pa.Table | None:
        """Return rows with those of empty objects; None while no name is known."""
        if not table.num_columns and table.num_rows:  # empty objects are rows, too
            if not self.names:
                self._nameless += table.num_rows
                return None
            table = pa.table({self.names[0]: pa.nulls(table.num_rows)})
        if not table.num_columns:
            return None
        if self._nameless:
            names = table.column_names
            before = pa.table({names[0]: pa.nulls(self._nameless)})
            table = pa.concat_tables([before, table], promote_options="default").select(names)
            self._nameless = 0
        return table


@dataclass
class JsonTypes:
    """The column types of JSON lines so far.

    Attributes:
        types: The type of each column's values in JSON.
        kinds: How the texts among them are read.
    """

    types: dict[str, pa.DataType] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def copied(self) -> JsonTypes:
        """Return a copy."""
        return JsonTypes(dict(self.types), dict(self.kinds))

    def is_rounded(self, name: str) -> bool:
        """Tell whether a column has texts with more digits than floats hold."""
        return name in self.kinds and self.kinds[name].rounded

    def is_wider_than(self, before: JsonTypes) -> bool:
        """Tell whether a column with a type has another type now."""
        return any(
            name in before.types and not pa.types.is_null(before.types[name])
            and (kind, self.kinds.get(name)) != (before.types[name], before.kinds.get(name))
            for name, kind in self.types.items()
        )  # fmt: skip

    def widened(self, name: str, values: pa.Array) -> pa.Array:
        """Return values in the column's type, which is widened if needed."""
        known = self.types.get(name, pa.null())
        if pa.types.is_string(values.type) or pa.types.is_string(known):
            if not pa.types.is_string(values.type):
                values = as_texts(values)
            self.types[name] = pa.string()
            kind = self.kinds.get(name, Kind())
            if not (pa.types.is_string(known) or pa.types.is_null(known)):
                kind = _TEXT  # earlier values have another type
            values, self.kinds[name] = _as_times(values, kind)
            return values
        wider = wider_type(known, values.type)
        cast = None if wider is None else exact_cast(values, wider)
        if wider is None or cast is None:
            self.types[name], self.kinds[name] = pa.string(), _TEXT
            return as_texts(values)
        self.types[name] = wider
        return cast


def _in_one_piece(column: pa.ChunkedArray) -> pa.Array:
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        return values.chunk(0) if values.num_chunks else pa.array([], values.type)
    return values


_TEXT: Final = Kind(Form.TEXT, pa.string())


def _as_times(values: pa.Array, so_far: Kind) -> tuple[pa.Array, Kind]:
    """Return texts as times if all of them are; any other text stays text."""
    if so_far.form is Form.TEXT:
        return values, so_far
    if values.null_count == len(values):
        return (values if so_far.form is Form.EMPTY else values.cast(so_far.type)), so_far
    times, kind = read(values, so_far)
    if kind.form in (Form.DATE, Form.MOMENT, Form.ZONED) and times.null_count == values.null_count:
        return times, kind
    return values, _TEXT


def _as_given(name: str, values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values in a given type: cast numbers, else read their texts like CSV's."""
    if wider_type(values.type, kind) is not None and (
        (cast := cast_exactly(values, kind)) is not None
    ):
        return cast
    try:
        return read(as_texts(values), given(kind))[0]
    except (NotFitting, pa.ArrowException) as error:
        raise BadLines(f"column {name!r}: {error}") from None
