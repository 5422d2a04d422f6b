"""The line that shows the table's filters, groups, sort, rules and search."""

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
    """One line, hidden while there is nothing to show."""

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
        """Show how the table is arranged.

        Args:
            chosen: The arrangement, None if there is none.
            rows: How many rows are shown, and of how many.
            busy: Whether a newer arrangement is still being computed.
            problems: Sentences on what could not be done.
            unapplied: Filters and rules that could not be applied, each with the reason.
            search: The search text.
            rules: The rules.
            mark: What has changed since the mark.
        """
        wrong = unapplied or {}
        said = (chosen, rows, busy, problems, tuple(wrong.items()), search, tuple(rules), mark)
        if said == self._said:  # unchanged in most paints
            return
        self._said = said
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        name = self.get_component_rich_style("viewline--name", partial=True)
        red = self.get_component_rich_style("viewline--wrong", partial=True)
        # Filters first: they hide rows, and the line's end may be cut. A filter that is not applied
        # must not look applied: it is red, with the reason.
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
    """Add a filter or a rule; in red with the reason if it is not applied."""
    if why is None:
        line.append(what, name).append(f"{harmless(text)}  ")
    else:
        line.append(f"{what.rstrip()} not applied ", red)
        line.append(f"{harmless(text)}: {harmless(why)}  ", red)


def cut(line: Text, width: int) -> Text:
    """Return a line cut to a width with ``…``, which Textual leaves out."""
    if line.cell_len > width > 0:
        line = line.copy()
        line.truncate(width, overflow="ellipsis")
    return line
