"""tui.embed.messages: rows, keys and values as a program has them."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pandas as pd

from livetable.tui.embed.messages import Row, UnderCursor, label_of, row_of, value_of
from livetable.tui.model.table import Table
from tests.tui.tables import prices, table_of


def test_a_row_has_its_key_and_its_values() -> None:
    table = table_of(pd.DataFrame({"id": ["a", "b"], "n": [1, 2]}), "id", "n")
    assert row_of(table, 1) == Row(("b", 2), {"id": "b", "n": 2}, 1)
    assert row_of(table, 2) is None
    assert row_of(table, -1) is None
    assert row_of(table.only(1), 0) is not None


def test_a_hidden_key_still_identifies() -> None:
    from livetable.tui.query.column_choice import AS_IT_CAME, dressed

    table = prices(a=1.5)
    hidden = dressed(table, AS_IT_CAME.__class__(hidden=frozenset({("id", 0)})))
    row = row_of(hidden, 0)
    assert row is not None
    assert (row.key, row.values) == ("a", {"price": 1.5})


def test_without_a_key_it_is_the_index() -> None:
    frame = pd.DataFrame({"n": [1, 2, 3]})
    for one, wanted in ((frame, 1), (frame.iloc[1:], 2), (frame[::-1], 1)):
        row = row_of(table_of(one), 1)
        assert row is not None
        assert row.key == wanted


def test_times_are_python_s_and_load_no_pandas() -> None:
    at = pd.Timestamp("2026-01-01 10:00", tz="UTC").as_unit("ns")
    table = table_of(pd.DataFrame({"at": [at], "took": [pd.Timedelta(5, "ns")], 7: [b"x"]}))
    assert type(value_of(table, 1, 0)) is datetime.datetime
    assert value_of(table, 2, 0) == pd.Timedelta(5, "ns")  # more than microseconds
    assert (label_of(table, 3), value_of(table, 3, 0)) == (7, b"x")
    code = """
import sys
sys.modules["pandas"] = None
import pyarrow as pa
from livetable.tui.embed.messages import _in_microseconds
assert _in_microseconds(pa.timestamp("ns", "UTC")) == pa.timestamp("us", "UTC")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_another_row_under_the_cursor() -> None:
    under = UnderCursor()

    def key(table: Table | None, position: int) -> object:
        row = under.another(table, position)
        return None if row is None else row.key

    first, second = prices(a=1, b=2), prices(b=2, a=1)
    assert key(first, 0) == "a"
    assert key(first, 0) is None
    assert key(second, 1) is None  # it only moved
    assert key(second, 0) == "b"
    assert key(None, 0) is None
    assert key(second, 0) == "b"
    assert key(second, 5) is None
