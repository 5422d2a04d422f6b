"""JSON text as a table: lines of objects, and documents in the forms that pandas writes.

A number is what its text says: integers of any size, and floats that say when they are rounded.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.json

from livetable.feed.arrow.cells import unmixed_array
from livetable.feed.arrow.common_type import cast_exactly, wider
from livetable.feed.errors import LivetableError

_ODD: Final = re.compile(rb"(?<![.0-9])[0-9]{16}|[eE][-+]?[0-9]{3}|NaN|Infinity|(?m:^\s*null\s*$)")
"""What Arrow's reader would round, make infinite or refuse: Python reads it then."""

MAX_DEPTH: Final = 60
"""Objects and lists within each other; of what is deeper Arrow takes gigabytes to find a type."""

_LONG: Final = re.compile(rb"-?[0-9]+\.[0-9]{12,}(?:[eE][-+]?[0-9]+)?")


def _is_inexact(text: bytes) -> bool:
    """Tell whether a number in a text is not what a float's own text says."""
    return any(
        len(one) > _FLOAT_DIGITS and Decimal(one.decode()) != Decimal(repr(float(one)))
        for one in _LONG.findall(text)
    )


_FLOAT_DIGITS: Final = 15


class BadJson(LivetableError):
    """Text that is no table in JSON."""


class Rounded(float):
    """A float whose text has more digits than a float holds."""


class _Beyond(str):
    """The text of a number that is no float."""

    __slots__ = ()


def _float(text: str) -> Any:
    number = float(text)
    if math.isinf(number) or (number == 0.0 and re.match(r"-?[0.]*[1-9]", text)):
        return _Beyond(text)
    if len(text) > _FLOAT_DIGITS and Decimal(text) != Decimal(repr(number)):
        return Rounded(number)
    return number


def loads(text: str | bytes) -> Any:
    """Return a JSON text's value.

    Raises:
        BadJson: it is none, or nested too deeply.
    """
    try:
        value = json.loads(text, parse_float=_float)
        if _may_be_deep(text) and is_deep(value):
            raise BadJson(_DEEP)
        escapes = _HALF if isinstance(text, str) else _HALF_BYTES
        return _with_whole_characters(value) if escapes.search(text) else value  # type: ignore[arg-type]
    except RecursionError:
        raise BadJson(_DEEP) from None
    except UnicodeDecodeError:
        raise BadJson("is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from (
            None
        )
    except ValueError as error:  # more digits than Python reads
        raise BadJson(f"is not JSON: {error}") from None


_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")
_HALF_BYTES: Final = re.compile(_HALF.pattern.encode())


def _with_whole_characters(value: Any) -> Any:
    """Return a value with halves of characters, which no table can hold, as they are escaped."""
    if isinstance(value, str):
        whole = value.encode("utf-8", "backslashreplace").decode()
        return value if whole == value else whole
    if isinstance(value, list):
        return [_with_whole_characters(part) for part in value]
    if isinstance(value, dict):
        return {
            _with_whole_characters(name): _with_whole_characters(part)
            for name, part in value.items()
        }
    return value


_DEEP: Final = f"is nested too deeply: {MAX_DEPTH} levels are read"


