"""The screen that lists the live tables, as they come and go."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static

from livetable.feed.base.terminal_text import harmless
from livetable.feed.errors import LivetableError
from livetable.tui.dialogs.leaving import LeftOnce
from livetable.tui.pane.messages import ListingChanged
from livetable.tui.screens.tabs import Chosen, TablesScreen
from livetable.tui.target import DEFAULTS, Target, ViewOptions
from livetable.tui.text.places import place, started
from livetable.tui.widgets.key_line import KeyLine
from livetable.tui.widgets.table_view import TableView
from livetable.tui.workers.feed_process import FeedProcess, foreign_feed
from livetable.tui.workers.listing import ANSWER_SECONDS, Listed, Lister, as_table, target_of


class TableList(TableView):
    """A table of tables: Enter opens one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "Open")]


class PickerScreen(LeftOnce[Target | None]):
    """Lists tables; Enter opens one.

    Args:
        endpoint: List this endpoint's tables; None: this user's tables on this machine.
        options: Passed on to the table's screen.
        choose: Whether to return the chosen table instead of opening it.
        origin: What identifies the endpoint's tables if not their names, e.g. a folder.
    """

    DEFAULT_CSS = """
    PickerScreen #heading {
        height: 1; background: $panel; color: $foreground; text-style: bold;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Back", show=False)]

    def __init__(
        self,
        endpoint: str | None,
        options: ViewOptions = DEFAULTS,
        *,
        choose: bool = False,
        origin: str | None = None,
    ) -> None:
        super().__init__()
        self.endpoint = endpoint
        self._options = options
        self._choose = choose
        self._origin = origin
        self._foreign: tuple[FeedProcess, TablesScreen] | None = None
        self._answer_timer: Timer | None = None
        self._warning: str | None = None
        self.lister = Lister(endpoint, lambda: self.post_message(ListingChanged()))
        self._listing: list[Listed] = []
        self._number = 0
        self._opened_only = False

    def compose(self) -> ComposeResult:
        """Yield a heading, the list and the keys."""
        yield Static(id="heading")
        table = TableList(id="tables")
        table.whole_row = True
        yield table
        yield KeyLine()

    def on_mount(self) -> None:
        """Start listing after the first paint."""
        self._update_heading()
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.run_worker(self.lister.run, name="lister", thread=True)

    def on_unmount(self) -> None:
        """End the worker and the feed process."""
        self.end_work()

    def end_work(self) -> None:
        """End the worker and the feed process. A second call does nothing."""
        self.lister.stop()
        if self._foreign is not None:
            self._foreign[0].close()

    def on_listing_changed(self, message: ListingChanged) -> None:
        """Show the live tables. If an endpoint has one table, open it."""
        self._listing = self.lister.take()
        self._number += 1
        if self._listing or self._number > 1:
            self.query_one(TableView).update(as_table(self._listing, self._number))
        self._update_heading()
        self._check_publisher()
        if self.endpoint is not None and len(self._listing) == 1 and not self._opened_only:
            self._opened_only = True
            self._open(0)

    def _check_publisher(self) -> None:
        """Read another publisher with a feed process: unlike livetable's, it never answers."""
        if self.endpoint is None:
            return
        if self.lister.frames:
            if self._answer_timer is not None:
                self._answer_timer.stop()
            if self._foreign is not None:  # it is livetable's, and was only slow to answer
                (process, screen), self._foreign = self._foreign, None
                screen.leave()
                process.close()
        elif self.lister.connected and self._answer_timer is None:
            self._answer_timer = self.set_timer(ANSWER_SECONDS, self._read_foreign)

    def _read_foreign(self) -> None:
        if self.lister.frames or self.endpoint is None:
            return
        try:
            process = foreign_feed(self.endpoint, self._options.foreign)
        except LivetableError as error:
            self._warning = str(error)
            self._update_heading()
            return
        screen = self._screen_of(process.target)
        self._foreign = process, screen
        self.app.push_screen(screen)

    def on_table_view_selected(self, message: TableView.Selected) -> None:
        """Open the chosen table."""
        self._open(message.row)

    def _open(self, row: int) -> None:
        target = target_of(self._listing, row)
        if target is not None and self.is_current:
            if self.endpoint is None and self._listing[row].endpoint.startswith("ipc://"):
                # By name: a feed that restarts has another endpoint.
                target = type(target)(None, target.table)
            if self._origin is not None:
                target = replace(target, origin=f"{self._origin}#{target.table}")
            if self._choose:
                self.end_work()
                self.dismiss(target)
            else:
                self.app.push_screen(self._screen_of(target))

    def _screen_of(self, target: Target) -> TablesScreen:
        choose = partial(choose_table, self.app)
        return TablesScreen([target], self._options, can_leave=True, choose=choose)

    def action_cancel(self) -> None:
        """Go back without a choice, if the screen is for choosing."""
        if self._choose:
            self.end_work()
            self.dismiss(None)

    def _update_heading(self) -> None:
        count = sum(one.lives for one in self._listing)
        where = harmless(place(self.endpoint)) if self.endpoint else "this machine"
        tables = f"{count} live table{'' if count == 1 else 's'}"
        heading = Text(f" livetable   {tables} on {where}", no_wrap=True, overflow="ellipsis")
        self.query_one("#heading", Static).update(heading)
        self.query_one(TableView).message = "" if self._listing else self._empty_message()

    def _empty_message(self) -> str:
        if self._warning is not None:
            return harmless(self._warning)
        if self.lister.problem:
            return harmless(self.lister.problem)
        if self.endpoint is None:
            return 'No live tables yet. In Python: Publisher("orders").send(df)'
        if (own := started(self.endpoint)) is not None:
            return f"waiting for {harmless(own.awaits)} …"
        state = "no table yet" if self.lister.connected else "no answer yet"
        return f"waiting for {harmless(place(self.endpoint))} … {state}"


def choose_table(app: App[Any], options: ViewOptions, chosen: Chosen) -> None:
    """Show the list of tables to choose one."""
    app.push_screen(PickerScreen(None, options, choose=True), chosen)
