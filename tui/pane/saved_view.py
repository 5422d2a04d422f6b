"""The saved view of a table: read when its first frame arrives, written when its pane closes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.binding import Binding

from livetable.feed.base.terminal_text import harmless
from livetable.tui.config.settings import BadFile, view_path
from livetable.tui.model.table import Table
from livetable.tui.pane.column_looks import COLOURS, USUAL_COLOURS
from livetable.tui.query.column_choice import AS_IT_CAME, with_computed
from livetable.tui.target import PIPE, ViewOptions, origin_of
from livetable.tui.terminal.textual_private import keymap_of

if TYPE_CHECKING:
    from livetable.tui.config.view_file import Remembered
    from livetable.tui.pane.table_pane import TablePane

_TELL_SECONDS = 8.0


class SavedView:
    """Reads and writes the file of a pane's view.

    Args:
        pane: The pane.
        options: The command line's options: which file to use, or whether to remember the view.
    """

    def __init__(self, pane: TablePane, options: ViewOptions) -> None:
        self._pane = pane
        self._options = options
        self._path: Path | None = None
        self._view: Remembered | None = None

    def take_up(self, table: Table) -> None:
        """Apply the saved view, if there is one.

        Args:
            table: The table's first frame.
        """
        options = self._options
        if options.view is None and not options.remember:
            return
        path = self._path = options.view or self._remembered_in(table)
        if not path.exists() and options.view is None:
            return
        from livetable.tui.config.view_file import read_view

        try:
            self._apply(read_view(path))
            if options.view is None:
                self._tell(table)
        except BadFile as error:
            self._path = None  # don't overwrite a file that can't be read
            self._complain(error)

    def write(self) -> None:
        """Write the view to its file, if it changed."""
        pane, path = self._pane, self._path
        if path is None or (self._is_untouched and self._view is None):
            return
        from livetable.tui.config.view_file import Remembered, write_view

        arrangement = replace(pane.chosen(), asked=0)
        colours = "" if pane.looks.colours == USUAL_COLOURS else pane.looks.colours
        alerts = tuple(one for one in pane.alerts.conditions if one not in self._options.alerts)
        view = Remembered(arrangement, pane.state.columns, pane.state.rules, colours, alerts)
        if view == self._view:
            return
        self._view = view
        try:
            write_view(path, origin_of(pane.target) or pane.title, view)
        except BadFile as error:
            self._path = None
            self._complain(error)

    @property
    def _is_untouched(self) -> bool:
        """Whether the user chose nothing, so that there is nothing to save."""
        pane = self._pane
        return (
            pane.state.arrangement is None
            and pane.state.columns == AS_IT_CAME
            and not pane.state.rules
            and pane.alerts.conditions == self._options.alerts
            and pane.looks.colours == USUAL_COLOURS
        )

    def _remembered_in(self, table: Table) -> Path:
        """Return the file for the remembered view, by the table's source, or else by its name."""
        origin = origin_of(self._pane.target)
        if origin == PIPE:
            origin = json.dumps([PIPE, *table.titles])
        return view_path(self._pane.name_of_table, origin)

    def _apply(self, view: Remembered) -> None:
        pane = self._pane
        self._view = view
        pane.state.arrangement = view.arrangement
        pane.view.start_arranging()
        pane.choose_columns(view.columns)
        pane.view.choose_rules(view.rules)
        if view.alerts:
            pane.alerts.choose((*self._options.alerts, *view.alerts))
        if view.colours in COLOURS:
            pane.looks.choose_colours(view.colours)

    def _tell(self, table: Table) -> None:
        """Notify of what a remembered view hides: the user may not expect it."""
        pane = self._pane
        shown = with_computed(table, pane.state.columns)
        filters = len(pane.chosen().filters)
        hidden = len(pane.state.columns.hidden.intersection(shown.refs))
        parts = [f"{filters} filter{'s' if filters > 1 else ''}"] if filters else []
        parts += [f"{hidden} hidden column{'s' if hidden > 1 else ''}"] if hidden else []
        parts += ["groups"] if pane.chosen().groups else []
        if parts:
            sentence = (
                f"Remembered view: {', '.join(parts)}. Press {self._key_of('show_all')} to clear."
            )
            pane.app.notify(sentence, timeout=_TELL_SECONDS, markup=False)

    def _key_of(self, action: str) -> str:
        """Return the key of an action. The user's settings may have changed it."""
        # Not from the active bindings: before the first paint there are none.
        app = self._pane.app
        bindings = [
            one for kind in type(self._pane).__mro__ for one in vars(kind).get("BINDINGS", ())
        ]
        binding = next(one for one in bindings if isinstance(one, Binding) and one.action == action)
        keys = keymap_of(app).get(binding.id or "", binding.key)
        return app.get_key_display(replace(binding, key=keys.split(",")[0]))

    def _complain(self, error: BadFile) -> None:
        self._pane.app.notify(harmless(str(error)), severity="error", markup=False)