_BESIDE_BRACKETS: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[^][{}"]+', re.DOTALL)


def _is_deep_text(text: bytes) -> bool:
    """Tell whether a text is nested beyond `MAX_DEPTH`: Arrow's reader dies of 20,000 levels."""
    lines = text.count(b"}\n") + text.count(b"}\r\n") + text.endswith(b"}")
    if not text.count(b"[") and lines == text.count(b"{") == text.count(b"}"):
        return False  # each line is an object that ends with it
    import numpy as np

    brackets = np.frombuffer(_BESIDE_BRACKETS.sub(b"", text), np.uint8)
    opens = np.isin(brackets, np.frombuffer(b"[{", np.uint8))
    depths = np.cumsum(np.where(opens, 1, -1))
    return bool(len(depths)) and int((depths - np.minimum.accumulate(depths)).max()) >= MAX_DEPTH


def _may_be_deep(text: str | bytes) -> bool:
    if isinstance(text, str):
        return text.count("[") + text.count("{") > MAX_DEPTH
    return text.count(b"[") + text.count(b"{") > MAX_DEPTH


def is_deep(value: Any) -> bool:
    """Tell whether a value is nested beyond `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [one for one in level if isinstance(one, (dict, list))]
        if not level:
            return False
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return True


# -- columns -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A table that was made of JSON.

    Attributes:
        table: The table.
        rounded: Names of columns some numbers of which are rounded.
    """

    table: pa.Table
    rounded: frozenset[str] = frozenset()


def column_of(values: Sequence[Any], at_least: pa.DataType | None = None) -> pa.Array:
    """Return values as one column: exactly, or as their JSON text.

    Args:
        values: What `loads` gave; None for what is missing.
        at_least: The type that values before these had.
    """
    if at_least is None or not pa.types.is_string(at_least):
        made = _numbers(values)
        if made is None and _have_same_names(values):
            try:
                made = unmixed_array(values)
            except (pa.ArrowException, OverflowError, TypeError, ValueError):
                made = None
        if made is not None and (at_least is None or made.type == at_least):
            return made
        if made is not None and at_least is not None:
            if (cast := exact_cast(made, at_least)) is not None:
                return cast
            common = wider_type(at_least, made.type)
            if common is not None and (cast := exact_cast(made, common)) is not None:
                return cast
    return pa.array([as_text(value) for value in values], pa.string())


def has_structs(kind: pa.DataType) -> bool:
    """Tell whether a type is one of objects, or holds some."""
    return pa.types.is_struct(kind) or any(
        has_structs(kind.field(at).type) for at in range(kind.num_fields)
    )


def _have_same_names(values: Sequence[Any]) -> bool:
    """Tell whether all objects among values, at each depth, have the same names."""
    nested = [value for value in values if isinstance(value, (dict, list))]
    if not nested:
        return True
    if all(isinstance(value, list) for value in nested):
        return _have_same_names([part for value in nested for part in value])
    if not all(isinstance(value, dict) for value in nested):
        return False
    names = list(nested[0])
    if any(list(value) != names for value in nested):
        return False
    return all(_have_same_names([value[name] for value in nested]) for name in names)


def as_text(value: Any) -> str | None:
    """Return a value as its JSON text; a text as itself, None for what is missing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):  # whole numbers beyond 64 bits
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _numbers(values: Sequence[Any]) -> pa.Array | None:
    """Return integers and floats as one column, None if they are something else, or not exact."""
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds or not kinds <= {int, float, Rounded}:
        return None
    if kinds == {int}:
        for kind in (pa.int64(), pa.decimal128(38, 0), pa.decimal256(76, 0)):
            try:
                return pa.array(values, kind)
            except (pa.ArrowException, OverflowError):
                continue
        return pa.array(list(map(as_text, values)), pa.string())
    if int in kinds:
        for value in values:
            if type(value) is int and abs(value) > 1 << 53:
                try:
                    exact = int(float(value)) == value
                except OverflowError:
                    exact = False
                if not exact:
                    return pa.array(list(map(as_text, values)), pa.string())
    return pa.array([None if one is None else float(one) for one in values], pa.float64())


def exact_cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Return values in another type, None if they would be others there.

    Only numbers become other numbers: Arrow would make 1 of true, and a number of its text.
    """
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), kind)
    return cast_exactly(values, kind) if wider_type(values.type, kind) == kind else None


