"""Reads a JSON document as a table: records, columns, and the forms that pandas writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from livetable.feed.sources.json_columns import JsonTable, column_of, table_of_records
from livetable.feed.sources.json_values import BadJson, Rounded, loads


def document(text: bytes) -> JsonTable:
    """Return a JSON document as a table.

    Supported: records, one record, lines of records, columns (lists or objects), and what pandas
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


def table_of_value(value: Any) -> JsonTable:
    """Return the value of a JSON document as a table; the forms are those of `document`.

    Raises:
        BadJson: it is of no such form.
    """
    if isinstance(value, list):
        if not value or all(isinstance(row, dict) for row in value):
            return table_of_records(value)
        if all(isinstance(row, list) for row in value):  # values
            return _of_rows(value, list(map(str, range(max(map(len, value))))))
        if not any(isinstance(row, (dict, list)) for row in value):
            return _of_columns({"value": value})
        raise BadJson("is a list of mixed values: write records, [{…}, {…}]")
    if not isinstance(value, dict):
        raise BadJson("is a single value: write records, [{…}, {…}]")
    if not value:
        return JsonTable(pa.table({}))
    if {"columns", "data"} <= set(value) and isinstance(value["data"], list):
        return _split(value)
    if set(value) == {"schema", "data"} and isinstance(value["data"], list):
        order = [str(field.get("name")) for field in _fields(value["schema"])]
        rows = table_of_value(value["data"])
        names = [name for name in order if name in rows.table.column_names]
        rest = [name for name in rows.table.column_names if name not in names]
        kept = [name for name in (*names, *rest) if not _only_counts(rows.table, name)]
        return JsonTable(rows.table.select(kept), rows.rounded)
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
    return [field for field in fields if isinstance(field, dict)]


def _only_counts(table: pa.Table, name: str) -> bool:
    """Tell whether a column is an index of pandas that only numbers the rows."""
    return name == "index" and table.column(name).to_pylist() == list(range(len(table)))


def _labels_rows(part: Mapping[str, Any]) -> bool:
    return bool(part) and list(part) == list(map(str, range(len(part))))


def _split(value: Mapping[str, Any]) -> JsonTable:
    columns = value["columns"]
    if not isinstance(columns, list):
        raise BadJson("has columns that are not a list")
    names = [_name(label) for label in columns]
    rows = value["data"]
    if not all(isinstance(row, list) for row in rows):
        raise BadJson("has data that are not lists")
    index = value.get("index")
    if isinstance(index, list) and len(index) == len(rows) and index != list(range(len(rows))):
        names = ["index", *names]
        rows = [[label, *row] for label, row in zip(index, rows, strict=True)]
    return _of_rows(rows, names)


def _name(label: Any) -> str:
    if isinstance(label, list):
        return " · ".join(map(_name, label))
    return label if isinstance(label, str) else json.dumps(label)


def _of_rows(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> JsonTable:
    width = len(names)
    if any(len(row) > width for row in rows):
        raise BadJson(f"has rows with more than {width} values")
    columns = [[row[place] if place < len(row) else None for row in rows] for place in range(width)]
    arrays = [column_of(values) for values in columns]
    rounded = [name for name, values in zip(names, columns, strict=True)
               if any(type(value) is Rounded for value in values)]  # fmt: skip
    return JsonTable(pa.table(arrays, names=list(names)), frozenset(rounded))


def _of_columns(columns: Mapping[str, Sequence[Any]]) -> JsonTable:
    rounded = [name for name, values in columns.items()
               if any(type(value) is Rounded for value in values)]  # fmt: skip
    arrays = [column_of(values) for values in columns.values()]
    return JsonTable(pa.table(arrays, names=list(columns)), frozenset(rounded))


def _of_objects(value: Mapping[str, Mapping[str, Any]]) -> JsonTable:
    """Return objects of objects as a table: columns by row, or rows by column.

    They are rows if the outer names only number them and the inner names don't.
    """
    inner = list(dict.fromkeys(name for part in value.values() for name in part))
    counts = list(map(str, range(len(inner))))
    rows = list(value) == list(map(str, range(len(value)))) and inner != counts
    if rows:
        return table_of_records(list(value.values()))
    columns: dict[str, Sequence[Any]] = {
        name: [part.get(label) for label in inner] for name, part in value.items()
    }
    if inner != counts:
        columns = {"index": inner, **columns} if "index" not in columns else columns
    return _of_columns(columns)
