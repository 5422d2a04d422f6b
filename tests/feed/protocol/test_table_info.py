"""livetable.feed.protocol.table_info: a line of the catalogue as JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from livetable.feed.errors import WireError
from livetable.feed.protocol.table_info import TableInfo

INFO = TableInfo("orders", "e" * 16, 7, 3, 2, 1.5, 0.25, 4242, "python feed.py", ("id",))


@pytest.mark.parametrize(
    "info", [INFO, replace(INFO, state="gone", age=None), replace(INFO, seq=0)]
)
def test_a_line_comes_back(info: TableInfo) -> None:
    assert TableInfo.from_json(json.loads(json.dumps(info.to_json()))) == info


def test_a_state_is_only_sent_where_there_is_one() -> None:
    assert "state" not in INFO.to_json()


@pytest.mark.parametrize("value", [None, [], {}, {"name": "a/b"}, {"pid": "1"}, {"seq": -1}])
def test_wrong_lines(value: Any) -> None:
    with pytest.raises(WireError):
        TableInfo.from_json(INFO.to_json() | value if isinstance(value, dict) and value else value)
