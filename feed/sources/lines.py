"""Text that comes piece by piece, as rows: CSV, TSV and JSON lines, whole lines only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from livetable.feed.arrow.common_type import cast_exactly
from livetable.feed.errors import LivetableError
from livetable.feed.sources import jsontext
from livetable.feed.sources.records import Records, fields_of, separator_of, texts_of
from livetable.feed.sources.table_of_texts import field_of, kinds_of, typed
from livetable.feed.sources.utf8 import Utf8
from livetable.feed.sources.values import Form, Kind, NotFitting, given, read

MOST_KEPT: Final = 100
"""Lines that could not be read of which the text is kept."""

_LONGEST_KEPT: Final = 200
_USUAL: Final = {"csv": ",", "tsv": "\t"}


class BadLines(LivetableError):
    """Text that is no table; the sentence says where."""


class OtherTypes(LivetableError):
    """Lines whose values don't fit the types that those before had.

    All lines have to be read again, by a reader that is given `known`.

    Attributes:
        known: What is known of the columns now.
    """

    def __init__(self, known: Known) -> None:
        super().__init__("other types")
        self.known = known


@dataclass(frozen=True)
class Unreadable:
    """A line that could not be read.

    Attributes:
        number: Its number in the text, from 1.
        text: Its beginning.
        why: What is wrong with it.
    """

    number: int
    text: str
    why: str


Known = Any
"""What is known of the columns' types: a list of kinds by column, or a dict by name."""


class Lines:
    """Turns pieces of text into rows, each row once.

    Args:
        form: ``csv``, ``tsv`` or ``jsonl``.
        separator: What stands between two values; None: it is found out.
        encoding: The text's encoding; None: it is found out.
        types: Types of columns that are not to be found out.
        known: What an earlier reader of the same text found out (`OtherTypes`).
        units: Whether `12G` is a quantity: what commands print.
        trims: Whether blanks around a column's name are no part of it.
    """

    def __init__(
        self,
        form: str,
        *,
        separator: str | None = None,
        encoding: str | None = None,
        types: Mapping[str, pa.DataType] | None = None,
        known: Known = None,
        units: bool = False,
        trims: bool = False,
    ) -> None:
        self.unreadable = 0
        """How many lines could not be read."""
        self.bad: list[Unreadable] = []
        """The first of them."""
        self.rows = 0
        """How many rows there are so far."""
        self.literal_quotes = False
        """Whether a quote that nothing closes was read as text."""
        self._utf8 = Utf8(encoding)
        self._line = 1
        given_types = dict(types or {})
        if form == "jsonl":
            self._reader: _Csv | _Json = _Json(given_types, known)
        else:
            self._reader = _Csv(
                separator, _USUAL[form], given_types, known, units=units, trims=trims
            )

    @property
    def names(self) -> list[str] | None:
        """The columns' names, None as long as nobody knows them."""
        return self._reader.names

    @property
    def is_latin1(self) -> bool:
        """Whether lines that are not UTF-8 were read as Latin-1."""
        return self._utf8.as_latin1 is not None or bool(self._utf8.pending)

    @property
    def unfinished(self) -> bool:
        """Whether there is the beginning of a line that does not end yet."""
        return bool(self.rest.strip())

    @property
    def open_quote(self) -> bool:
        """Whether lines wait for a quote that closes a field."""
        return self._reader.open_quote

    def add(self, data: bytes, *, last: bool = False) -> pa.Table | None:
        """Return the rows of the lines that are whole now, None if there are none.

        Args:
            data: What came.
            last: Whether nothing more will come: then a line without an end is whole, too.

        Raises:
            OtherTypes: they don't fit the types of the rows before.
            BadLines: they can't be read at all.
        """
        whole = self._reader.add(self._utf8.add(data, last=last))
        if last:
            if self._reader.open_quote:
                whole += self._reader.read_as_text()
                self.literal_quotes = True
            whole += self._reader.finish()
        return self._rows(whole)

    def read_quotes_as_text(self) -> pa.Table | None:
        """Return the rows that are whole when a quote that nothing closes is read as text.

        Raises:
            OtherTypes: they don't fit the types of the rows before.
        """
        self.literal_quotes = True
        return self._rows(self._reader.read_as_text())

    def begin(self, names: Sequence[str], separator: str | None) -> None:
        """Read lines behind a header that is known."""
        self._reader.begin(list(names), separator)

    def tail(self) -> pa.Table | None:
        """Return the row that the line without an end would be; it is still to be added.

        Raises:
            OtherTypes: it does not fit the types of the rows before.
        """
        rest = self.rest
        if not rest.strip() or self._reader.open_quote:
            return None
        table, _ = self._reader.tail(rest.rstrip(b"\r"), self.rows > 0)
        return table

    @property
    def rest(self) -> bytes:
        """The beginning of a line that does not end yet."""
        return self._reader.rest + self._utf8.pending

    @property
    def came_last(self) -> bytes:
        """That beginning in the bytes that were given."""
        return self._utf8.as_it_came(self._reader.rest)

    @property
    def encoding(self) -> str | None:
        """The text's encoding, None if neither was it said nor does a mark tell it."""
        return self._utf8.found

    @property
    def line(self) -> int:
        """The number of that line, from 1."""
        return self._line

    def empty(self) -> pa.Table:
        """Return the table without rows: what a header alone is."""
        names = self.names or []
        return pa.table([pa.array([], pa.string()) for _ in names], names=names)

    def _rows(self, whole: bytes) -> pa.Table | None:
        if not whole:
            return None
        first, self._line = self._line, self._line + (whole.count(b"\n") or whole.count(b"\r"))
        before = self._reader.names is not None
        table, bad = self._reader.rows(whole, self.rows > 0)
        if not before and self._reader.header_lines:
            first += self._reader.header_lines
        self.unreadable += len(bad)
        for number, text, why in bad[: MOST_KEPT - len(self.bad)]:
            self.bad.append(Unreadable(first + number, text[:_LONGEST_KEPT], why))
        if table is None or not table.num_rows:
            return None
        self.rows += table.num_rows
        return table


