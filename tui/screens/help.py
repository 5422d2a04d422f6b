"""The keys, by what one wants to do."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.table import Table as Grid
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

KEYS: Final = (
    ("Move", (
        ("↑ ↓ ← →  or  k j h l", "one cell"),
        ("PgUp PgDn  or  ^b ^f", "one page"),
        ("g  G", "first, last row"),
        ("Home End  or  0 $", "first, last column"),
        ("click, wheel", "the same with the mouse"),
    )),
    ("Order", (
        ("s  S", "sort by this column, by a further one: ↑ ↓ off"),
        ("o", "live order, held order, sorted once"),
        ("click a header", "the same with the mouse; Shift for a further one"),
    )),
    ("Find", (
        ("/  n N", "search; next match, previous match"),
        ("f", "filter: price > 100 and name == 'x', or a text"),
        ("&  F", "filter by this cell; remove the newest filter"),
    )),
    ("Columns", (
        ("-  +", "hide this column; show all"),
    )),
    ("Time", (
        ("space", "pause: the table stands still; go on"),
    )),
    ("Take away", (
        ("y  Y", "copy the cell, the row (to your own clipboard, through SSH)"),
    )),
    ("Look", (
        ("c", "mark a cell or a whole row"),
        ("▲ ▼ •", "a number went up, down; else changed"),
        ("–  NaN", "a missing value; not a number"),
    )),
    ("Tables", (
        ("Enter", "open the table under the cursor"),
        ("Esc", "back to the list of tables"),
    )),
    ("Leave", (
        ("?", "this help"),
        ("^p", "all commands and themes"),
        ("q  or  ^c", "quit"),
    )),
)  # fmt: skip


class HelpScreen(ModalScreen[None]):
    """Shows the keys; any of the keys that should close it does."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen #help {
        width: 74;
        max-width: 100%;
        height: auto;
        max-height: 90%;
        padding: 0 2;
        border: round $primary;
        background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,enter,space", "dismiss", "Close", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Yield the keys in a box."""
        grid = Grid.grid(padding=(0, 3))
        grid.add_column(no_wrap=True)
        grid.add_column()
        for title, keys in KEYS:
            grid.add_row(Text(title, "bold underline"), "")
            for key, does in keys:
                grid.add_row(Text(key, "bold"), Text(does))
        grid.add_row(Text("Esc closes this", "dim"), "")
        with VerticalScroll(id="help"):
            yield Static(grid)
