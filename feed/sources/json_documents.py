"""A JSON document as a table: records, columns, and the forms that pandas writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from livetable.feed.sources.json_columns import Made, column_of, table_of_records
from livetable.feed.sources.json_values import BadJson, Rounded, loads


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
        raise BadJson("is a list of mixed values: write records, [{…}, {…}]")
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
        raise BadJson("has columns that are not a list")
    names = [_name(one) for one in columns]
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