class _Csv:
    """Reads CSV: the first record is the header."""

    def __init__(
        self,
        separator: str | None,
        usual: str,
        types: Mapping[str, pa.DataType],
        known: list[Kind] | None,
        *,
        units: bool,
        trims: bool,
    ) -> None:
        self._trims = trims
        self.names: list[str] | None = None
        self.header_lines = 0
        self._usual = usual
        self._separator = separator
        self._types = types
        self._known = known
        self._kinds: list[Kind] = []
        self._units = units
        self._records: Records | None = None if separator is None else Records(separator)
        self._start = b""

    @property
    def rest(self) -> bytes:
        return self._start if self._records is None else self._records.rest

    @property
    def open_quote(self) -> bool:
        return self._records is not None and self._records.open_quote is not None

    def add(self, text: bytes) -> bytes:
        if self._records is None:
            self._start += text
            if b"\n" not in self._start and b"\r" not in self._start:
                return b""
            return self._begin()[1]
        return self._records.add(text)

    def begin(self, names: list[str], separator: str | None) -> None:
        self.names = names
        self._separator = separator or self._separator or self._usual
        self._records = Records(self._separator)

    def _begin(self) -> tuple[Records, bytes]:
        text, self._start = self._start, b""
        lines = text[:65_536].splitlines()
        if len(text) > 65_536 or not text.endswith((b"\n", b"\r")):
            lines = lines[:-1] or lines
        self._separator = separator_of(lines, self._usual)
        self._records = records = Records(self._separator)
        return records, records.add(text)

    def read_as_text(self) -> bytes:
        assert self._records is not None
        return self._records.read_as_text()

    def finish(self) -> bytes:
        if self._records is None:
            if not self._start.strip():
                self._start = b""
                return b""
            records, whole = self._begin()
            return whole + records.finish()
        return self._records.finish()

    def tail(self, record: bytes, there: bool) -> tuple[pa.Table | None, list[Any]]:
        if self.names is None:  # half a header, or a header that is all there is
            separator = self._separator or separator_of([record], self._usual)
            names = fields_of(record, separator)
            return pa.table([pa.array([], pa.string()) for _ in names], names=names), []
        return self.rows(record, there)

    def rows(self, records: bytes, there: bool) -> tuple[pa.Table | None, list[Any]]:
        """Return records as rows, and those that are none.

        Args:
            records: Whole records.
            there: Whether rows were returned before: then their types stay.
        """
        assert self._separator is not None
        names = self.names
        if names is None:
            header, records = self._header(records)
            if header is None:
                return None, []
            names = header
        if not records.strip(b"\r\n"):
            self.names = names
            return None, []
        arrays, bad = texts_of(records, len(names), self._separator)
        if not there and not len(arrays[0]) and bad:
            more = self._with_one_more(names, bad)
            if more is not None:
                names = more
                arrays, bad = texts_of(records, len(names), self._separator)
        made = self._typed(names, arrays, there)
        self.names = names
        return made, [
            (one.line, one.text, f"has {counted(one.fields, 'value')}, not {len(names)}")
            for one in bad
        ]

    def _header(self, records: bytes) -> tuple[list[str] | None, bytes]:
        """Return the first record's fields, and the records behind it."""
        assert self._separator is not None
        self.header_lines = 0
        cut = Records(self._separator)
        text = records
        while text:
            end = min((at for at in (text.find(b"\n"), text.find(b"\r")) if at >= 0), default=-1)
            line = text if end < 0 else text[: end + 1]
            if line.endswith(b"\r") and text[end + 1 : end + 2] == b"\n":
                line = text[: end + 2]
            text = text[len(line) :]
            self.header_lines += 1
            cut_line = _whole_record(cut, line, last=not text)
            if cut_line is not None and cut_line.strip(b"\r\n"):
                names = fields_of(cut_line.rstrip(b"\r\n"), self._separator)
                return [name.strip() for name in names] if self._trims else names, text
        return None, b""

    def _with_one_more(self, names: list[str], bad: list[Any]) -> list[str] | None:
        """Return names where each row has one field more than the header.

        R leaves out the name of the rows' names, which come first; others end each row, but not
        the header, in a separator.
        """
        if len(bad) < 2 or any(one.fields != len(names) + 1 for one in bad):
            return None
        assert self._separator is not None
        ends = all(one.text.rstrip("\r\n").endswith(self._separator) for one in bad)
        return [*names, ""] if ends else ["", *names]

    def _typed(self, names: list[str], arrays: list[pa.Array], there: bool) -> pa.Table:
        kinds = self._kinds or self._known or []
        if len(kinds) != len(names):
            kinds = kinds_of(names, self._types)
        try:
            table, found = typed(
                names, arrays, kinds, comma=self._separator == ";", units=self._units
            )
        except NotFitting as error:
            raise BadLines(str(error)) from None
        if there and found != self._kinds:
            raise OtherTypes(found)
        self._kinds = found
        return table


