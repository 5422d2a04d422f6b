"""tui.output.text_formats: tables as text that others read."""

from __future__ import annotations

import io
import json

import pandas as pd
import pyarrow as pa
import pytest

from livetable.tui.output.text_formats import WRITERS, as_text
from tests.tui.tables import table_of
from tests.ugly import ugly_frames

FRAME = pd.DataFrame(
    {
        "a": [1, 2],
        "f": [0.1, float("nan")],
        "t": pd.to_datetime(pd.Series(["2026-01-02", None])).to_list(),
        "b": [True, False],
        "s": ['x,"y"', None],
        "": [b"\x00", None],
    },
    index=pd.Index(["p", "q"], name="id"),
)


def test_csv() -> None:
    assert as_text(table_of(FRAME), "csv") == (
        'id,a,f,t,b,s,\np,1,0.1,2026-01-02,true,"x,""y""",00\nq,2,,,false,,\n'
    )


def test_json() -> None:
    records = json.loads(as_text(table_of(FRAME), "json"))
    assert records[0] == {
        "id": "p", "a": 1, "f": 0.1, "t": "2026-01-02", "b": True, "s": 'x,"y"', "column 6": "00",
    }  # fmt: skip
    lines = as_text(table_of(FRAME), "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == records


def test_names_that_come_twice() -> None:
    (record,) = json.loads(as_text(table_of(ugly_frames()["duplicate columns"]), "json"))
    assert record == {"a": 1, "a 2": 2, "a 3": 3}


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl"])
@pytest.mark.parametrize("name", ugly_frames())
def test_every_ugly_frame_in_every_format(name: str, form: str) -> None:
    table = table_of(ugly_frames()[name])
    text = as_text(table, form)
    if form == "json":
        assert len(json.loads(text)) == table.rows
    elif form == "table":
        assert text.count("\n") == table.rows + 1
        assert text.replace("\n", "").replace("\u200e", "").replace("\u3000", "").isprintable()


def test_markdown() -> None:
    table = table_of(pd.DataFrame({"a|b": ["x|y", None], "n": [1.25, 2.0]}))
    assert as_text(table, "markdown") == (
        "| a\\|b | n |\n| :-- | --: |\n| x\\|y | 1.25 |\n| – | 2.00 |\n"
    )
    assert as_text(table, "tsv") == "a|b\tn\nx|y\t1.25\n\t2.0\n"


def test_times_have_one_form_a_column() -> None:
    times = pd.to_datetime(["2026-01-01"] * 5000 + ["2026-01-01 12:00:00.5"], format="ISO8601")
    table = table_of(pd.DataFrame({"t": times}))
    for form in ("csv", "tsv", "jsonl", "markdown"):
        lines = as_text(table, form).splitlines()
        assert "2026-01-01 00:00:00.000" in lines[-2]
        assert "2026-01-01 12:00:00.500" in lines[-1]
    days = table_of(pd.DataFrame({"t": pd.to_datetime(["2026-01-01"])}))
    assert as_text(days, "csv") == "t\n2026-01-01\n"
    WRITERS["csv"](days, out := io.StringIO(), more_to_come=True)
    assert out.getvalue() == "t\n2026-01-01 00:00:00.000000\n"


def test_whole_numbers_of_any_size_are_numbers_in_json() -> None:
    table = table_of(pd.DataFrame({"n": [1, 2**64 + 1]}))
    assert as_text(table, "jsonl") == f'{{"n": 1}}\n{{"n": {2**64 + 1}}}\n'


def test_narrow_floats_are_the_shortest_that_are_read_as_the_same() -> None:
    for kind in (pa.float32(), pa.float16()):
        one = pa.array([0.1, None, 2.0], pa.float64()).cast(pa.float32()).cast(kind)
        nested = pa.ListArray.from_arrays(pa.array([0, 1, 1, 1], pa.int32()), one.slice(0, 1))
        table = table_of(pa.table({"v": one, "n": nested}))
        assert as_text(table, "csv").splitlines()[1].startswith("0.1,[0.1]")
        assert as_text(table, "jsonl").splitlines()[0] == '{"v": 0.1, "n": [0.1]}'
