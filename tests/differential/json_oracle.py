"""What is in JSON: Python's `json`, numbers by their text; as one of the forms of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from tests.differential.csv_oracle import Number
from tests.printed import Pairs, instant

Columns = dict[str, list[Any]]


INDEX: Final = "\0index"
"""A column of labels, whatever it is called."""


class Missing:
    """Nothing: a name that a record has not."""


ABSENT: Final = Missing()


class Repeated(ValueError):
    """JSON with a name twice in one object: no two readers agree on it."""


def loads(text: str) -> Any:
    """Return JSON with its numbers as their texts."""
    return json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=_constant,
        object_pairs_hook=_object,
    )  # fmt: skip


def _constant(text: str) -> None:
    """Take NaN and infinities, which are no JSON, for missing."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Repeated("a name stands twice in one object")
    return found


def tables(text: str) -> Iterator[tuple[str, Columns]]:
    """Yield what a JSON text may be as a table, the likeliest first, each with its form's name.

    Args:
        text: A document, or lines of them.
    """
    try:
        whole = loads(text)
    except Repeated:
        raise
    except ValueError:
        yield "lines", _records([loads(line) for line in text.split("\n") if line.strip()])
        return
    if isinstance(whole, list):
        if whole and all(isinstance(one, dict) for one in whole):
            yield "records", _records(whole)
        elif whole and all(isinstance(one, list) for one in whole):
            width = max(map(len, whole))
            yield "values", _records([{str(at): v for at, v in enumerate(one)} for one in whole])
            if all(isinstance(name, str) for name in whole[0]):
                names = [*whole[0], *map(str, range(len(whole[0]), width))]
                yield (
                    "values with a header",
                    _records([dict(zip(names, one, strict=False)) for one in whole[1:]]),
                )
        else:
            yield "one column", {"value": whole}
    elif isinstance(whole, dict):
        yield from _of_object(whole)


def _of_object(whole: dict[str, Any]) -> Iterator[tuple[str, Columns]]:
    if isinstance(whole.get("columns"), list) and isinstance(whole.get("data"), list):
        names = [str(name) for name in whole["columns"]]
        rows = [dict(zip(names, row, strict=False)) for row in whole["data"]]
        yield "split", _records(rows)
        index = whole.get("index")
        if isinstance(index, list):
            pairs = zip(index, rows, strict=False)
            yield "split with its index", _records([{INDEX: at} | row for at, row in pairs])
    if isinstance(whole.get("schema"), dict) and isinstance(whole.get("data"), list):
        yield "table", _records(whole["data"])
    values = list(whole.values())
    if values and all(isinstance(one, list) for one in values) and len({*map(len, values)}) == 1:
        yield "lists by column", whole
    # As pandas has it: what is one value is in each row.
    lists = [one for one in values if isinstance(one, list)]
    if lists and len({*map(len, lists)}) == 1 and len(lists) < len(values):
        count = len(lists[0])
        yield (
            "lists beside values",
            {name: one if isinstance(one, list) else [one] * count for name, one in whole.items()},
        )
    if values and all(isinstance(one, dict) for one in values):
        labels = list(dict.fromkeys(label for one in values for label in one))
        by_column: Columns = {
            name: [one.get(label, ABSENT) for label in labels] for name, one in whole.items()
        }
        yield "columns", by_column
        yield "columns with their index", {INDEX: list(labels)} | by_column
        by_row = _records(values)
        yield "index", by_row
        yield "index with its labels", {INDEX: list(whole)} | by_row
    yield "one record", _records([whole])


def _records(records: list[Any]) -> Columns:
    names = list(dict.fromkeys(name for one in records for name in one))
    return {name: [one.get(name, ABSENT) for one in records] for name in names}


def agrees(value: Any, wanted: Any, *, mixed: bool) -> bool:
    """Tell whether a printed value is the one in the JSON.

    Args:
        value: What was printed.
        wanted: What is in the JSON.
        mixed: Whether its column has values of several types: then they may be texts.
    """
    if wanted is ABSENT or wanted is None:
        return value is None or (mixed and value == "null" and wanted is None)
    if isinstance(value, Number) or isinstance(wanted, Number):
        if isinstance(value, Number) and isinstance(wanted, Number):
            return _same_number(value, wanted)
        # Numbers that no machine type holds, and columns of several types, may be text.
        wide = isinstance(wanted, Number) and len(wanted) > 17
        return (mixed or wide) and type(value) is str and value == str(wanted)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted or (mixed and value == json.dumps(wanted))
    if isinstance(wanted, str):
        if value == wanted:
            return True
        return isinstance(value, str) and instant(value) == (instant(wanted) or 0)
    if isinstance(value, str):  # something nested, printed as JSON
        try:
            value = loads(value)
        except ValueError:
            return False
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(
            agrees(one, other, mixed=True) for one, other in zip(value, wanted, strict=True)
        )  # fmt: skip
    if not isinstance(value, dict):
        return False
    return all(
        agrees(value.get(name), wanted.get(name, ABSENT), mixed=True) for name in {*value, *wanted}
    )


def _same_number(value: Number, wanted: Number) -> bool:
    if str(value) == str(wanted) or Decimal(value) == Decimal(wanted):
        return True
    fraction = any(mark in wanted for mark in ".eE")
    return fraction and float(value) == float(wanted)


def _type(value: Any) -> str:
    for kind in (Number, str, bool, list, dict):
        if isinstance(value, kind):
            return kind.__name__
    return "null"


def difference(rows: list[Pairs], columns: Columns) -> str | None:
    """Return where printed rows are others than a table; None if nowhere.

    Args:
        rows: What was printed.
        columns: What is in the JSON.
    """
    names = list(columns)
    count = len(next(iter(columns.values()), []))
    if len(rows) != count:
        return f"{len(rows)} rows, not {count}"
    mixed = {
        name: len({_type(one) for one in values} - {"null"}) > 1 for name, values in columns.items()
    }
    for at, row in enumerate(rows):
        printed = dict(row)
        if len(printed) != len(row):
            return f"row {at + 1} has a column twice"
        if INDEX in columns and len(more := printed.keys() - columns.keys()) == 1:
            printed[INDEX] = printed.pop(more.pop())
        # Names of numbers may be called otherwise: they are the table's, not the text's.
        if printed.keys() != columns.keys():
            if len(printed) == len(names) and all(name.isdecimal() for name in names):
                printed = dict(zip(names, printed.values(), strict=True))
            else:
                return f"row {at + 1} has {sorted(printed)}, not {sorted(names)}"
        for name in names:
            if not agrees(printed[name], columns[name][at], mixed=mixed[name]):
                value, wanted = printed[name], columns[name][at]
                return f"row {at + 1}, {name!r}: {value!r:.200}, not {wanted!r:.200}"
    return None


def first_difference(rows: list[Pairs], text: str) -> str | None:
    """Return where printed rows are none of the tables that a text may be; None if they are one.

    Args:
        rows: What was printed, numbers as texts.
        text: The JSON.
    """
    found = []
    for form, columns in tables(text):
        there = difference(rows, columns)
        if there is None:
            return None
        found.append(f"as {form}: {there}")
    return "; ".join(found) or "no table"
