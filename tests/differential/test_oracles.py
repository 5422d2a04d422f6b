"""The oracles themselves: they accept what is right, and find what is made wrong."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from tests.differential import arrow_oracle, csv_oracle, json_oracle
from tests.differential.__main__ import ENDINGS, few, find_files
from tests.differential.csv_oracle import Number, agrees, kind_of, read
from tests.printed import Pairs


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "0"], "number"),
        (["1", "", "NA", "N/A", "NaN", "null", "None"], "number"),
        (["1.5", "-.5", "1.", "2e3", "1E-7", "3"], "number"),
        (["12345678901234567891"], "number+"),
        (["00501", "10001"], "text"),
        (["+1"], "text"),
        (["+1.5"], "text+"),
        (["00.5"], "text+"),
        ([" 1", "2"], "text+"),
        (["12e4567", "1"], "text"),
        (["0x1F"], "text"),
        (["inf", "1"], "text"),
        (["Infinity"], "text"),
        (["1_000"], "text"),
        (["１"], "text"),
        (["NA", "", "NaN"], "text"),
        (["na", "1"], "text"),
        (["true", "False"], "boolean"),
        (["true", "", "false"], "boolean"),
        (["true", "NA"], "boolean+"),
        (["TRUE"], "text"),
        (["true", "1"], "text"),
        (["2025-11-28", "NA"], "time"),
        (["2025-11-28 10:00", "2025-11-28T10:00:00.5"], "time"),
        (["2025-11-28T10:00:00Z", "2025-11-28"], "time+"),
        (["2025-02-30"], "text"),
        (["10:00"], "text"),
    ],
)
def test_types_by_content(cells: list[str], kind: str) -> None:
    assert kind_of(cells) == kind


AT = datetime(2025, 11, 28, 10, tzinfo=UTC)
RIGHT: list[tuple[Any, str, str]] = [
    (Number("1"), "1", "number"),
    (Number("1.0"), "1", "number"),
    (1.5, "1.50", "number"),
    (None, "NA", "number"),
    (float("nan"), "NaN", "number"),
    (Number("0.1"), "0.1000000000000000055", "number"),
    (Number("12345678901234567891"), "12345678901234567891", "number+"),
    ("12345678901234567891", "12345678901234567891", "number+"),
    ("00501", "00501", "text"),
    (None, "", "text"),
    ("", "", "text"),
    ("NA", "NA", "text"),
    (True, "true", "boolean"),
    ("true", "true", "boolean+"),
    ("NA", "NA", "boolean+"),
    (None, "NA", "boolean+"),
    (True, "true", "boolean+"),
    (AT, "2025-11-28T10:00:00Z", "time"),
    ("2025-11-28T11:00:00+01:00", "2025-11-28T10:00:00Z", "time"),
    (Number("1"), " 1", "text+"),
    (" 1", " 1", "text+"),
]
WRONG: list[tuple[Any, str, str]] = [
    (Number("2"), "1", "number"),
    ("1", "1", "number"),
    (True, "1", "number"),
    (None, "0", "number"),
    ("NA", "NA", "number"),
    (1.2345678901234567e19, "12345678901234567891", "number+"),
    (Number("12345678901234567000"), "12345678901234567891", "number+"),
    (9007199254740992.0, "9007199254740993", "number+"),
    (Number("501"), "00501", "text"),
    (Number("1"), "1", "text"),
    (None, "NA", "text"),
    (None, "x", "text"),
    ("x ", "x", "text"),
    ("true", "true", "boolean"),
    (False, "true", "boolean"),
    (Number("1"), "true", "boolean"),
    (datetime(2025, 11, 28, 11, tzinfo=UTC), "2025-11-28T10:00:00Z", "time"),
    ("NA", "NA", "time"),
    (Number("2"), " 1", "text+"),
]


def test_cells() -> None:
    assert [one for one in RIGHT if not agrees(*one)] == []
    assert [one for one in WRONG if agrees(*one)] == []
    assert agrees(1.5, "1,5", "text", decimal_comma=True)
    assert agrees("1,5", "1,5", "text", decimal_comma=True)
    assert not agrees(15, "1,5", "text", decimal_comma=True)


def test_what_csv_reads() -> None:
    assert read("a;b\r\n1;2\r\n").separator == ";"
    assert read("a\n1\n").separator == ","
    table = read('a,b\n1,x"y\n\n"2","p\nq"\n3\n4,5,6\n7,8')
    assert table.rows == [["1", 'x"y'], ["2", "p\nq"], ["7", "8"]]
    assert (table.left_out, table.kinds) == (2, ["number", "text"])
    assert read('a,b\n1,"x\n2,y\n').open_quote
    assert not read('a,b\n1,x"\n').open_quote
    labels = read("a,b\nx,1,2\ny,3,4\n")
    assert (labels.names, len(labels.rows), labels.left_out) == (["", "a", "b"], 2, 0)
    assert read("a,b\nx,1,2\ny,3\n").rows == [["y", "3"]]
    assert read("a,b\r1,2\r").rows == [["1", "2"]]
    assert csv_oracle.decode("é".encode("utf-16")) == csv_oracle.decode("é".encode("latin-1"))


def test_a_changed_csv_is_found() -> None:
    frame = pd.DataFrame({
        "n": [1, 2, 3], "zip": ["00501", "01002", "10001"], "x": [0.5, None, 1e-300],
        "ok": [True, False, True], "when": ["2025-11-28", "2025-11-29", None],
    })  # fmt: skip
    wanted = read(frame.to_csv(index=False))
    rows: list[list[Any]] = [
        [Number("1"), "00501", Number("0.5"), True, "2025-11-28"],
        [Number("2"), "01002", None, False, "2025-11-29"],
        [Number("3"), "10001", Number("1e-300"), True, None],
    ]
    names = list(map(str, frame))
    assert csv_oracle.first_difference(names, rows, wanted) is None
    assert csv_oracle.first_difference(names, rows[:2], wanted) is not None
    assert csv_oracle.first_difference(names, rows + rows[:1], wanted) is not None
    assert csv_oracle.first_difference(names, [rows[1], rows[0], rows[2]], wanted) is not None
    assert csv_oracle.first_difference(["m", *names[1:]], rows, wanted) is not None
    assert csv_oracle.first_difference(names[1:], [row[1:] for row in rows], wanted) is not None
    random_ = random.Random(1)
    for at in range(3):
        for column in range(5):
            other: list[list[Any]] = [list(row) for row in rows]
            others = (Number("77"), "x", not rows[at][column], None, "501")
            other[at][column] = random_.choice(
                [one for one in others if one != rows[at][column] or one is True]
            )
            if rows[at][column] is None and other[at][column] is None:
                continue
            assert csv_oracle.first_difference(names, other, wanted) is not None, other[at]


def test_a_changed_json_is_found() -> None:
    text = '[{"a":1,"b":"00501"},{"a":12345678901234567891,"c":{"d":[1,null]}}]'
    rows = [
        Pairs([("a", Number("1")), ("b", "00501"), ("c", None)]),
        Pairs([
            ("a", Number("12345678901234567891")), ("b", None),
            ("c", {"d": [Number("1"), None]}),
        ]),
    ]  # fmt: skip
    assert json_oracle.first_difference(rows, text) is None
    assert json_oracle.first_difference(rows, text[1:-1].replace("},{", "}\n{")) is None
    for at in range(2):
        for column in range(3):
            for value in (Number("501"), "x", True, {"d": [Number("1"), Number("2")]}):
                other = [Pairs(row) for row in rows]
                other[at][column] = (rows[at][column][0], value)
                assert json_oracle.first_difference(other, text) is not None
    assert json_oracle.first_difference(rows[:1], text) is not None
    one = [Pairs([("a", Number("1"))])]
    for right in ('{"a":1}', '{"a":[1]}', '{"columns":["a"],"index":[0],"data":[[1]]}',
                  '{"a":{"0":1}}', '{"0":{"a":1}}', '{"schema":{},"data":[{"a":1}]}'):  # fmt: skip
        assert json_oracle.first_difference(one, right) is None, right
    for wrong in ('{"a":2}', '{"a":"1"}', '{"a":[1,1]}', '[{"a":1},{"a":1}]', '{"b":1}'):
        assert json_oracle.first_difference(one, wrong) is not None, wrong


def test_a_changed_parquet_is_found(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "s": ["x", None], "at": [AT, None], "l": [[1], []]})
    frame.index = pd.Index(["p", "q"])
    frame.to_parquet(tmp_path / "t.parquet")
    wanted = arrow_oracle.by_pyarrow(tmp_path / "t.parquet")
    duck = arrow_oracle.by_duckdb(tmp_path / "t.parquet")
    assert arrow_oracle.first_difference(duck, wanted) is None
    pa.feather.write_feather(pa.table({"a": [1, None]}), tmp_path / "t.feather")
    feather = arrow_oracle.by_pyarrow(tmp_path / "t.feather")
    assert feather == (["a"], [[1, None]])
    assert arrow_oracle.by_duckdb(tmp_path / "t.feather") == feather
    names, columns = wanted
    assert arrow_oracle.first_difference((names[1:], columns[1:]), wanted) is not None
    for at, column in enumerate(columns):
        for value in (None, 7, "y", [7]):
            if column[0] != value:
                other = [*columns[:at], [value, *column[1:]], *columns[at + 1 :]]
                assert arrow_oracle.first_difference((names, other), wanted) is not None
        other = [*columns[:at], column[:1], *columns[at + 1 :]]
        assert arrow_oracle.first_difference((names, other), wanted) is not None


def test_few_are_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    files = list(find_files())
    assert all(path.name.lower().endswith(ENDINGS) for _, path in files)
    chosen = few(files, 5)
    assert len(chosen) == 5  # pyarrow and NumPy are always there
    assert chosen == few(files, 5)