def wider_type(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return the type that holds what both hold; None if only text does."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if has_structs(one) or has_structs(other):
        return None  # one type of both would give each object the names of the others
    return wider(one, other)


def table_of_records(
    rows: Sequence[Mapping[str, Any]], types: Mapping[str, pa.DataType] | None = None
) -> Made:
    """Return records as a table with the columns in the order in which they came.

    Args:
        rows: The records.
        types: Types of columns, as those before these had them.
    """
    types = types or {}
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    rounded = set()
    for name in names:
        values = [row.get(name) for row in rows]
        columns[name] = column_of(values, types.get(name))
        if any(type(value) is Rounded for value in values):
            rounded.add(name)
    return Made(_table(columns, len(rows)), frozenset(rounded))


def _table(columns: Mapping[str, pa.Array], rows: int) -> pa.Table:
    if not columns:
        return pa.table({}).slice(0, 0) if not rows else pa.table({"": pa.nulls(rows)}).select([])
    return pa.table(list(columns.values()), names=list(columns))


# -- lines ---------------------------------------------------------------------------------------


def lines_of(
    text: bytes, types: Mapping[str, pa.DataType]
) -> tuple[Made, list[tuple[int, str, str]]]:
    """Return lines of JSON objects as a table, and those that are none: number, text and why.

    Args:
        text: Whole lines, UTF-8.
        types: Types of columns, as lines before these had them.
    """
    if (
        not (_ODD.search(text) or _is_inexact(text) or _is_deep_text(text))
        and (table := _by_arrow(text, types)) is not None
    ):
        return Made(table), []
    rows: list[dict[str, Any]] = []
    bad = []
    for number, line in enumerate(text.split(b"\n")):
        if not line.strip():
            continue
        try:
            value = loads(line)
        except BadJson as error:
            why = str(error).replace("line 1, ", "")
            bad.append((number, line.decode("utf-8", "replace"), why))
            continue
        if not isinstance(value, dict):
            bad.append((number, line.decode("utf-8", "replace"), "is not a JSON object"))
            continue
        rows.append(value)
    return table_of_records(rows, types), bad


def _by_arrow(text: bytes, types: Mapping[str, pa.DataType]) -> pa.Table | None:
    """Return lines as a table by Arrow's reader, ten times as fast; None if it can't."""
    known = {name: kind for name, kind in types.items() if not pa.types.is_null(kind)}
    if any(map(pa.types.is_decimal, known.values())):
        return None  # it reads texts as such, and no numbers
    block = pa.json.ReadOptions(block_size=len(text) + 64, use_threads=False)
    for _ in range(2):
        try:
            table = pa.json.read_json(
                io.BytesIO(text),
                block,
                pa.json.ParseOptions(
                    explicit_schema=pa.schema(list(known.items())) if known else None
                ),
            )
        except pa.ArrowException:
            return None
        texts = {
            field.name: pa.string() for field in table.schema
            if _holds_moments(field.type) and field.name not in known
        }  # fmt: skip
        if any((_holds_moments(kind) and not pa.types.is_timestamp(kind)) or has_structs(kind)
               for kind in table.schema.types):  # fmt: skip
            # In lists texts that Arrow takes for times; objects get the names of all others.
            return None
        if not texts:
            break
        known |= texts
    else:
        return None
    lines = [line for line in text.split(b"\n") if line.strip()]
    try:
        order = list(json.loads(lines[0]))
    except ValueError:
        return None
    if len(lines) != table.num_rows:
        return None  # several objects on a line
    there = {name: at for at, name in enumerate(order)}
    given = list(types)
    names = sorted(
        (name for name in table.column_names),
        key=lambda name: (given.index(name) if name in types
                          else len(given) + there.get(name, len(order))),
    )  # fmt: skip
    # Columns that these lines lack are no columns of theirs.
    absent = {name for name in names if name in types and name not in there}
    kept = [name for name in names if not (
        name in absent and table.column(name).null_count == table.num_rows)]  # fmt: skip
    return table.select(kept).combine_chunks()


def _holds_moments(kind: pa.DataType) -> bool:
    if pa.types.is_timestamp(kind):
        return True
    return any(_holds_moments(kind.field(at).type) for at in range(kind.num_fields))


# -- documents -----------------------------------------------------------------------------------


def document(text: bytes) -> Made:
    """Return a JSON document as a table.

    Known: records, one record, lines of records, columns (lists or objects), and what pandas
    writes: ``split``, ``index``, ``columns``, ``values``, ``table``. What can be ``index`` or
    ``columns`` is taken for columns, as pandas' ``read_json`` does.

    Raises:
        BadJson: it is none of these.
    """
    try:
        value = loads(text)
    except BadJson:
        lines = [line for line in text.split(b"\n") if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith((b"{", b"[")):
            raise
        rows = list(map(loads, lines))
        if not all(isinstance(row, dict) for row in rows):
            raise BadJson("is neither one JSON document nor lines of JSON objects") from None
        return table_of_records(rows)
    return table_of_value(value)


def table_of_value(value: Any) -> Made:
    """Return the value of a JSON document as a table; the forms are those of `document`.

    Raises:
        BadJson: it is of no such form.
    """
    if isinstance(value, list):
        if not value or all(isinstance(row, dict) for row in value):
            return table_of_records(value)
        if all(isinstance(row, list) for row in value):  # values
            return _of_rows(value, [str(at) for at in range(max(map(len, value)))])
        if not any(isinstance(row, (dict, list)) for row in value):
            return _of_columns({"value": value})
        raise BadJson("is a list of values of several kinds: write records, [{…}, {…}]")
    if not isinstance(value, dict):
        raise BadJson("is a single value: write records, [{…}, {…}]")
    if not value:
        return Made(pa.table({}))
    if {"columns", "data"} <= set(value) and isinstance(value["data"], list):
        return _split(value)
    if set(value) == {"schema", "data"} and isinstance(value["data"], list):
        order = [str(one.get("name")) for one in _fields(value["schema"])]
        made = table_of_value(value["data"])
        names = [name for name in order if name in made.table.column_names]
        rest = [name for name in made.table.column_names if name not in names]
        kept = [name for name in (*names, *rest) if not _only_counts(made.table, name)]
        return Made(made.table.select(kept), made.rounded)
    parts = list(value.values())
    if all(isinstance(part, list) for part in parts):
        if len({len(part) for part in parts}) > 1:
            raise BadJson("has columns of different lengths")
        return _of_columns(value)
    if all(isinstance(part, dict) for part in parts) and len(parts) > 1:
        return _of_objects(value)
    if len(parts) == 1 and isinstance(parts[0], dict) and _labels_rows(parts[0]):
        return _of_objects(value)
    return table_of_records([value])


def _fields(schema: Any) -> list[Any]:
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    return [one for one in fields if isinstance(one, dict)]


def _only_counts(table: pa.Table, name: str) -> bool:
    """Tell whether a column is the index that pandas wrote though it only counts."""
    return name == "index" and table.column(name).to_pylist() == list(range(len(table)))


def _labels_rows(part: Mapping[str, Any]) -> bool:
    return bool(part) and list(part) == [str(at) for at in range(len(part))]


def _split(value: Mapping[str, Any]) -> Made:
    columns = value["columns"]
    if not isinstance(columns, list):
        raise BadJson("has columns that are no list")
    names = [_name(one) for one in columns]
    rows = value["data"]
    if not all(isinstance(row, list) for row in rows):
        raise BadJson("has data that are no lists")
    index = value.get("index")
    if isinstance(index, list) and len(index) == len(rows) and index != list(range(len(rows))):
        names = ["index", *names]
        rows = [[label, *row] for label, row in zip(index, rows, strict=True)]
    return _of_rows(rows, names)


def _name(label: Any) -> str:
    if isinstance(label, list):
        return " · ".join(map(_name, label))
    return label if isinstance(label, str) else json.dumps(label)


def _of_rows(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> Made:
    width = len(names)
    if any(len(row) > width for row in rows):
        raise BadJson(f"has rows with more than {width} values")
    columns = [[row[at] if at < len(row) else None for row in rows] for at in range(width)]
    arrays = [column_of(values) for values in columns]
    rounded = [name for name, values in zip(names, columns, strict=True)
               if any(type(value) is Rounded for value in values)]  # fmt: skip
    return Made(pa.table(arrays, names=list(names)), frozenset(rounded))


def _of_columns(columns: Mapping[str, Sequence[Any]]) -> Made:
    rounded = [name for name, values in columns.items()
               if any(type(value) is Rounded for value in values)]  # fmt: skip
    made = {name: column_of(values) for name, values in columns.items()}
    return Made(pa.table(list(made.values()), names=list(made)), frozenset(rounded))


def _of_objects(value: Mapping[str, Mapping[str, Any]]) -> Made:
    """Return objects of objects: columns that name rows, or rows that name columns.

    Rows, if the inner names are alike in all of them and the outer ones only count, or if that
    gives far fewer columns.
    """
    inner = list(dict.fromkeys(name for part in value.values() for name in part))
    counts = [str(at) for at in range(len(value))]
    rows = list(value) == counts and inner != [str(at) for at in range(len(inner))]
    if rows:
        return table_of_records(list(value.values()))
    columns: dict[str, Sequence[Any]] = {
        name: [part.get(label) for label in inner] for name, part in value.items()
    }
    if inner != [str(at) for at in range(len(inner))]:
        columns = {"index": inner, **columns} if "index" not in columns else columns
    return _of_columns(columns)
