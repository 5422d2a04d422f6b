"""livetable.feed.sources.jsontext: numbers are what their texts say; documents in all forms."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from livetable.feed.sources.jsontext import BadJson, document, lines_of, wider_type

FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@pytest.mark.parametrize("orient", ["records", "split", "columns", "index", "values", "table"])
def test_the_forms_that_pandas_writes(orient: Any) -> None:
    table = document(FRAME.to_json(orient=orient).encode()).table
    names = ["0", "1"] if orient == "values" else ["a", "b"]
    assert table.to_pydict() == dict(zip(names, ([1, 2], ["x", "y"]), strict=True))


def test_labels_of_rows_are_kept() -> None:
    named = FRAME.set_axis(["p", "q"])
    for orient in ("split", "columns"):
        table = document(named.to_json(orient=orient).encode()).table
        assert table.to_pydict() == {"index": ["p", "q"], "a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ('{"a":1}\n\n{"a":2}\n', {"a": [1, 2]}),
        ('{"a":1,"b":"x"}', {"a": [1], "b": ["x"]}),
        ('{"a":[1,2],"b":["x","y"]}', {"a": [1, 2], "b": ["x", "y"]}),
        ("[]", {}),
        ("[1, 2]", {"value": [1, 2]}),
        ('[{"a":null},{"a":12345678901234567891}]', {"a": [None, 12345678901234567891]}),
        ('[{"a":1},{"a":9007199254740993},{"a":0.5}]', {"a": ["1", "9007199254740993", "0.5"]}),
        ('[{"a":1},{"a":"x"}]', {"a": ["1", "x"]}),
        ('[{"a":{"b":1}},{"a":{"c":2}}]', {"a": ['{"b": 1}', '{"c": 2}']}),
        ('[{"a":[1,2]},{"a":[]}]', {"a": [[1, 2], []]}),
        ('[{"a":"2024-01-01T00:00:00"}]', {"a": ["2024-01-01T00:00:00"]}),
        ('[{"a":1e400},{"a":1}]', {"a": ["1e400", "1"]}),
    ],
)
def test_documents(text: str, table: dict[str, Any]) -> None:
    assert document(text.encode()).table.to_pydict() == table


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1, column 2"), ("17", "single value"), ('[{"a":1}, 2]', "several kinds"),
        ('{"a":[1],"b":[1,2]}', "different lengths"), ('{"a":1}\n[2]\n', "neither"),
        ("[" * 100_000, "nested"), ("\xff", "UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_table(text: str, says: str) -> None:
    with pytest.raises(BadJson, match=says):
        document(text.encode("latin-1"))


def test_digits_that_a_float_lacks_are_told() -> None:
    made = document(b'[{"a":0.12345678901234567890,"b":0.1}]')
    assert made.rounded == {"a"}


def test_lines() -> None:
    made, bad = lines_of(b'{"a":1}\nplain\n{"a":2.5}\n[1]\n', {})
    assert made.table.to_pydict() == {"a": [1.0, 2.5]}
    assert [(number, text) for number, text, _ in bad] == [(1, "plain"), (3, "[1]")]
    made, bad = lines_of(b'{"b":"x","a":1}\n{"c":"2024-01-01"}\n', {})
    assert (made.table.column_names, bad) == (["b", "a", "c"], [])
    assert made.table.column("c").to_pylist() == [None, "2024-01-01"]
    large = b"12345678901234567891"
    made, _ = lines_of(b'{"a":' + large + b"}\n", {})
    assert made.table.column("a").to_pylist() == [Decimal(large.decode())]


def test_both_readers_of_lines_agree() -> None:
    lines = [
        {"i": at, "f": at / 8, "s": f"t{at}", "n": None if at % 3 else at, "l": [at, at + 1]}
        for at in range(50)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    fast, _ = lines_of(text, {})
    exact, _ = lines_of(text + b'{"i":50,"f":1e-100}\n', {})
    assert fast.table.to_pylist() == lines
    assert exact.table.slice(0, 50).to_pylist() == lines


def test_wider_types() -> None:
    assert wider_type(pa.int64(), pa.float64()) == pa.float64()
    assert wider_type(pa.null(), pa.bool_()) == pa.bool_()
    assert wider_type(pa.int64(), pa.string()) is None
    assert wider_type(pa.struct([("a", pa.int64())]), pa.struct([("b", pa.int64())])) is None
