"""A table whose columns can be hidden, moved, written otherwise and worked out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.pane.view import ArrangedPane, following
from livetable.tui.query.column_choice import (
    AS_IT_CAME,
    ColumnChoice,
    Computed,
    dressed,
    free_title,
    freezing,
    moved,
    problems_of,
    troubles_of,
    with_computed,
    without_computed,
)
from livetable.tui.text.column_style import LEAST_WIDTH, PLAIN_STYLE, NumberForm, Shade
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.text.column_style import ColumnStyle
    from livetable.tui.widgets.prompt import Prompt
    from livetable.tui.widgets.table_view import TableView

_COMPUTE_HINT = "mid = (bid + ask) / 2   d(x): change since the frame before, d(x, 10): since 10 s"
_CHANGES = (("Δ {}", "d({})"), ("%Δ {}", "pct({})"), ("{}/s", "rate({})"))
COLOURS = {"green and red": "", "red and green": "-red-up", "blue and orange": "-blue-up"}
"""Colours of up and down, each with its style class: the last can be told apart by anybody."""

USUAL_COLOURS = next(iter(COLOURS))
"""Those that nobody need choose."""

_MOST_DIGITS = 15


class ColumnedPane(ArrangedPane):
    """Holds the person's choice of columns."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("minus", "hide", "Hide column", show=False),
        Binding("plus", "unhide", "Show all columns", show=False),
        Binding("C", "columns", "Columns", tooltip="Pick columns from a list"),
        Binding("H,shift+left", "move(-1)", "Move column left", show=False),
        Binding("L,shift+right", "move(1)", "Move column right", show=False),
        Binding("less_than_sign", "widen(-2)", "Narrower column", show=False),
        Binding("greater_than_sign", "widen(2)", "Wider column", show=False),
        Binding("w", "fit", "Column as wide as needed", show=False),
        Binding("z", "freeze", "Freeze column", show=False),
        Binding("percent_sign", "number_form", "Number format", show=False),
        Binding("left_parenthesis", "digits(-1)", "Fewer digits", show=False),
        Binding("right_parenthesis", "digits(1)", "More digits", show=False),
        Binding("U", "unit", "Unit", show=False),
        Binding("a", "align", "Align left, right", show=False),
        Binding("v", "shade", "Bars, heat", show=False),
        Binding("u", "colours", "Colours of up and down", show=False),
        Binding("equals_sign", "compute", "New column", show=False),
        Binding("d", "change", "Column of changes", show=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.columns = AS_IT_CAME
        """What the person chose of the columns."""
        self.colours = USUAL_COLOURS
        """Which colours up and down have."""

    def offer(self, table: Table) -> None:
        """Take a table as it came, with what is worked out from it."""
        super().offer(with_computed(table, self.columns))

    def more_problems(self) -> list[str]:
        """Return which columns can't be worked out."""
        if self.base is None or not self.columns.computed:
            return []
        shown = self.table_view.table
        return [
            *problems_of(without_computed(self.base), self.columns),
            *(() if shown is None else troubles_of(shown)),
        ]

    def dress(self, table: Table) -> Table:
        """Return a table with the columns that the person chose."""
        return dressed(table, self.columns)

    def choose_columns(self, columns: ColumnChoice) -> None:
        """Show other columns from now on."""
        before, self.columns = self.columns, columns
        self.table_view.styles_of_columns = columns.style_of
        if columns.computed != before.computed and self.base is not None:
            self.offer(without_computed(self.base))
            self.paint_soon()
        else:
            self.dress_anew()

    # -- which, and where --------------------------------------------------------------------------

    def action_hide(self) -> None:
        """Hide the cursor's column; one that was worked out goes."""
        if found := self.under_cursor():
            table, column, ref = found
            if table.headings.columns[column].formula is not None:
                # As in its heading: a view file's title may hold what a heading never does.
                named = [one for one in self.columns.computed if harmless(one.title) == ref[0]]
                if not named:
                    return  # it went by the key before, and is still shown for a moment
                gone = named[0]
                kept = tuple(one for one in self.columns.computed if one is not gone)
                self.choose_columns(replace(self.columns, computed=kept))
                sort = tuple(key for key in self.chosen().sort if key.column != ref)
                if sort != self.chosen().sort:
                    self.choose(replace(self.chosen(), sort=sort))
                self.app.notify(
                    f"{gone.title} is gone: = {gone.title} = {gone.text} makes it again",
                    timeout=4, markup=False,
                )  # fmt: skip
            elif len(table.refs) > 1:
                self.choose_columns(replace(self.columns, hidden=self.columns.hidden | {ref}))

    def action_unhide(self) -> None:
        """Show all columns, in the order they came."""
        self.choose_columns(replace(self.columns, hidden=frozenset(), order=(), fixed=()))

    def action_columns(self) -> None:
        """Pick from a list which columns are shown."""
        if self.base is None:
            return
        from livetable.tui.dialogs.column_picker import ColumnsScreen

        def picked(hidden: frozenset[ColumnRef] | None) -> None:
            if hidden is not None:
                self.choose_columns(replace(self.columns, hidden=hidden))

        self.app.push_screen(ColumnsScreen(self.base, self.columns), picked)

    def action_move(self, step: int) -> None:
        """Move the cursor's column; the cursor stays on it."""
        if self.base is not None and (found := self.under_cursor()):
            table, _, ref = found
            self.choose_columns(moved(self.columns, table, ref, step, self.base))

    def action_freeze(self) -> None:
        """Keep the cursor's column at the left, or no longer."""
        if found := self.under_cursor():
            self.choose_columns(freezing(self.columns, found[0], found[1]))

    # -- how ---------------------------------------------------------------------------------------

    def _restyle(self, style: ColumnStyle, says: str | None = None) -> None:
        if found := self.under_cursor():
            self.choose_columns(self.columns.styled(found[2], style))
            if says is not None:
                self.app.notify(f"{found[2][0]}: {says}", timeout=2, markup=False)

    def _style(self) -> ColumnStyle:
        found = self.under_cursor()
        return self.columns.style_of.get(found[2], PLAIN_STYLE) if found else PLAIN_STYLE

    def on_table_view_header_dragged(self, message: TableView.HeaderDragged) -> None:
        """Move the column whose header was dragged, or make it wider or narrower."""
        table = self.table_view.table
        if self.base is None or table is None or message.column >= len(table.refs):
            return
        ref = table.refs[message.column]
        if message.width is not None:
            style = replace(self.columns.style_of.get(ref, PLAIN_STYLE), width=message.width)
            self.choose_columns(self.columns.styled(ref, style))
        else:
            self.choose_columns(moved(self.columns, table, ref, message.step, self.base))

    def action_widen(self, by: int) -> None:
        """Make the cursor's column wider or narrower."""
        if form := self.table_view.format_of(self.table_view.cursor_column):
            self._restyle(replace(self._style(), width=max(LEAST_WIDTH, form.width + by)))

    def action_fit(self) -> None:
        """Make the cursor's column as wide as what is in sight needs; again: as by itself."""
        width = max(LEAST_WIDTH, self.table_view.needed_width(self.table_view.cursor_column))
        fits = self._style().width == width
        self._restyle(replace(self._style(), width=None if fits else width))

    def action_align(self) -> None:
        """Align the cursor's column to the other side."""
        style = self._style()
        if form := self.table_view.format_of(self.table_view.cursor_column):
            self._restyle(replace(style, left=form.right if style.left is None else None))

    def _numeric(self) -> bool:
        form = self.table_view.format_of(self.table_view.cursor_column)
        if form is not None and form.numeric:
            return True
        self.app.notify("Only works on numeric columns.", timeout=2)
        return False

    def action_number_form(self) -> None:
        """Write the cursor's numbers in the next form."""
        if self._numeric():
            form = following(NumberForm, self._style().form)
            self._restyle(replace(self._style(), form=form), form.value)

    def action_digits(self, by: int) -> None:
        """Write more or fewer digits behind the point."""
        if self._numeric():
            style = self._style()
            form = self.table_view.format_of(self.table_view.cursor_column)
            now = style.digits
            if now is None:
                now = form.digits if form is not None else 0
            self._restyle(replace(style, digits=min(max(0, now + by), _MOST_DIGITS)))

    def action_unit(self) -> None:
        """Ask for what stands behind each number."""
        if not self._numeric():
            return
        from livetable.tui.widgets.prompt import Prompt

        style = self._style()

        def done(text: str | None) -> bool:
            if text is not None:
                self._restyle(replace(style, unit=text.strip()[:12]))
            return True

        self.ask(Prompt("unit: ", style.unit, hint="e.g. ms, €, °C; empty for none"), done)

    def action_shade(self) -> None:
        """Show bars before the cursor's numbers, then heat behind them, then nothing."""
        if self._numeric():
            shade = following(Shade, self._style().shade)
            self._restyle(replace(self._style(), shade=shade), f"shade: {shade.value}")

    def action_colours(self) -> None:
        """Show ups and downs in the next pair of colours."""
        self.choose_colours(following(COLOURS, self.colours))
        self.app.notify(f"up and down: {self.colours}", timeout=2)

    def choose_colours(self, colours: str) -> None:
        """Show ups and downs in a pair of colours, one of `COLOURS`."""
        self.colours = colours
        for name, style in COLOURS.items():
            if style:
                self.table_view.set_class(name == colours, style)

    # -- worked out --------------------------------------------------------------------------------

    def action_compute(self) -> None:
        """Ask for a column to be worked out."""
        table = self.table_view.table
        if table is None:
            return
        from livetable.tui.widgets.prompt import Prompt

        prompt = Prompt("new column: ", hint=_COMPUTE_HINT, words=table.titles)

        def done(text: str | None) -> bool:
            if text is None or not text.strip():
                return True
            computed = self._read_computed(prompt, text)
            if computed is not None:
                self._add_computed(computed)
            return computed is not None

        self.ask(prompt, done, lambda text: self._read_computed(prompt, text))

    def _read_computed(self, prompt: Prompt, text: str) -> Computed | None:
        """Return a column that a text describes; what is wrong with it is told."""
        from livetable.tui.query.computed import check_type
        from livetable.tui.query.expression import parse
        from livetable.tui.query.nodes import BadExpression

        prompt.say(None)
        if self.base is None or not text.strip():
            return None
        name, equals, rest = text.partition("=")
        named = bool(equals) and not rest.startswith("=") and name[-1:] not in "<>!="
        title, formula = (name.strip(" `"), rest) if named else ("", text)
        try:
            everything = self.base.undressed
            read = parse(formula, everything.titles)
            check_type(read, everything.titles, everything.types)
        except BadExpression as error:
            prompt.say(error.sentence, error.start + len(text) - len(formula))
            return None
        return Computed(title or formula.strip()[:40], formula.strip())

    def _add_computed(self, computed: Computed) -> None:
        if self.base is None:
            return
        same = {one.title for one in self.columns.computed}
        taken = [title for title in self.base.undressed.titles if title not in same]
        title = free_title(computed.title, taken)
        kept = tuple(one for one in self.columns.computed if one.title != title)
        computed = replace(computed, title=title)
        self.choose_columns(replace(self.columns, computed=(*kept, computed)))

    def action_change(self) -> None:
        """Add a column with the changes of the cursor's column; again: %, per second, none."""
        from livetable.tui.query.quoting import quote

        found = self.under_cursor()
        if found is None or not self._numeric():
            return
        if found[0].grouped:
            self.app.notify("changes are told of rows, not of groups", timeout=3)
            return
        title = found[2][0]
        names = {template.format(title): text.format(quote(title)) for template, text in _CHANGES}
        now = next((one.title for one in self.columns.computed if one.title in names), None)
        new = following([None, *names], now)
        computed = [one for one in self.columns.computed if one.title != now]
        if new is not None:
            computed.append(Computed(new, names[new]))
        columns = replace(self.columns, computed=tuple(computed))
        if new is not None and self.base is not None:
            columns = _beside(columns, self.base, found[2], (new, 0))
        self.choose_columns(columns)


def _beside(columns: ColumnChoice, table: Table, column: ColumnRef, new: ColumnRef) -> ColumnChoice:
    """Return the choice with a new column at the right of another."""
    from livetable.tui.query.column_choice import in_order

    order = [ref for ref in in_order(table.refs, columns.order) if ref != new]
    order.insert(order.index(column) + 1 if column in order else len(order), new)
    return replace(columns, order=tuple(order))
