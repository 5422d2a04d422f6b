"""Choose how columns look: width, alignment, number format, unit, bars, colours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.pane.feature import Feature, following
from livetable.tui.text.column_style import LEAST_WIDTH, PLAIN_STYLE, NumberForm, Shade
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.text.column_style import ColumnStyle

COLOURS = {"green and red": "", "red and green": "-red-up", "blue and orange": "-blue-up"}
"""The pairs of colours for up and down, by style class. Everybody can tell the last pair apart."""

USUAL_COLOURS = next(iter(COLOURS))
"""The default colours for up and down."""

_MOST_DIGITS = 15


class ColumnLooks(Feature):
    """Changes the style of the cursor's column, and the colours for up and down."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("less_than_sign", "widen(-2)", "Narrower column", show=False),
        Binding("greater_than_sign", "widen(2)", "Wider column", show=False),
        Binding("w", "fit", "Column as wide as needed", show=False),
        Binding("percent_sign", "number_form", "Number format", show=False),
        Binding("left_parenthesis", "digits(-1)", "Fewer digits", show=False),
        Binding("right_parenthesis", "digits(1)", "More digits", show=False),
        Binding("U", "unit", "Unit", show=False),
        Binding("a", "align", "Align left, right", show=False),
        Binding("v", "shade", "Bars, heat", show=False),
        Binding("u", "colours", "Colours of up and down", show=False),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self.colours = USUAL_COLOURS
        """The chosen pair of `COLOURS`."""

    def _restyle(self, style: ColumnStyle, says: str | None = None) -> None:
        """Change the style of the cursor's column, and show a notice if `says` is given."""
        if under := self.under_cursor():
            self.pane.choose_columns(self.state.columns.styled(under[2], style))
            if says is not None:
                self.say(f"{under[2][0]}: {says}", 2.0)

    def _style(self) -> ColumnStyle:
        under = self.under_cursor()
        return self.state.columns.style_of.get(under[2], PLAIN_STYLE) if under else PLAIN_STYLE

    def is_numeric(self) -> bool:
        """Tell whether the cursor's column is numeric. If not, notify the user."""
        form = self.table_view.format_of(self.table_view.cursor_column)
        if form is not None and form.numeric:
            return True
        self.say("Only works on numeric columns.", 2.0)
        return False

    # -- width and side ----------------------------------------------------------------------------

    def set_width(self, column: int, width: int) -> None:
        """Set a column to the width that the user dragged it to.

        Args:
            column: The column, as a position in the table on the screen.
            width: Its width in cells.
        """
        table, columns = self.table_view.table, self.state.columns
        if table is not None and column < len(table.refs):
            ref = table.refs[column]
            style = replace(columns.style_of.get(ref, PLAIN_STYLE), width=width)
            self.pane.choose_columns(columns.styled(ref, style))

    def action_widen(self, by: int) -> None:
        """Make the cursor's column wider or narrower."""
        if form := self.table_view.format_of(self.table_view.cursor_column):
            self._restyle(replace(self._style(), width=max(LEAST_WIDTH, form.width + by)))

    def action_fit(self) -> None:
        """Fit the cursor's column to the visible rows. Pressed again, its width is automatic."""
        width = max(LEAST_WIDTH, self.table_view.needed_width(self.table_view.cursor_column))
        fits = self._style().width == width
        self._restyle(replace(self._style(), width=None if fits else width))

    def action_align(self) -> None:
        """Align the cursor's column to the other side."""
        style = self._style()
        if form := self.table_view.format_of(self.table_view.cursor_column):
            self._restyle(replace(style, left=form.right if style.left is None else None))

    # -- numbers -----------------------------------------------------------------------------------

    def action_number_form(self) -> None:
        """Show the cursor's column in the next number format."""
        if self.is_numeric():
            form = following(NumberForm, self._style().form)
            self._restyle(replace(self._style(), form=form), form.value)

    def action_digits(self, by: int) -> None:
        """Show more or fewer digits after the decimal point."""
        if self.is_numeric():
            style = self._style()
            form = self.table_view.format_of(self.table_view.cursor_column)
            now = style.digits
            if now is None:
                now = form.digits if form is not None else 0
            self._restyle(replace(style, digits=min(max(0, now + by), _MOST_DIGITS)))

    def action_unit(self) -> None:
        """Ask for the unit that follows each number."""
        if not self.is_numeric():
            return
        from livetable.tui.widgets.prompt import Prompt

        style = self._style()

        def done(text: str | None) -> bool:
            if text is not None:
                self._restyle(replace(style, unit=text.strip()[:12]))
            return True

        self.pane.ask(Prompt("unit: ", style.unit, hint="e.g. ms, €, °C; empty for none"), done)

    def action_shade(self) -> None:
        """Show bars before the cursor's numbers, then heat behind them, then nothing."""
        if self.is_numeric():
            shade = following(Shade, self._style().shade)
            self._restyle(replace(self._style(), shade=shade), f"shade: {shade.value}")

    # -- colours -----------------------------------------------------------------------------------

    def action_colours(self) -> None:
        """Show ups and downs in the next pair of colours."""
        self.choose_colours(following(COLOURS, self.colours))
        self.say(f"up and down: {self.colours}", 2.0)

    def choose_colours(self, colours: str) -> None:
        """Show ups and downs in a pair of colours, one of `COLOURS`."""
        self.colours = colours
        for name, style in COLOURS.items():
            if style:
                self.table_view.set_class(name == colours, style)
