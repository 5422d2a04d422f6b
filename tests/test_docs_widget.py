"""docs/widget.md: its apps run, and its tables say what the widget has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding

from livetable import LiveTable, Publisher
from livetable.tui.embed.features import KINDS
from livetable.tui.pane.feature import bindings_of
from tests.waiting import wait_until

PAGE = (Path(__file__).parent.parent / "docs/widget.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

SIGNS = {
    "slash": "/", "ampersand": "&", "minus": "-", "plus": "+", "less_than_sign": "<",
    "greater_than_sign": ">", "percent_sign": "%", "left_parenthesis": "(",
    "right_parenthesis": ")", "equals_sign": "=", "comma": ",", "full_stop": ".",
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
    "right_curly_bracket": "}", "at": "@",
}  # fmt: skip


def app_of(example: str) -> App[None]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, "docs/widget.md", "exec"), names)
    kinds = (one for one in names.values() if isinstance(one, type))
    kind = next(one for one in kinds if one.__module__ == "example")
    app: App[None] = kind()
    return app


async def rows_of(app: App[None]) -> int:
    async with app.run_test():
        table = app.query_one(LiveTable)
        await wait_until(lambda: table.row_count, lambda: table.table_view.message)
        return table.row_count


async def test_the_apps_show_their_tables() -> None:
    assert len(EXAMPLES) == 4
    with Publisher("orders", key="id") as orders:
        orders.send({"id": [1, 2, 3]})
        assert await rows_of(app_of(EXAMPLES[0])) == 3
    assert await rows_of(app_of(EXAMPLES[1])) > 1
    exec(EXAMPLES[2], {})


@pytest.mark.parametrize("feature", KINDS)
def test_the_keys_of_a_feature_are_those_that_are_listed(feature: str) -> None:
    listed = re.search(rf"^\| `{feature}` \| `([^`]*)`", PAGE, re.MULTILINE)
    assert listed is not None
    keys = {
        key.replace("ctrl+", "^")
        for binding in bindings_of(*KINDS[feature])
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
        if "shift" not in key
    }
    assert set(listed[1].split()) == {SIGNS.get(key, key) for key in keys}


def test_what_is_listed_is_there() -> None:
    for name in re.findall(r"`LiveTable\.(\w+)`", PAGE):
        assert hasattr(LiveTable, name), name
    for name in ("row_count", "cursor_row", "cursor_column", "show"):
        assert hasattr(LiveTable, name)
