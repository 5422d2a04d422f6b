"""The base of all panes: a table view with its features. Subclasses supply the tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from textual.widget import Widget

from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.pane.alerts import Alerts
from livetable.tui.pane.column_looks import ColumnLooks
from livetable.tui.pane.columns import Columns
from livetable.tui.pane.computed_columns import ComputedColumns
from livetable.tui.pane.copy_export import CopyExport
from livetable.tui.pane.feature import Feature
from livetable.tui.pane.filters import Filters
from livetable.tui.pane.groups import Groups
from livetable.tui.pane.marks import Marks
from livetable.tui.pane.messages import ArrangedNews
from livetable.tui.pane.panels import Panels
from livetable.tui.pane.prompting import Prompting
from livetable.tui.pane.rules import Rules
from livetable.tui.pane.search import Search
from livetable.tui.pane.sorting import Sorting
from livetable.tui.pane.state import PaneState
from livetable.tui.pane.time_travel import TimeTravel
from livetable.tui.pane.view import View
from livetable.tui.widgets.table_view import TableView

if TYPE_CHECKING:
    from livetable.tui.query.arrange import Arrangement
    from livetable.tui.query.column_choice import ColumnChoice
    from livetable.tui.widgets.prompt import Prompt
    from livetable.tui.widgets.time_line import TimeLine

FEATURES: tuple[type[Feature], ...] = (
    Search, Sorting, Filters, Columns, ColumnLooks, ComputedColumns, Rules,
    CopyExport, Panels, TimeTravel, Groups, Marks, Alerts,
)  # fmt: skip
"""The features of a table. Esc asks them in this order for something to close."""

F = TypeVar("F", bound=Feature)


class FeaturePane(Widget):
    """Shows tables as the user arranges them. A subclass supplies the tables.

    Args:
        history: Where to keep the tables. None: a new history.
        time: Makes the feature for pause and rewind.
        name: As for any widget.
        id: As for any widget.
        classes: As for any widget.
        disabled: As for any widget.
    """

    def __init__(
        self,
        history: History | None = None,
        time: Callable[[FeaturePane], TimeTravel] = TimeTravel,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.history = history if history is not None else History()
        self.state = PaneState()
        self.view = View(self)
        self.prompting = Prompting(self)
        self.features = tuple(time(self) if kind is TimeTravel else kind(self) for kind in FEATURES)
        # Features that other code uses by name.
        self.sorting = self.feature(Sorting)
        self.columns = self.feature(Columns)
        self.looks = self.feature(ColumnLooks)
        self.groups = self.feature(Groups)
        self.copying = self.feature(CopyExport)
        self.panels = self.feature(Panels)
        self.time = self.feature(TimeTravel)
        self.alerts = self.feature(Alerts)
        for feature in self.features:
            for action in dir(feature):
                if action.startswith("action_"):  # Textual looks for actions in the widget
                    setattr(self, action, getattr(feature, action))

    def feature(self, kind: type[F]) -> F:
        """Return a feature of this pane."""
        return next(one for one in self.features if isinstance(one, kind))

    @cached_property
    def table_view(self) -> TableView:
        """The table on the screen. It stays as long as the pane does."""
        return self.query_one(TableView)

    def start_thread(self, run: Callable[[], object], name: str) -> None:
        """Run a blocking function in a thread. `end_work` must end it."""
        self.run_worker(run, name=name, group=name, thread=True)

    # -- for subclasses ----------------------------------------------------------------------------

    @property
    def newest(self) -> Table | None:
        """The newest table."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """The table's title, on its tab and in alerts."""
        return ""

    def paint_soon(self) -> None:
        """Paint what `view.take_next` returns, as soon as possible."""
        raise NotImplementedError

    def on_resumed(self) -> None:
        """Called when the table is live again after a pause."""

    # -- tables ------------------------------------------------------------------------------------

    def keep(self, table: Table) -> Table:
        """Add a new table to the history. Return it linked with its history."""
        kept = self.history.keep(table)
        for feature in self.features:
            feature.on_table(kept)
        return kept

    def offer(self, table: Table) -> None:
        """Show a new table. It is painted once it is arranged."""
        self.view.offer(table)

    def painted(self, table: Table) -> None:
        """Tell the features that a table was painted.

        Args:
            table: The arranged table, with all columns.
        """
        for feature in self.features:
            feature.on_painted(table)

    def empty_message(self, *, has_key: bool = True) -> str:
        """Return why the table on the screen has no rows, an empty text if it has some.

        Args:
            has_key: Whether there is a key that removes a filter.
        """
        table, arrangement = self.table_view.table, self.state.arrangement
        if table is None or table.rows:
            return ""
        if arrangement is None or not arrangement.filters:
            return "No rows"
        return f"No rows match the filter.{' Press F to remove it.' if has_key else ''}"

    def problems(self) -> list[str]:
        """Return the problems with the shown table, a sentence for each."""
        return [problem for feature in self.features for problem in feature.problems()]

    # -- the user's choices ------------------------------------------------------------------------

    def chosen(self) -> Arrangement:
        """Return how the table is filtered, sorted and grouped."""
        return self.state.chosen()

    def choose(self, chosen: Arrangement) -> None:
        """Change the filters, the sort and the groups."""
        self.view.choose(chosen)

    def choose_columns(self, columns: ColumnChoice) -> None:
        """Change which columns are shown, and how."""
        self.view.choose_columns(columns)

    # -- keys --------------------------------------------------------------------------------------

    @property
    def idle_actions(self) -> frozenset[str]:
        """Actions that would do nothing now: the key line leaves them out."""
        return frozenset().union(*(feature.idle_actions() for feature in self.features))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the table's keys while a prompt is open."""
        return not self.prompting.is_open or not hasattr(self, f"action_{action}")

    def back(self) -> bool:
        """Close what Esc closes. Return whether anything was open."""
        return any(feature.back() for feature in self.features)

    def ask(
        self,
        prompt: Prompt,
        done: Callable[[str | None], bool],
        changed: Callable[[str], object] = lambda text: None,
        toggled: Callable[[], object] = lambda: None,
    ) -> None:
        """Ask for a line of text at the foot of the pane (see `Question`)."""
        self.prompting.ask(prompt, done, changed, toggled)

    def prompt_opened(self) -> None:
        """Called when a prompt is mounted, just before it takes the focus."""

    @property
    def prompt(self) -> Prompt | None:
        """The open prompt, None if none is open."""
        return self.prompting.prompt

    def end_work(self) -> None:
        """End all workers. A second call does nothing."""
        self.view.close()
        for feature in self.features:
            feature.close()

    # -- messages ----------------------------------------------------------------------------------

    def on_arranged_news(self, message: ArrangedNews) -> None:
        """Show the table that the worker arranged."""
        self.view.take_arranged()

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """Apply the text while it is typed."""
        message.stop()
        self.prompting.change(message.text)

    def on_prompt_toggled(self, message: Prompt.Toggled) -> None:
        """Switch the prompt's mode (Tab)."""
        message.stop()
        self.prompting.toggle()

    def on_prompt_done(self, message: Prompt.Done) -> None:
        """Accept the text, or cancel."""
        message.stop()
        self.prompting.finish(message.text)

    async def on_table_view_selected(self, message: TableView.Selected) -> None:
        """Open the cursor's group, or its row."""
        message.stop()
        await self.open_row(message)

    async def open_row(self, selected: TableView.Selected) -> None:
        """Open the cursor's group, or its row."""
        if not self.groups.open():
            await self.panels.toggle_row()

    def on_table_view_header_selected(self, message: TableView.HeaderSelected) -> None:
        """Handle a click on a header."""
        message.stop()
        self.open_header(message)

    def open_header(self, selected: TableView.HeaderSelected) -> None:
        """Sort by a column whose header was clicked."""
        self.sorting.sort_by(selected.column, selected.further)

    def on_table_view_header_dragged(self, message: TableView.HeaderDragged) -> None:
        """Move the column whose header was dragged, or make it wider or narrower."""
        message.stop()
        self.drag_header(message)

    def drag_header(self, message: TableView.HeaderDragged) -> None:
        """Move a column, or make it wider or narrower."""
        if message.width is not None:
            self.looks.set_width(message.column, message.width)
        else:
            self.columns.move(message.column, message.step)

    def on_table_view_cursor_moved(self, message: TableView.CursorMoved) -> None:
        """Tell the panels where the cursor is."""
        message.stop()
        self.cursor_moved()

    def cursor_moved(self) -> None:
        """Tell the panels where the cursor is."""
        self.panels.show()

    def on_time_line_chosen(self, message: TimeLine.Chosen) -> None:
        """Show the time that was clicked."""
        message.stop()
        self.time.go_to_share(message.share)
