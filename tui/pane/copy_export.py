"""Copy parts of the table, and export it to a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from pathlib import Path

    from livetable.tui.pane.feature_pane import FeaturePane

MOST_COPIED = 1 << 20
"""The most characters to copy. With more, terminals drop the text or hang."""

_TMUX = "\ntmux passes it on with: set -g set-clipboard on"
_EXPORT_HINT = ".csv .json .jsonl .md .parquet .feather   Tab: as shown, or all of it"


class CopyExport(Feature):
    """Copies to the user's own clipboard (OSC 52), also through SSH, and exports to files."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("y", "copy('cell')", "Copy", tooltip="Copy the cell, through SSH too"),
        Binding("Y", "copy('rows')", "Copy row, or picked rows", show=False),
        Binding("x", "pick", "Pick a row", show=False),
        Binding("X", "unpick", "Pick none", show=False),
        Binding("ctrl+y", "copy_as", "Copy as …", show=False),
        Binding("e", "export", "Export", tooltip="Write the table to a file"),
        Binding("ctrl+s", "screenshot", "Picture of the screen", show=False),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self.picked: frozenset[RowId] = frozenset()
        """The ids of the picked rows."""
        self._hint = _TMUX if "TMUX" in os.environ else ""

    # -- pick rows ---------------------------------------------------------------------------------

    def action_pick(self) -> None:
        """Pick or unpick the cursor's row, and move the cursor down."""
        widget = self.table_view
        table, row = widget.table, widget.cursor_row
        if table is not None and row < table.rows:
            self._pick(self.picked ^ {table.identity(row)})
            widget.action_cursor(1, 0)

    def action_unpick(self) -> None:
        """Unpick all rows."""
        self._pick(frozenset())

    def _pick(self, picked: frozenset[RowId]) -> None:
        self.picked = picked
        self.table_view.picked = picked

    def _rows(self, table: Table) -> Table:
        """Return the picked rows, also those that a filter hides. Without any, the cursor's row."""
        import numpy as np

        if not self.picked:
            row = self.table_view.cursor_row
            return table.arranged(table.frame_rows_of(row, min(row + 1, table.rows)))
        shown = table.rows_of(self.picked)
        if len(shown) < len(self.picked) and table.order is not None:
            rest = table.arranged(None).rows_of(self.picked)
            shown = np.concatenate((shown, rest[~np.isin(rest, shown)]))
        return table.arranged(shown)

    # -- copy --------------------------------------------------------------------------------------

    def action_copy(self, what: str) -> None:
        """Copy the cursor's cell, or rows with tabs between the values."""
        widget = self.table_view
        table, row, column = widget.table, widget.cursor_row, widget.cursor_column
        if table is None or row >= table.rows or column >= len(table.titles):
            return
        if what == "cell":
            from livetable.tui.output.text_formats import plain_values

            value = plain_values(table, [column], row, row + 1)[0][0]
            text = "" if value is None else str(value)
            if text:
                self._copy("true" if value is True else "false" if value is False else text)
            else:
                self.pane.app.notify("Nothing to copy: the cell is empty.", timeout=2)
            return
        part = self._rows(table)
        if not part.rows:
            self.pane.app.notify(
                "The selected rows are gone. Press X to clear the selection.", timeout=3
            )
            return
        self.copy_part(part, "tsv", header=False)

    def action_copy_as(self) -> None:
        """Choose what to copy, and in which format."""
        table = self.table_view.table
        if table is None:
            return
        from livetable.tui.dialogs.choice import ChoiceScreen

        whats = {
            "column": "this column", "rows": "this row" if not self.picked else "the selected rows",
            "seen": "the rows in sight", "table": "all rows shown",
        }  # fmt: skip
        forms = {"tsv": "TSV", "markdown": "Markdown", "json": "JSON", "csv": "CSV"}
        choices = {
            f"{what}/{form}": f"{part} as {name}"
            for what, part in whats.items()
            for form, name in forms.items()
        }

        def chosen(choice: str | None) -> None:
            if choice is not None:
                what, form = choice.split("/")
                self.copy_as(what, form)

        self.pane.app.push_screen(ChoiceScreen("Copy", choices), chosen)

    def copy_as(self, what: str, form: str) -> None:
        """Copy a part of the table.

        Args:
            what: ``column``, ``rows``, ``seen`` or ``table``.
            form: One of `text_formats.WRITERS`.
        """
        widget = self.table_view
        table = widget.table
        if table is None:
            return
        part = table
        if what == "rows":
            part = self._rows(table)
        elif what == "seen":
            top = widget.view.top
            stop = min(table.rows, top + widget.rows_in_sight)
            part = table.arranged(table.frame_rows_of(min(top, stop), stop))
        elif what == "column":
            part = table.only(widget.cursor_column)
        self.copy_part(part, form)

    def copy_part(self, part: Table, form: str, *, header: bool = True) -> None:
        """Copy a table.

        Args:
            part: The table.
            form: One of `text_formats.WRITERS`.
            header: Whether to copy the line with the columns' titles, in formats that have one.
        """
        from livetable.tui.output.text_formats import as_text

        # A rough check before building a huge text: each cell takes at least one character.
        if part.rows * len(part.titles) > MOST_COPIED:
            self.pane.app.notify("Too large for the clipboard. Press e to export it.", timeout=4)
            return
        text = as_text(part, form)
        if not header:
            text = text.partition("\n")[2].removesuffix("\n")
        what = f"{part.rows:,} rows" + (f" as {form}" if header else "")
        self._copy(text, what if header or part.rows > 1 else "")

    def _copy(self, text: str, what: str = "") -> None:
        if len(text) > MOST_COPIED:
            self.pane.app.notify("Too large for the clipboard. Press e to export it.", timeout=4)
            return
        self.pane.app.copy_to_clipboard(text)
        shown = what or (text if len(text) <= 40 else f"{text[:40]} …")
        # The terminal may ignore the copy, and nothing reports that: so give the tmux hint once.
        hint, self._hint = self._hint, ""
        self.pane.app.notify(
            f"Copied: {harmless(shown)}{hint}", timeout=6 if hint else 2, markup=False
        )

    # -- files -------------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Ask for a file to write the table to."""
        if self.table_view.table is None:
            return
        from livetable.tui.widgets.prompt import Prompt

        whole = False
        replaces: Path | None = None
        prompt = Prompt("export as shown to: ", hint=_EXPORT_HINT, toggles=True)

        def toggled() -> None:
            nonlocal whole
            whole = not whole
            prompt.relabel("export all to: " if whole else "export as shown to: ")

        def done(text: str | None) -> bool:
            nonlocal replaces
            if not text or not text.strip():
                return True
            from livetable.tui.output.files import ExportError, destination

            try:
                path = destination(text)
            except ExportError as error:
                prompt.say(str(error))
                return False
            if path.exists() and path != replaces:
                replaces = path
                prompt.say("The file exists. Press Enter again to replace it.")
                return False
            self._export(path, whole)
            return True

        self.pane.ask(prompt, done, toggled=toggled)

    def _export(self, path: Path, whole: bool) -> None:
        table = (
            self.state.base.arranged(None) if whole and self.state.base else self.table_view.table
        )
        if table is None:
            return
        if whole:
            table = table.undressed

        def say(text: str, severity: str = "information") -> None:
            self.pane.app.call_from_thread(
                self.pane.app.notify, harmless(text), timeout=4, markup=False, severity=severity
            )

        def run() -> None:
            from livetable.tui.output.files import ExportError, export

            quarters = 0

            def progress(rows: int) -> None:
                nonlocal quarters
                if (share := rows * 4 // max(1, table.rows)) > quarters and share < 4:
                    quarters = share
                    say(f"{path.name}: {rows:,} of {table.rows:,} rows")

            try:
                size = export(table, path, progress)
            except ExportError as error:
                say(str(error), "error")
            else:
                say(f"{path}: {table.rows:,} rows, {size:,} bytes")

        self.pane.run_worker(run, group="export", thread=True, exit_on_error=False)

    def action_screenshot(self) -> None:
        """Write a picture of the screen to a file in the current folder."""
        import time

        name = time.strftime("livetable-%Y%m%d-%H%M%S.svg")
        try:
            path = self.pane.app.save_screenshot(name)
        except OSError as error:
            self.pane.app.notify(
                f"Can't write {name}: {error.strerror}", severity="error", markup=False
            )
        else:
            self.pane.app.notify(harmless(path), timeout=3, markup=False)
