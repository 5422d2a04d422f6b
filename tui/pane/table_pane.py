"""The pane of one feed's table: reads it, shows it, and tells how it stands with it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.pane.alerts import AlertedPane
from livetable.tui.pane.columns import ColumnedPane
from livetable.tui.pane.copy_export import TakeAwayPane
from livetable.tui.pane.groups import GroupedPane
from livetable.tui.pane.messages import FeedNews, TerminalTook
from livetable.tui.pane.paint_loop import PaintLoop
from livetable.tui.pane.panels import PanelledPane
from livetable.tui.pane.saved_view import SavedView
from livetable.tui.pane.search import SearchingPane
from livetable.tui.target import DEFAULTS, Target, ViewOptions
from livetable.tui.terminal.gc_pause import tidy_soon
from livetable.tui.terminal.timer import later
from livetable.tui.text.places import place, started
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.status_line import StatusLine
from livetable.tui.widgets.table_view import TableView
from livetable.tui.widgets.view_line import ViewLine
from livetable.tui.workers.feed import FeedReader

if TYPE_CHECKING:
    from livetable.feed.client.connection import Client

CREDIT_SECONDS = 1.0
_KEEP_SECONDS = 0.1  # between frames that are kept while the table stands still
_LARGE = 1 << 20


class TablePane(SearchingPane, ColumnedPane, GroupedPane, TakeAwayPane, PanelledPane, AlertedPane):
    """Shows a table, live.

    Args:
        target: The table to show.
        options: What else the command line asks for.
        client: A reader that has asked for the table already.
    """

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("escape", "back", "Close", show=False),
        Binding(
            "I", "unreadable", "Invalid lines", show=False,
            tooltip="List the lines that could not be read",
        ),
        Binding("V", "show_all", "Show all rows and columns", show=False),
    )  # fmt: skip

    def __init__(
        self,
        target: Target,
        options: ViewOptions = DEFAULTS,
        client: Client | None = None,
    ) -> None:
        super().__init__()
        self.target = target
        self._options = options
        self.history = History(options.budget_of_a_table())
        self.subscriber = FeedReader(
            target,
            lambda: self.post_message(FeedNews()),
            options.columns,
            client,
            options.stale_after,
            options.record,
        )
        self._feed = FeedState(name=target.title)
        self.alert_command = options.alert_command
        if options.until is not None:
            from livetable.tui.query.conditions import Watch

            self.until = Watch(options.until)
        self._view = SavedView(self, options)
        self._paints = PaintLoop(self, self._show, self._flash)
        self.changed = False
        """Whether news came while the pane was not shown."""
        self._clock_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the trust line, how the table is arranged, the table, and which time is shown."""
        yield StatusLine(id="status")
        yield ViewLine()
        with Horizontal(id="body"):
            yield TableView(id="table")

    def on_mount(self) -> None:
        """Start the worker: the table is often here for the first paint."""
        self._show_trust()
        table = self.table_view
        table.message = self._message()
        table.is_ready = lambda: self._paints.is_ready
        self._start()
        if self._options.timeout is not None:
            self.set_timer(self._options.timeout, self._give_up)

    def _give_up(self) -> None:
        if self._feed.table is None:
            from livetable.tui.workers.listing import live_now  # late: hardly ever needed

            name, endpoint = self.subscriber.name, self.target.endpoint
            where = f" at {place(endpoint)}" if endpoint else f". {live_now()}"
            sentence = f"No table {name!r}{where}"
            self.app.exit(return_code=1, message=f"livetable: {sentence}")

    def _start(self) -> None:
        self.subscriber.read_early()
        self.run_worker(self.subscriber.run, name="subscriber", thread=True, exit_on_error=True)

    def on_unmount(self) -> None:
        """End the worker, and let go of the past."""
        self.end_work()
        self.history.clear()
        tidy_soon(self.app)

    def end_work(self) -> None:
        """End the worker. A second call does nothing."""
        super().end_work()
        self.end_alarm()
        self.subscriber.stop()
        self._view.write()

    class Left(Message):
        """The person is done with this table."""

        def __init__(self, pane: TablePane) -> None:
            self.pane = pane
            super().__init__()

    class Changed(Message):
        """News came while the pane was not shown."""

    def action_back(self) -> None:
        """Close what is open, go on if the table stands still, else leave it."""
        if self.has_panel:
            self.close_panels()
        elif self.standing is not None:
            self.go_on()
        elif not self.idle_actions:
            self.action_ungroup()
        else:
            self.post_message(self.Left(self))

    def action_unreadable(self) -> None:
        """List the lines of the source that could not be read."""
        source = self._feed.source
        if not source.unreadable:
            self.app.notify("All lines could be read.", timeout=4)
            return
        from livetable.tui.dialogs.choice import ChoiceScreen

        lines = {
            str(number): harmless(f"line {number} {why}: {text}")
            for number, text, why in source.lines
        }
        more = source.unreadable - len(lines)
        if more > 0:
            lines["more"] = f"and {more:,} more"
        lines_ = "1 line" if source.unreadable == 1 else f"{source.unreadable:,} lines"
        title = f"{lines_} could not be read"
        self.app.push_screen(ChoiceScreen(title, lines, wide=True))

    async def on_table_view_selected(self, message: TableView.Selected) -> None:
        """Open the cursor's group, or its row."""
        if not self.open_group():
            await self.toggle_detail()

    def on_feed_news(self, message: FeedNews) -> None:
        """Show the feed's newest state as soon as the terminal is ready for it."""
        if not self.display:
            # No credit either: a table that nobody looks at costs nobody anything.
            if not self.changed:
                self.changed = True
                self.post_message(self.Changed())
        else:
            self._paints.soon()

    @property
    def waits_for_terminal(self) -> bool:
        """Whether there is something to paint that the terminal was not ready for."""
        return self._paints.waits

    def paint_soon(self) -> None:
        """Paint what was arranged as soon as the terminal is ready for it."""
        self._paints.soon()

    def on_terminal_took(self, message: TerminalTook) -> None:
        """Look again whether the terminal is ready: it answered, or took the last byte."""
        self._paints.look_again()

    def _flash(self, has_room: bool) -> None:
        self.table_view.flashing = has_room

    def _painted(self) -> None:
        """Ask the terminal to answer when it has seen this, and the feed for what is newer."""
        self._paints.painted()
        self.subscriber.credit()

    def offer(self, table: Table) -> None:
        """Take a table as it came; the first one is shown as was asked for, or as it was last."""
        if self.base is None:
            self._begin(table)
        else:
            super().offer(table)

    def _begin(self, table: Table) -> None:
        options = self._options
        if options.alerts:
            self.choose_alerts(options.alerts)
        if options.sort or options.where:
            from livetable.tui.query.arrange import check_filter, first_arrangement
            from livetable.tui.query.nodes import BadExpression

            for text in options.where if len(table.titles) > table.fixed else ():
                try:
                    check_filter(text, table.titles, table.types)
                except BadExpression as error:  # all rows are not what was asked for
                    says = f"livetable: --where {text}: {error.sentence}"
                    self.app.exit(return_code=1, message=Text(harmless(says)))
                    return
            self.base = table
            self.choose(first_arrangement(options.sort, options.where))
            return
        self._view.take_up(table)
        super().offer(table)

    def more_problems(self) -> list[str]:
        """Return what else could not be done: of columns, and of alerts."""
        problem = self.alert_problem
        return [*super().more_problems(), *(() if problem is None else (f"alert {problem}",))]

    def action_show_all(self) -> None:
        """Show all rows and columns; what they look like stays."""
        self.forget_groups()
        self.choose(replace(self.chosen(), filters=(), groups=()))
        self.choose_columns(replace(self.columns, hidden=frozenset()))

    def come_back(self) -> None:
        """Show what came while the pane was not shown."""
        self.changed = False
        self.paint_soon()
        self.subscriber.credit()

    @property
    def name_of_table(self) -> str:
        """The table's name, as its feed has it if that is known."""
        return self._feed.name or self.subscriber.name

    @property
    def title(self) -> str:
        """What to call it on its tab."""
        return self._feed.name or self.target.title

    @property
    def title_for_alerts(self) -> str:
        """What the table is called in an alert."""
        return self.title

    @property
    def newest(self) -> Table | None:
        """The newest table that came."""
        return self._feed.table

    def go_on(self) -> None:
        """Show the newest state, and what comes."""
        super().go_on()
        self.subscriber.credit()

    def _show(self) -> None:
        """Show the feed's newest state, then give credit for the next."""
        feed = self.subscriber.take()
        before, self._feed = self._feed, feed
        table = self.table_view
        if feed.table is not None and feed.table is not before.table:
            kept = self.keep(feed.table)
            if self.standing is None:
                self.offer(kept)
            else:  # to be counted and kept, so there is no hurry
                hurry = CREDIT_SECONDS if kept.size > _LARGE else _KEEP_SECONDS
                later(self, hurry, self.subscriber.credit)
                self.say_time()
        fresh, self.paint_next = self.paint_next, None
        painted = table.update(self.dress(fresh)) if fresh is not None else True
        if fresh is not None:
            self._shown(fresh)
        self._show_trust()
        table.message = self._message()
        if fresh is None or self.standing is not None:
            return  # a word or two: the subscriber itself asks for what comes after those
        if painted:
            self._painted()
        else:  # Textual paints it, and then calls back
            self.call_after_refresh(self._painted)
            # Textual drops callbacks of a screen that is covered: the credit must not go with them.
            self.set_timer(CREDIT_SECONDS, self.subscriber.credit)

    def _shown(self, table: Table) -> None:
        if self.arrangement is not None or self.columns.computed or self.rules or self.alerts:
            self.say_view(table)
        if self.history.marked is not None:
            self.count_changes()
        if self.has_panel:
            self.show_panels()

    def _show_trust(self) -> None:
        """Bring the trust line and the dimming up to date."""
        feed, status = self._feed, self.query_one(StatusLine)
        if (driver := self._paints.driver) is not None:
            driver.see_size(self.screen.size)
        lost = feed.link in (Link.GONE, Link.ENDED)
        age = feed.age
        if age is not None:
            age += time.monotonic() - feed.heard if lost else 0.0
        waiting = self.waiting
        if waiting is not None and self.base is not None:
            age = time.monotonic() - self.base.sent
        limit = self._options.stale_after
        stale = limit is not None and age is not None and age > limit
        there = self.base.refs if self.base is not None and self.columns.hidden else ()
        hidden = len(self.columns.hidden.intersection(there))
        line = self._paints.line()
        if line and age is not None and waiting is None:
            age += self._paints.behind  # of what is shown, as far as the terminal confirmed it
        status.show(feed, age, stale, waiting, behind=self.behind, hidden=hidden, line=line)
        never = feed.link in (Link.CONNECTING, Link.WAITING)
        self.table_view.stale = feed.table is not None and (lost or stale or never)
        # A feed that lives tells its age itself, once a second. One that is gone can't.
        ticks = lost or waiting is not None
        if ticks and self._clock_timer is None:
            self._clock_timer = self.set_interval(1.0, self._show_trust)
        elif not ticks and self._clock_timer is not None:
            self._clock_timer.stop()
            self._clock_timer = None

    def _message(self) -> str:
        feed = self._feed
        if feed.table is not None:
            shown = self.table_view.table
            if shown is None or shown.rows:
                return ""
            filtered = self.arrangement is not None and bool(self.arrangement.filters)
            return "No rows match the filter. Press F to remove it." if filtered else "No rows"
        if feed.note:
            return harmless(feed.note)
        endpoint = self.target.endpoint
        where = f" on {place(endpoint)}" if endpoint else " on this machine"
        if feed.link is Link.CONNECTING:
            return f"connecting to {self.target.title} …"
        if feed.progress is not None:
            return "receiving the table …"
        if (own := started(endpoint)) is not None:
            return f"waiting for {own.awaits} …"
        return f"waiting for a table {self.subscriber.name!r}{where} …"
