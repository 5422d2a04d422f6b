"""The help screen: all keys, by task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.table import Table as Grid
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from livetable.feed.base.terminal_text import harmless
from livetable.tui.dialogs.leaving import LeftOnce
from livetable.tui.terminal.textual_private import keymap_of

KEYS: Final = (
    ("Move", (
        ("↑ ↓ ← →  or  k j h l", "one cell"),
        ("PgUp PgDn  or  ^b ^f", "one page"),
        ("g  G", "first, last row"),
        ("Home End  or  0 $", "first, last column"),
        ("click, wheel", "the same with the mouse"),
    )),
    ("Find", (
        ("/  n N", "search; next match, previous match"),
        ("f", "filter: price > 100 and name == 'x', or a text"),
        ("&  F", "filter by this cell; remove the newest filter"),
        ("V", "show all rows and columns: no filters, groups, hidden columns"),
    )),
    ("Order", (
        ("s  S", "sort by this column: ↑ ↓ off; add a column to the sort"),
        ("o", "keep re-sorting, freeze the order, sort once"),
        ("O", "sort item2 before item10"),
        ("click a header", "the same with the mouse; Shift adds to the sort"),
    )),
    ("Time", (
        ("space", "pause, resume"),
        (",  .", "back, forward by a frame"),
        ("[ ]  { }", "back, forward by 10 seconds, by a minute"),
        ("@", "go to a time: 14:03, or -30 seconds"),
        ("m  M", "mark: show changes from now on; clear the mark"),
    )),
    ("Tapes", (
        ("space", "play, stop"),
        (";  '  \"", "slower, faster; in a loop"),
        ("!", "skip to where a condition is next met"),
    )),
    ("Look closer", (
        ("Enter", "show the whole row; open the group"),
        ("i", "statistics of this column"),
        ("I", "list the lines of the file that could not be read"),
        ("p  P", "chart of this column; of this row over time"),
        ("J  K", "scroll the panel"),
        ("Esc", "close the panel; resume; back to the list of tables"),
    )),
    ("Groups", (
        ("b  B", "group by this column; ungroup, also Esc (Enter opens a group)"),
        ("A", "next total of this column: mean, min, max, …"),
    )),
    ("Columns", (
        ("C", "pick from a list"),
        ("-  +", "hide this column; show all, original order"),
        ("H  L", "move this column left, right"),
        ("<  >  w", "narrower, wider, as wide as needed"),
        ("z", "freeze this column"),
        ("drag a header", "move the column; drag its right edge to resize it"),
        ("=", "new column: mid = (bid + ask) / 2"),
        ("d", "change since the last frame: Δ, %Δ, per second"),
    )),
    ("Numbers", (
        ("%", "thousands, percent, SI, bytes, duration, hex"),
        ("(  )", "fewer, more digits"),
        ("U  a", "unit; align left or right"),
        ("v", "bars, heat"),
        ("r  R", "rule: price > 100: red; remove the newest rule"),
        ("W  E", "alert when a row matches a condition; past alerts"),
        ("u", "colours of up and down"),
    )),
    ("Copy and export", (
        ("y  Y", "copy the cell, the row (to your clipboard, also over SSH)"),
        ("x  X", "select this row, for Y; clear the selection"),
        ("^y", "copy column, rows or table as TSV, Markdown, JSON, CSV"),
        ("e  ^s", "export to a file; picture of the screen"),
    )),
    ("Tables", (
        ("Tab  1 – 9", "next table; table by number"),
        ("t  T", "duplicate this tab; open another table"),
        ("|  ^w", "side by side; close this table"),
    )),
    ("Symbols", (
        ("c", "cell cursor, row cursor"),
        ("▲ ▼ • *", "went up, down, changed; changed since the mark"),
        ("–  NaN  …", "missing; not a number; cut"),
        ("≈ before a title", "has more digits than shown: ) or Enter shows them"),
    )),
    ("Quit", (
        ("?", "this help"),
        ("^p", "all commands and themes"),
        ("q  or  ^c", "quit"),
        ("^z", "suspend; fg resumes"),
    )),
)  # fmt: skip


_WIDTH: Final = 74


class HelpScreen(ModalScreen[None], LeftOnce[None]):
    """Shows the keys. Esc, ?, Enter and space close it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen #help {
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
        """Yield the box of keys."""
        with VerticalScroll(id="help") as box:
            box.border_subtitle = "↓ ↑ more   Esc closes"
            yield Static()

    def on_mount(self) -> None:
        """Show the keys."""
        self._write(self.app.size.width)

    def on_resize(self, event: events.Resize) -> None:
        """Show the keys in the new width: in two columns if there is room."""
        self._write(event.size.width)

    def _write(self, width: int) -> None:
        wide = width >= 2 * _WIDTH
        half = len(KEYS) // 2
        parts = (KEYS[:half], KEYS[half:]) if wide else (KEYS,)
        grids = [_grid(part) for part in parts]
        if own := keymap_of(self.app):
            grids[-1].add_row(Text("Your own keys", "bold underline"), "")
            for name, key in own.items():
                grids[-1].add_row(Text(harmless(key), "bold"), Text(name))
        outer = Grid.grid(padding=(0, 4))
        outer.add_row(*grids)
        self.query_one("#help").styles.width = 2 * _WIDTH if wide else _WIDTH
        self.query_one("#help Static", Static).update(outer)


def _grid(keys: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> Grid:
    grid = Grid.grid(padding=(0, 3))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for title, lines in keys:
        grid.add_row(Text(title, "bold underline"), "")
        for key, does in lines:
            grid.add_row(Text(key, "bold"), Text(does))
    return grid
