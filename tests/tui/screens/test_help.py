"""tui.screens.help: the keys, all of them."""

from __future__ import annotations

from livetable.tui.app import LivetableApp
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.screens.help import KEYS
from livetable.tui.screens.tabs import TablesScreen
from livetable.tui.widgets.table_view import TableView


def test_every_key_is_in_the_help() -> None:
    said = " ".join(key for _, keys in KEYS for key, _ in keys)
    names = {
        "up": "↑", "down": "↓", "left": "←", "right": "→", "pageup": "PgUp", "pagedown": "PgDn",
        "ctrl+b": "^b", "ctrl+f": "^f", "home": "Home", "end": "End", "enter": "Enter",
        "escape": "Esc", "question_mark": "?", "ctrl+c": "^c", "ctrl+z": "^z",
        "ampersand": "&", "slash": "/",
        "minus": "-", "plus": "+", "comma": ",", "full_stop": ".", "at": "@", "tab": "Tab",
        "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{",
        "right_curly_bracket": "}", "less_than_sign": "<", "greater_than_sign": ">",
        "left_parenthesis": "(", "right_parenthesis": ")", "percent_sign": "%",
        "equals_sign": "=", "vertical_line": "|", "ctrl+y": "^y", "ctrl+s": "^s", "ctrl+w": "^w",
    }  # fmt: skip
    # The same as g and G, H and L, Tab; numbers are said as a range.
    unsaid = {"ctrl+home", "ctrl+end", "shift+left", "shift+right", "shift+tab", *"2345678"}
    for owner in (TableView, *TablePane.__mro__, TablesScreen, LivetableApp):
        for binding in getattr(owner, "BINDINGS", ()):
            for key in binding.key.split(","):
                assert key in unsaid or names.get(key, key) in said.split(), key
