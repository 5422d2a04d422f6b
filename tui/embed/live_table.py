"""`LiveTable`: a table that changes while it is looked at, in anybody's Textual app."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pyarrow as pa
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.coordinate import Coordinate
from textual.message import Message

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.budget import USUAL, Budget
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.pane.alerts import Alerts
from livetable.tui.pane.column_looks import ColumnLooks
from livetable.tui.pane.columns import Columns
from livetable.tui.pane.computed_columns import ComputedColumns
from livetable.tui.pane.copy_export import CopyExport
from livetable.tui.pane.feature import Feature, bindings_of
from livetable.tui.pane.feature_pane import FEATURES, FeaturePane
from livetable.tui.pane.feed import Feed
from livetable.tui.pane.filters import Filters
from livetable.tui.pane.groups import Groups
from livetable.tui.pane.marks import Marks
from livetable.tui.pane.messages import FeedNews
from livetable.tui.pane.panels import Panels
from livetable.tui.pane.rules import Rules
from livetable.tui.pane.search import Search
from livetable.tui.pane.sorting import Sorting
from livetable.tui.pane.time_travel import TimeTravel
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.table_view import TABLE_CSS, TableView
from livetable.tui.widgets.view_line import ViewLine
from livetable.tui.workers.feed import FeedReader
from livetable.tui.workers.shown_frames import ShownFrames

if TYPE_CHECKING:
    from livetable.tui.model.row_keys import RowId

KINDS: Final[dict[str, tuple[type[Feature], ...]]] = {
    "sort": (Sorting,),
    "filter": (Filters,),
    "search": (Search,),
    "columns": (Columns, ColumnLooks, ComputedColumns, Rules),
    "groups": (Groups,),
    "history": (TimeTravel, Marks),
    "copy": (CopyExport,),
    "panels": (Panels,),
    "alerts": (Alerts,),
}
"""What each feature's name stands for."""

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
        name: As for any widget.
        id: As for any widget.
        classes: As for any widget.
        disabled: As for any widget.

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
        *named(Binding("escape", "back", "Close", show=False)),
        *bindings_of(*FEATURES),
    ]

    class _Row(Message):
        """Something about a row.

        Attributes:
            live_table: The widget.
            row_key: What identifies the row: the value of the key column, a tuple of several; the
                index label of a table without a key, and its position in one that has neither.
            row: The row's values by the columns' labels, as Python values.
            cursor_row: Where the row is, counted from 0 in the order that is shown.
        """

        def __init__(self, live_table: LiveTable, row_key: Any, row: dict[Any, Any]) -> None:
            self.live_table = live_table
            self.row_key = row_key
            self.row = row
            self.cursor_row = live_table.cursor_row
            super().__init__()

        @property
        def control(self) -> LiveTable:
            """The widget."""
            return self.live_table

    class RowHighlighted(_Row):
        """The cursor is on another row."""

    class RowSelected(_Row):
        """Enter was pressed, or a row clicked twice."""

    class CellSelected(_Row):
        """Enter was pressed on a cell, or a cell clicked twice.

        Attributes:
            column: The column's label.
            value: The cell's value, as a Python value.
            coordinate: Row and column as they are shown, counted from 0.
        """

        def __init__(
            self, live_table: LiveTable, row_key: Any, row: dict[Any, Any], column: int
        ) -> None:
            super().__init__(live_table, row_key, row)
            table = live_table.table_view.table
            assert table is not None
            self.column = _label(table, column)
            self.value = _value(table, column, self.cursor_row)
            self.coordinate = Coordinate(self.cursor_row, column)

    class HeaderSelected(Message):
        """A column's header was clicked.

        Attributes:
            live_table: The widget.
            column: The column's label.
            column_index: Where the column is, counted from 0 in the order that is shown.
            label: The text of the header.
        """

        def __init__(self, live_table: LiveTable, column: Any, index: int, label: str) -> None:
            self.live_table = live_table
            self.column = column
            self.column_index = index
            self.label = label
            super().__init__()

        @property
        def control(self) -> LiveTable:
            """The widget."""
            return self.live_table

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
        chosen = _kinds_of(features)
        budget = USUAL.budget() if TimeTravel in chosen else Budget(_LITTLE)
        super().__init__(History(budget), name=name, id=id, classes=classes, disabled=disabled)
        self._actions = {
            action for kind in chosen for action in dir(kind) if action.startswith("action_")
        }
        self._chosen = chosen
        self._where = _several(where)
        self._sort = tuple((one.removeprefix("-"), one.startswith("-")) for one in _several(sort))
        self._titles = None if columns is None else tuple(columns)
        self._table_view = _EmbeddedTable()
        self._feed: Feed = self._feed_of(source, key)
        self._feed_state = FeedState()
        self._told_problem: str | None = None
        self._highlighted: RowId | None = None

    def _feed_of(self, source: str | None, key: Any) -> Feed:
        def news() -> None:
            self.post_message(FeedNews())

        if source is None:
            return ShownFrames(key, news)
        from livetable.tui.target import Target, parse_target

        target = parse_target(source)
        if target.table is None or target != Target(target.endpoint, target.table):
            raise ValueError(f"LiveTable({source!r:.80}): write NAME or ENDPOINT#NAME")
        return FeedReader(target, news, self._titles)

    # -- for the program ---------------------------------------------------------------------------

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

    def focus(self, scroll_visible: bool = True) -> LiveTable:
        """Give the table the keys."""
        self._table_view.focus(scroll_visible)
        return self

    # -- a pane ------------------------------------------------------------------------------------

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
        with Horizontal(id="body", classes="livetable--body"):
            yield self._table_view

    def on_mount(self) -> None:
        """Start to read; what was shown before is painted first."""
        self._table_view.message = self._message()
        self._feed.read_early()
        self.start_thread(self._feed.run, "livetable")

    def on_unmount(self) -> None:
        """End the threads, and let go of the past."""
        self.end_work()
        self._feed.stop()
        self.history.clear()

    def start_thread(self, run: Callable[[], object], name: str) -> None:
        """Start what blocks in a thread of its own: the loop's executor has few, for the host."""
        threading.Thread(target=run, name=name, daemon=True).start()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave keys of features that were not chosen to the app."""
        name = f"action_{action}"
        if hasattr(self, name) and action != "back" and name not in self._actions:
            return False
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Close what is open; if nothing is, the key is the app's."""
        if not self.back():
            raise SkipAction

    def paint_soon(self) -> None:
        """Paint what was arranged."""
        table = self.view.take_next()
        if table is None:
            return
        self._table_view.update(self.view.dress(table))
        self.view.say(table)
        self.painted(table)
        self._table_view.message = self._message()

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
            if self._titles is not None and isinstance(self._feed, ShownFrames):
                table = table.select(self._titles)
            kept = self.keep(table)
            if self.state.standing is None:
                self.offer(kept)
                self.paint_soon()
            else:
                self.time.say_time()
        self._table_view.stale = state.table is not None and state.link is not Link.LIVE
        self._table_view.message = self._message()
        if state.problem is not None and state.problem != self._told_problem:
            self.notify(harmless(state.problem), severity="warning", markup=False)
        self._told_problem = state.problem
        self._feed.credit()

    def _message(self) -> str:
        if self._feed_state.table is not None:
            shown = self._table_view.table
            if shown is None or shown.rows:
                return ""
            filtered = self.state.arrangement is not None and bool(self.state.arrangement.filters)
            return "No rows match the filter. Press F to remove it." if filtered else "No rows"
        if isinstance(self._feed, ShownFrames):
            return ""
        return self._feed_state.note or f"waiting for a table {self._feed.name!r} …"

    # -- what happens in it ------------------------------------------------------------------------

    async def open_row(self) -> None:
        """Say that the cursor's row and cell were selected; open its group, or its row."""
        if Groups in self._chosen and self.groups.open():
            return
        if Panels in self._chosen:
            await self.panels.toggle_row()
        under = self._row_under_cursor()
        if under is not None:
            self.post_message(self.RowSelected(self, *under))
            if not self._table_view.whole_row:
                self.post_message(self.CellSelected(self, *under, self.cursor_column))

    def open_header(self, column: int, further: bool) -> None:
        """Say that a header was clicked; sort by its column."""
        table = self._table_view.table
        if table is None or column >= len(table.titles):
            return
        title = table.titles[column]
        self.post_message(self.HeaderSelected(self, _label(table, column), column, title))
        if Sorting in self._chosen:
            super().open_header(column, further)

    def cursor_moved(self) -> None:
        """Say that the cursor is on another row."""
        super().cursor_moved()
        table, row = self._table_view.table, self.cursor_row
        identity = table.identity(row) if table is not None and row < table.rows else None
        if identity != self._highlighted:
            self._highlighted = identity
            under = self._row_under_cursor()
            if under is not None:
                self.post_message(self.RowHighlighted(self, *under))

    def _row_under_cursor(self) -> tuple[Any, dict[Any, Any]] | None:
        table, row = self._table_view.table, self.cursor_row
        if table is None or row >= table.rows:
            return None
        identity = table.identity(row)
        values: dict[Any, Any] = {}
        for column in range(len(table.titles)):
            values.setdefault(_label(table, column), _value(table, column, row))
        return identity[0] if len(identity) == 1 else identity, values


