"""A table of which parts can be copied, and that can be written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.harmless import harmless
from livetable.tui.keys import named
from livetable.tui.model import RowId, Table
from livetable.tui.panes.arranged import ArrangedPane

if TYPE_CHECKING:
    from pathlib import Path

MOST_COPIED = 1 << 20
"""Characters that go to the clipboard: terminals drop more, or hang on it."""

_EXPORT_HINT = ".csv .json .jsonl .md .parquet .feather   Tab: as shown, or all of it"


class TakeAwayPane(ArrangedPane):
    """Copies to the person's own clipboard (OSC 52), and exports."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("y", "copy('cell')", "Copy", tooltip="Copy the cell, through SSH too"),
        Binding("Y", "copy('rows')", "Copy row, or picked rows", show=False),
        Binding("x", "pick", "Pick a row", show=False),
        Binding("X", "unpick", "Pick none", show=False),
        Binding("ctrl+y", "copy_as", "Copy as …", show=False),
        Binding("e", "export", "Export", tooltip="Write the table to a file"),
        Binding("ctrl+s", "screenshot", "Picture of the screen", show=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.picked: frozenset[RowId] = frozenset()
        """Rows that are picked, by what they are held by."""

    # -- which -------------------------------------------------------------------------------------

    def action_pick(self) -> None:
        """Pick the cursor's row, or no longer; the cursor goes on to the next one."""
        widget = self.live_table
        table, row = widget.table, widget.cursor_row
        if table is not None and row < table.rows:
            self._pick(self.picked ^ {table.identity(row)})
            widget.action_cursor(1, 0)

    def action_unpick(self) -> None:
        """Pick no row."""
        self._pick(frozenset())

    def _pick(self, picked: frozenset[RowId]) -> None:
        self.picked = picked
        self.live_table.picked = picked

    def _rows(self, table: Table) -> list[int]:
        """Return the picked rows that are shown; without any the cursor's."""
        if not self.picked:
            return [self.live_table.cursor_row]
        return [
            row for row, one in enumerate(table.identities(0, table.rows)) if one in self.picked
        ]

    # -- copy --------------------------------------------------------------------------------------

    def action_copy(self, what: str) -> None:
        """Copy the cursor's cell, or rows with tabs between the values."""
        widget = self.live_table
        table, row, column = widget.table, widget.cursor_row, widget.cursor_column
        if table is None or row >= table.rows or column >= len(table.titles):
            return
        from livetable.tui.writing import plain_values

        rows = [row] if what == "cell" else self._rows(table)
        columns: Sequence[int] = [column] if what == "cell" else range(len(table.titles))
        lines = []
        for one in rows:
            cells = plain_values(table, columns, one, one + 1)
            lines.append("\t".join("" if cell[0] is None else str(cell[0]) for cell in cells))
        self._copy("\n".join(lines), "" if len(rows) == 1 else f"{len(rows):,} rows")

    def action_copy_as(self) -> None:
        """Choose what to copy, and as what."""
        table = self.live_table.table
        if table is None:
            return
        from livetable.tui.screens.choice import ChoiceScreen

        whats = {
            "column": "this column", "rows": "this row" if not self.picked else "the picked rows",
            "seen": "the rows in sight", "table": "all rows shown",
        }  # fmt: skip
        forms = {"tsv": "TSV", "markdown": "Markdown", "json": "JSON", "csv": "CSV"}
        choices = {
            f"{what}/{form}": f"{said} as {name}"
            for what, said in whats.items()
            for form, name in forms.items()
        }

        def chosen(choice: str | None) -> None:
            if choice is not None:
                what, form = choice.split("/")
                self.copy_as(what, form)

        self.app.push_screen(ChoiceScreen("Copy", choices), chosen)

    def copy_as(self, what: str, form: str) -> None:
        """Copy a part of the table.

        Args:
            what: ``column``, ``rows``, ``seen`` or ``table``.
            form: One of `writing.WRITERS`.
        """
        import numpy as np

        from livetable.tui.writing import as_text

        widget = self.live_table
        table = widget.table
        if table is None:
            return
        part = table
        if what == "rows":
            rows = [table.row_in_frame(row) for row in self._rows(table) if row < table.rows]
            part = table.arranged(np.array(rows, dtype=np.int64))
        elif what == "seen":
            top = widget.view.top
            stop = min(table.rows, top + widget.rows_in_sight)
            part = table.arranged(table.frame_rows_of(min(top, stop), stop))
        elif what == "column":
            at = widget.cursor_column
            heading, ref = table.headings.columns[at], table.refs[at]
            headings = type(table.headings)([replace(heading, fixed=False)], (ref,))
            part = replace(table, headings=headings, whole=table.whole or table.headings)
        # A rough bound, before the text is made: a cell takes a character at least.
        if part.rows * len(part.titles) > MOST_COPIED:
            self.app.notify("too much for a clipboard: export it with e", timeout=4)
            return
        self._copy(as_text(part, form), f"{part.rows:,} rows as {form}")

    def _copy(self, text: str, what: str) -> None:
        if len(text) > MOST_COPIED:
            self.app.notify("too much for a clipboard: export it with e", timeout=4)
            return
        self.app.copy_to_clipboard(text)
        said = what or (text if len(text) <= 40 else f"{text[:40]} …")
        # Whether it arrives is the terminal's affair; nothing tells.
        self.app.notify(f"to your clipboard: {harmless(said)}", timeout=2, markup=False)

    # -- files -------------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Ask for a file to write the table to."""
        if self.live_table.table is None:
            return
        from livetable.tui.prompt import Prompt

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
            from livetable.tui.export import ExportError, destination

            try:
                path = destination(text)
            except ExportError as error:
                prompt.say(str(error))
                return False
            if path.exists() and path != replaces:
                replaces = path
                prompt.say("it is there already: Enter again replaces it")
                return False
            self._export(path, whole)
            return True

        self.ask(prompt, done, toggled=toggled)

    def _export(self, path: Path, whole: bool) -> None:
        table = self.base.arranged(None) if whole and self.base else self.live_table.table
        if table is None:
            return
        if whole:
            table = table.undressed

        def say(text: str, severity: str = "information") -> None:
            self.app.call_from_thread(
                self.app.notify, harmless(text), timeout=4, markup=False, severity=severity
            )

        def run() -> None:
            from livetable.tui.export import ExportError, export

            told = 0

            def progress(rows: int) -> None:
                nonlocal told
                if (share := rows * 4 // max(1, table.rows)) > told and share < 4:
                    told = share
                    say(f"{path.name}: {rows:,} of {table.rows:,} rows")

            try:
                size = export(table, path, progress)
            except ExportError as error:
                say(str(error), "error")
            else:
                say(f"{path}: {table.rows:,} rows, {size:,} bytes")

        self.run_worker(run, group="export", thread=True, exit_on_error=False)

    def action_screenshot(self) -> None:
        """Write a picture of the screen to a file in the current folder."""
        import time

        name = time.strftime("livetable-%Y%m%d-%H%M%S.svg")
        try:
            path = self.app.save_screenshot(name)
        except OSError as error:
            self.app.notify(
                f"{name} can't be written: {error.strerror}", severity="error", markup=False
            )
        else:
            self.app.notify(harmless(path), timeout=3, markup=False)