def counted(number: int, what: str) -> str:
    """Return how many of something there are, in words."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _whole_record(records: Records, line: bytes, *, last: bool) -> bytes | None:
    """Return a record once a line ends it; None as long as it goes on between quotes."""
    end = line[len(line.rstrip(b"\r\n")) :]
    whole = records.add(line[: len(line) - len(end)] + b"\n")
    if whole:
        return whole[:-1] + end
    return records.finish() if last else None


class _Json:
    """Reads JSON lines."""

    header_lines = 0
    open_quote = False

    def __init__(self, types: Mapping[str, pa.DataType], known: dict[str, Any] | None) -> None:
        self.names: list[str] | None = None
        self.rest = b""
        self._given = types
        self._types: dict[str, pa.DataType] = dict((known or {}).get("types", {}))
        self._kinds: dict[str, Kind] = dict((known or {}).get("kinds", {}))
        self._nameless = 0
        """How many objects without anything in them came before the first name."""

    def add(self, text: bytes) -> bytes:
        if b"\r" in text:  # never part of a JSON text but between its parts
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        text = self.rest + text if self.rest else text
        end = text.rfind(b"\n") + 1
        self.rest = text[end:]
        return text[:end]

    def begin(self, names: list[str], separator: str | None) -> None:
        pass

    def read_as_text(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        whole, self.rest = self.rest, b""
        return whole

    def tail(self, line: bytes, there: bool) -> tuple[pa.Table | None, list[Any]]:
        names, nameless = self.names, self._nameless
        try:
            return self.rows(line, there)
        finally:
            self.names, self._nameless = names, nameless

    def rows(self, lines: bytes, there: bool) -> tuple[pa.Table | None, list[Any]]:
        if not lines.strip():
            return None, []
        made, bad = jsontext.lines_of(lines, self._types)
        table = made.table
        if not table.num_columns and table.num_rows:  # objects with nothing in them are rows, too
            if not self.names:
                self._nameless += table.num_rows
                return None, bad
            table = pa.table({self.names[0]: pa.nulls(table.num_rows)})
        if not table.num_columns:
            return None, bad
        if self._nameless:
            before = pa.table({table.column_names[0]: pa.nulls(self._nameless)})
            table = pa.concat_tables([before, table], promote_options="default")
            table = table.select(made.table.column_names)
            self._nameless = 0
        types, kinds = dict(self._types), dict(self._kinds)
        columns, fields = [], []
        for name, column in zip(table.column_names, table.columns, strict=True):
            values = column.combine_chunks()
            if isinstance(values, pa.ChunkedArray):
                values = values.chunk(0) if values.num_chunks else pa.array([], values.type)
            if name in self._given:
                values = _as_given(name, values, self._given[name])
            else:
                values = self._widened(name, values, types, kinds)
            columns.append(values)
            rounded = name in made.rounded or (name in kinds and kinds[name].rounded)
            found = Kind(Form.FLOAT, values.type, rounded=rounded)
            fields.append(field_of(name, values.type, found))
        narrower = any(
            there and name in self._types and not pa.types.is_null(self._types[name])
            and (types[name], kinds.get(name)) != (self._types[name], self._kinds.get(name))
            for name in types
        )  # fmt: skip
        if narrower:
            raise OtherTypes({"types": types, "kinds": kinds})
        self._types, self._kinds = types, kinds
        self.names = list(dict.fromkeys([*(self.names or ()), *table.column_names]))
        return pa.table(columns, schema=pa.schema(fields)), bad

    def _widened(
        self,
        name: str,
        values: pa.Array,
        types: dict[str, pa.DataType],
        kinds: dict[str, Kind],
    ) -> pa.Array:
        """Return values in the type of the column, and note if that is another one now."""
        known = types.get(name, pa.null())
        if pa.types.is_string(values.type) or pa.types.is_string(known):
            if not pa.types.is_string(values.type):
                values = pa.array(list(map(jsontext.as_text, values.to_pylist())), pa.string())
            types[name] = pa.string()
            kind = kinds.get(name, Kind())
            if not (pa.types.is_string(known) or pa.types.is_null(known)):
                kind = _TEXT  # something else stood there before
            values, kinds[name] = _moments(values, kind)
            return values
        wider = jsontext.wider_type(known, values.type)
        cast = None if wider is None else jsontext.exact_cast(values, wider)
        if wider is None or cast is None:
            types[name], kinds[name] = pa.string(), _TEXT
            return pa.array(list(map(jsontext.as_text, values.to_pylist())), pa.string())
        types[name] = wider
        return cast


_TEXT: Final = Kind(Form.TEXT, pa.string())


def _moments(values: pa.Array, so_far: Kind) -> tuple[pa.Array, Kind]:
    """Return texts as times if all of them are; any other text stays text."""
    if so_far.form is Form.TEXT:
        return values, so_far
    if values.null_count == len(values):
        return (values if so_far.form is Form.EMPTY else values.cast(so_far.type)), so_far
    made, kind = read(values, so_far)
    if kind.form in (Form.DATE, Form.MOMENT, Form.ZONED) and made.null_count == values.null_count:
        return made, kind
    return values, _TEXT


def _as_given(name: str, values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values in a type that was said: as numbers, else by their text, as CSV's are read."""
    if jsontext.wider_type(values.type, kind) is not None and (
        (cast := cast_exactly(values, kind)) is not None
    ):
        return cast
    try:
        texts = pa.array(list(map(jsontext.as_text, values.to_pylist())), pa.string())
        return read(texts, given(kind))[0]
    except (NotFitting, pa.ArrowException) as error:
        raise BadLines(f"column {name!r}: {error}") from None


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
