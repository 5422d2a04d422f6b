"""The line that says how the table is arranged: its order, its filters, what is searched for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from livetable.feed.base.terminal_text import harmless

if TYPE_CHECKING:
    from livetable.tui.query.arrange import Arrangement
    from livetable.tui.query.rules import Rule

_MODES = {"live": "live", "held": "order frozen", "once": "sorted once"}


class ViewLine(Widget):
    """One line; away while all rows are shown as they come."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "viewline--name",
        "viewline--problem",
        "viewline--wrong",
    }

    def __init__(self) -> None:
        super().__init__()
        self._text = Text()
        self._said: tuple[object, ...] = ()
        self.display = False

    def show(
        self,
        chosen: Arrangement | None,
        *,
        rows: tuple[int, int] | None = None,
        busy: bool = False,
        problems: tuple[str, ...] = (),
        unapplied: Mapping[str, str] | None = None,
        search: str = "",
        rules: Sequence[Rule] = (),
        mark: str = "",
    ) -> None:
        """Say how the table is arranged.

        Args:
            chosen: The arrangement, None if all rows are shown as they come.
            rows: How many rows are shown, and of how many.
            busy: Whether a newer arrangement is still being worked out.
            problems: What could not be done.
            unapplied: Filters and rules that could not be applied, each with why.
            search: What is searched for.
            rules: What rows are coloured by.
            mark: What came and went since the mark.
        """
        wrong = unapplied or {}
        said = (chosen, rows, busy, problems, tuple(wrong.items()), search, tuple(rules), mark)
        if said == self._said:  # the same with most paints
            return
        self._said = said
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        name = self.get_component_rich_style("viewline--name", partial=True)
        red = self.get_component_rich_style("viewline--wrong", partial=True)
        # First what makes that not all rows are seen: the line's end may be cut.
        # One that is not applied must not look as if it were: it is red, and why stands beside it.
        filters = chosen.filters if chosen is not None else ()
        for text in sorted(filters, key=lambda text: text not in wrong):
            _name(line, " filter ", text, wrong.get(text), name, red)
        if chosen is not None and chosen.filters and rows is not None:
            line.append(f"{rows[0]:,} of {rows[1]:,} rows  ")
        if chosen is not None and chosen.groups:
            by = ", ".join(harmless(ref[0]) or "index" for ref in chosen.groups)
            line.append(" by ", name).append(f"{by}  ")
        if chosen is not None and chosen.sort:
            keys = ", ".join(
                f"{harmless(key.column[0]) or 'index'} {'↓' if key.descending else '↑'}"
                for key in chosen.sort
            )
            natural = " · natural" if chosen.natural else ""
            line.append(" sort ", name).append(f"{keys} · {_MODES[chosen.mode.value]}{natural}  ")
        for text in map(str, rules):
            _name(line, " rule ", text, wrong.get(text), name, red)
        if mark:
            line.append(" since ", name).append(f"{mark}  ")
        if search:
            line.append(" search ", name).append(f"{harmless(search)}  ")
        if busy:
            line.append("updating …  ")
        if problems:
            style = self.get_component_rich_style("viewline--problem", partial=True)
            line.append(harmless(" · ".join(problems)), style)
        if line != self._text or line.spans != self._text.spans:
            self._text = line
            self.refresh()
        self.display = bool(line)

    def render(self) -> RenderableType:
        """Return the line."""
        return cut(self._text, self.size.width)


def _name(line: Text, what: str, text: str, why: str | None, name: Style, red: Style) -> None:
    """Add a filter or a rule; red, with what is wrong, if it is not applied."""
    if why is None:
        line.append(what, name).append(f"{harmless(text)}  ")
    else:
        line.append(f"{what.rstrip()} not applied ", red)
        line.append(f"{harmless(text)}: {harmless(why)}  ", red)


def cut(line: Text, width: int) -> Text:
    """Return a line that says where it was cut: Textual cuts without a word."""
    if line.cell_len > width > 0:
        line = line.copy()
        line.truncate(width, overflow="ellipsis")
    return line
