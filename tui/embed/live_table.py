"""`LiveTable`: a table that changes while it is looked at, in anybody's Textual app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar, Final

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from livetable.feed.base.terminal_text import harmless
from livetable.tui.embed import messages
from livetable.tui.embed.embedded_table import EmbeddedTable
from livetable.tui.embed.features import kinds_of
from livetable.tui.embed.feed_sentences import not_current, nothing_yet
from livetable.tui.embed.messages import UnderCursor, row_of
from livetable.tui.model.budget import USUAL, Budget
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.pane.columns import Columns
from livetable.tui.pane.feature import bindings_of
from livetable.tui.pane.feature_pane import FEATURES, FeaturePane
from livetable.tui.pane.feed import Feed
from livetable.tui.pane.filters import Filters
from livetable.tui.pane.groups import Groups
from livetable.tui.pane.messages import FeedNews
from livetable.tui.pane.panels import Panels
from livetable.tui.pane.sorting import Sorting
from livetable.tui.pane.time_travel import TimeTravel
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.table_view import TABLE_CSS, TableView
from livetable.tui.widgets.view_line import ViewLine
from livetable.tui.workers.feed import FeedReader
from livetable.tui.workers.shown_frames import ShownFrames

_LITTLE: Final = 8 << 20
"""Bytes of history for columns of changes, where nobody can look at it."""


class LiveTable(FeaturePane):
    """Shows a live table by its name, or the frames that the program hands to `show`.

    Nothing is written to the disk but what the person exports, and the app never ends by it.

    Args:
        source: ``NAME`` or ``ENDPOINT#NAME`` of a table that a Publisher publishes. None: `show`.
        key: The key column of frames that are shown, or a list of them; None for none.
        features: Which keys there are: ``sort filter search columns groups history copy panels
            alerts``. Without any only the cursor moves.
        where: A filter to begin with, or several of them.
        sort: A column's title to sort by, or several; ``-`` before it for the largest first.
        columns: Titles of the columns to show, in this order; None for all.
        name, id, classes, disabled: As for any widget.

    Raises:
        ValueError: a feature is unknown, the key is no label, or the source is no live table.
        BadEndpoint: the endpoint of the source can't be one.
        BadName: the name of the table can't be one.
    """

    DEFAULT_CSS = (
        TABLE_CSS.read_text()
        + """
    LiveTable { layout: vertical; width: 1fr; height: 1fr; }
    LiveTable > .livetable--body { height: 1fr; }
    """
    )
    SCOPED_CSS = False  # the styles without colours begin at the app; each names a widget of ours
    BINDINGS: ClassVar[list[BindingType]] = [
        # With names of their own: a host's keymap must not change these.
        replace(binding, id=f"livetable-{binding.id}")
        for binding in (
            *named(Binding("escape", "back", "Close", show=False)),
            *bindings_of(*FEATURES),
        )
        if isinstance(binding, Binding)
    ]

    class RowHighlighted(messages.RowHighlighted):
        """The cursor is on another row: it moved, or an update put another row there."""

    class RowSelected(messages.RowSelected):
        """Enter was pressed, or a row was double-clicked."""

    class CellSelected(messages.CellSelected):
        """Enter was pressed on a cell, or a cell was double-clicked."""

    class HeaderSelected(messages.HeaderSelected):
        """A column's header was clicked."""

    def __init__(
        self,
        source: str | None = None,
        *,
        key: Any = None,
        features: Iterable[str] = ("sort", "filter", "search", "columns"),
        where: str | Sequence[str] | None = None,
        sort: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        chosen = kinds_of(features)
        budget = USUAL.budget() if TimeTravel in chosen else Budget(_LITTLE)
        super().__init__(History(budget), name=name, id=id, classes=classes, disabled=disabled)
        self._chosen = chosen
        self._not_chosen = frozenset(
            action
            for kind in FEATURES
            if kind not in chosen
            for action in vars(kind)
            if action.startswith("action_")
        )
        self._where = _texts("where", where)
        self._sort = tuple(
            (one.removeprefix("-"), one.startswith("-")) for one in _texts("sort", sort)
        )
        self._titles = None if columns is None else _texts("columns", columns)
        self._table_view = EmbeddedTable(self.BINDINGS, self, lambda: self.prompt)
        self._make_feed = partial(_feed_of, source, key, self._tell_news)
        self._feed = self._make_feed()
        self._feed_state = FeedState(name=self._feed.name)
        self._problem: str | None = None
        self._is_ended = False
        self._under_cursor = UnderCursor()

    def _tell_news(self) -> None:
        self.post_message(FeedNews())

    def show(self, frame: Any, *, key: Any = None) -> None:
        """Show a frame instead of the last one: from any thread, before or after mounting.

        It returns at once, and the caller may change the frame at once afterwards (see
        `Publisher.send`). Of frames that come faster than they can be painted, the newest is shown.

        Args:
            frame: A pandas DataFrame or Series, anything with the Arrow PyCapsule interface, a dict
                of columns, or a list of rows.
            key: The key from now on, None to leave it as it is.

        Raises:
            BadFrame: it is no frame, or lacks a key column.
            ValueError: the key is no label, or the widget shows a source.
        """
        if not isinstance(self._feed, ShownFrames):
            raise ValueError(f"this LiveTable shows {self._feed.name!r}: make one without a source")
        self._feed.show(frame, key)

    @property
    def cursor_row(self) -> int:
        """The cursor's row, counted from 0 in the order that is shown."""
        return self.table_view.cursor_row

    @property
    def cursor_column(self) -> int:
        """The cursor's column, counted from 0 in the order that is shown."""
        return self.table_view.cursor_column

    @property
    def row_count(self) -> int:
        """How many rows are shown."""
        table = self.table_view.table
        return 0 if table is None else table.rows

    @property
    def feed_state(self) -> str:
        """Whether what is shown is current: ``waiting``, ``live``, ``gone`` or ``ended``."""
        link = self._feed_state.link
        return "waiting" if link is Link.CONNECTING else link.value

    def focus(self, scroll_visible: bool = True) -> LiveTable:
        """Give the table the keys, or the prompt that is open."""
        if self.prompt is not None:
            self.prompt.take_focus()
        else:
            self._table_view.focus(scroll_visible)
        return self

    @cached_property
    def table_view(self) -> TableView:
        """The table on the screen."""
        return self._table_view

    @property
    def newest(self) -> Table | None:
        """The newest table that came."""
        return self._feed_state.table

    @property
    def title(self) -> str:
        """What the table is called in an alert."""
        return self._feed_state.name or self._feed.name or self.name or self.id or "table"

    def compose(self) -> ComposeResult:
        """Yield the line that says how the table is arranged, and the table."""
        yield ViewLine()
        with Horizontal(classes="livetable--body"):
            yield self._table_view

    def on_mount(self) -> None:
        """Start to read; what was shown before is painted first."""
        self._table_view.message = self._message()
        if self._is_ended:  # the widget was removed, and is mounted again
            self._is_ended = False
            self.view.restart()
            if not isinstance(self._feed, ShownFrames):
                self._feed = self._make_feed()
        self._feed.read_early()
        self.start_thread(self._feed.run, "livetable")

    def on_unmount(self) -> None:
        """End the threads, and let go of the past."""
        self._is_ended = True
        self.end_work()
        self._feed.stop()
        self.history.clear()

    def start_thread(self, run: Callable[[], object], name: str) -> None:
        """Start what blocks in a thread of its own: the loop's executor has few, for the host."""
        threading.Thread(target=run, name=name, daemon=True).start()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys of features that were not chosen to the app."""
        if f"action_{action}" in self._not_chosen:
            return False
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Close what is open; if nothing is, the key is the app's."""
        if not self.back():
            raise SkipAction

    def prompt_opened(self) -> None:
        """Let keys that were typed behind the one that opened it come first."""
        if self.prompt is not None:
            self.prompt.grabs_focus = False
            self._table_view.call_later(self._table_view.hand_over)

    def paint_soon(self) -> None:
        """Paint what was arranged."""
        if not self.is_attached:
            return
        table = self.view.take_next()
        if table is None:
            return
        self._table_view.update(self.view.dress(table))
        self.view.say(table)
        self.painted(table)
        self._table_view.message = self._message()
        self._tell_highlighted()

    def offer(self, table: Table) -> None:
        """Show a table as it came; the first one as was asked for."""
        if self.state.base is None and (self._sort or self._where):
            from livetable.tui.query.arrange import first_arrangement

            self.state.base = table
            self.choose(first_arrangement(self._sort, self._where))
        else:
            super().offer(table)

    def on_feed_news(self, message: FeedNews) -> None:
        """Show the newest state."""
        message.stop()
        state = self._feed.take()
        before, self._feed_state = self._feed_state, state
        if state.table is not None and state.table is not before.table:
            table = state.table
            if self._titles is not None:
                table = table.select(self._titles)
            kept = self.keep(table)
            if self.state.paused_at is None:
                self.offer(kept)
                self.paint_soon()
            else:
                self.time.say_time()
        self._table_view.stale = state.table is not None and state.link is not Link.LIVE
        self._table_view.message = self._message()
        if (state.link, state.note) != (before.link, before.note):
            self.view.say(self._table_view.table)
        if state.problem is not None and state.problem != self._problem:
            self.notify(harmless(state.problem), severity="warning", markup=False)
        self._problem = state.problem
        self._feed.credit()

    def problems(self) -> list[str]:
        """Return what can't be done, and why what is shown is not current, a sentence each."""
        return [*not_current(self._feed_state, self._feed.name, self._titles), *super().problems()]

    def _message(self) -> str:
        """Return what to say where there are no rows."""
        if self._feed_state.table is None:
            return "" if isinstance(self._feed, ShownFrames) else nothing_yet(self._feed_state)
        return self.empty_message(has_key=Filters in self._chosen)

    async def open_row(self, selected: TableView.Selected) -> None:
        """Say that a row and a cell were selected; open its group, or the row."""
        if Groups in self._chosen and self.groups.open():
            return
        row = row_of(selected.shown, selected.row)
        if row is not None:
            self.post_message(self.RowSelected(self, row))
            if not self._table_view.whole_row:
                column = selected.column
                self.post_message(self.CellSelected(self, row, selected.shown, column))
        if Panels in self._chosen:
            await self.panels.toggle_row()

    def open_header(self, selected: TableView.HeaderSelected) -> None:
        """Say that a header was clicked; sort by its column."""
        self.post_message(self.HeaderSelected(self, selected.shown, selected.column))
        if Sorting in self._chosen:
            super().open_header(selected)

    def drag_header(self, message: TableView.HeaderDragged) -> None:
        """Move a column, or make it wider or narrower, if that was chosen."""
        if Columns in self._chosen:
            super().drag_header(message)

    def cursor_moved(self) -> None:
        """Say that the cursor is on another row."""
        super().cursor_moved()
        self._tell_highlighted()

    def _tell_highlighted(self) -> None:
        row = self._under_cursor.another(self._table_view.table, self.cursor_row)
        if row is not None:
            self.post_message(self.RowHighlighted(self, row))


def _feed_of(source: str | None, key: Any, on_news: Callable[[], object]) -> Feed:
    """Return what reads a source, or takes the frames that are shown.

    Raises:
        ValueError: the source is no live table, or the key is no label.
    """
    if source is None:
        return ShownFrames(key, on_news)
    from livetable.tui.target import Target, parse_target

    target = parse_target(source) if isinstance(source, str) else Target()
    if target.table is None or target != Target(target.endpoint, target.table):
        raise ValueError(f"source={source!r:.60}: write NAME or ENDPOINT#NAME")
    return FeedReader(target, on_news)


def _texts(name: str, given: Any) -> tuple[str, ...]:
    """Return a text, or several, as a tuple; empty ones are left out."""
    several = (given,) if isinstance(given, str) else () if given is None else given
    try:
        texts = [str(one) for one in several]
    except TypeError:
        raise ValueError(f"{name}={given!r:.60}: must be a text or a list of texts") from None
    return tuple(one for one in texts if one.strip())