class _EmbeddedTable(TableView, inherit_bindings=False):
    """A table that takes the keys of the cursor, and leaves letters to the app."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1, 0)", "Up", show=False),
        Binding("down", "cursor(1, 0)", "Down", show=False),
        Binding("left", "cursor(0, -1)", "Left", show=False),
        Binding("right", "cursor(0, 1)", "Right", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+home", "edge_row(False)", "First row", show=False),
        Binding("ctrl+end", "edge_row(True)", "Last row", show=False),
        Binding("home", "edge_column(False)", "First column", show=False),
        Binding("end", "edge_column(True)", "Last column", show=False),
        Binding("enter", "select", "Select", show=False),
    ]


def _kinds_of(features: Iterable[str]) -> frozenset[type[Feature]]:
    chosen = [features] if isinstance(features, str) else list(features)
    for name in chosen:
        if name not in KINDS:
            known = ", ".join(KINDS)
            raise ValueError(f"features={name!r:.60}: the features are {known}")
    return frozenset(kind for name in chosen for kind in KINDS[name])


def _several(texts: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if texts is None else (texts,) if isinstance(texts, str) else tuple(texts)


def _label(table: Table, column: int) -> Any:
    """Return what the producer calls a column; its title where it was computed here."""
    heading = table.headings.columns[column]
    return heading.title if heading.label is None else heading.label


def _value(table: Table, column: int, row: int) -> Any:
    """Return a cell as a Python value."""
    values = table.window(column, row, row + 1)
    if pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type):
        # Arrow makes pandas' values of nanoseconds, and loads pandas for it: half a second.
        with contextlib.suppress(pa.ArrowInvalid):  # there are nanoseconds
            values = values.cast(_in_microseconds(values.type))
    return values[0].as_py()


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    return pa.duration("us") if pa.types.is_duration(kind) else pa.timestamp("us", kind.tz)
