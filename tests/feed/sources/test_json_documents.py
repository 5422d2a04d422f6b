"""livetable.feed.sources.json_documents: documents in all forms."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from livetable.feed.sources.json_documents import document
from livetable.feed.sources.json_values import BadJson

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
        ("{", "line 1, column 2"), ("17", "single value"), ('[{"a":1}, 2]', "mixed values"),
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
