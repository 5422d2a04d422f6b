"""The pane of one table: reads the feed, shows the table, and says whether it is live."""

from __future__ import annotations

import time
from collections.abc import Callable
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
from livetable.tui.pane.feature import bindings_of
from livetable.tui.pane.feature_pane import FEATURES, FeaturePane
from livetable.tui.pane.feed import Feed
from livetable.tui.pane.messages import FeedNews, TerminalTook
from livetable.tui.pane.paint_loop import PaintLoop
from livetable.tui.pane.saved_view import SavedView
from livetable.tui.pane.time_travel import TimeTravel
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
_KEEP_SECONDS = 0.1  # between the frames that are kept while the table is paused
_LARGE = 1 << 20


PANE_BINDINGS: list[BindingType] = named(
    Binding("escape", "back", "Close", show=False),
    Binding(
        "I", "unreadable", "Invalid lines", show=False,
        tooltip="List the lines that could not be read",
    ),
)  # fmt: skip
"""The keys that belong to no feature."""


class TablePane(FeaturePane):
    """Shows a table, live.

    Args:
        target: The table to show.
        options: The command line's other options.
        client: A reader that has already requested the table.
        feed: Where to read the table from. None: read `target`.
        history: Where to keep the table's states. None: a new history of the size in `options`.
        time: Makes the feature for pause and rewind.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*PANE_BINDINGS, *bindings_of(*FEATURES)]

    def __init__(
        self,
        target: Target,
        options: ViewOptions = DEFAULTS,
        client: Client | None = None,
        *,
        feed: Feed | None = None,
        history: History | None = None,
        time: Callable[[FeaturePane], TimeTravel] = TimeTravel,
    ) -> None:
        if history is None:
            history = History(options.budget_of_a_table())
        super().__init__(history, time)
        self.target = target
        self._options = options
        self.feed: Feed = feed or FeedReader(
            target,
            lambda: self.post_message(FeedNews()),
            options.columns,
            client,
            options.stale_after,
            options.record,
        )
        self._feed_state = FeedState(name=target.title) if feed is None else feed.take()
        self.alerts.command = options.alert_command
        if options.until is not None:
            from livetable.tui.query.conditions import Watch

            self.alerts.until = Watch(options.until)
        self._saved = SavedView(self, options)
        self._paints = PaintLoop(self, self._show, self._flash)
        self.changed = False
        """Whether news came while the pane was not shown."""
        self._clock_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yield the status line, the view line and the table."""
        yield StatusLine(id="status")
        yield ViewLine()
        with Horizontal(classes="livetable--body"):
            yield TableView(id="table")

    def on_mount(self) -> None:
        """Start the worker. Often the table arrives in time for the first paint."""
        self._show_trust()
        table = self.table_view
        table.message = self._message()
        table.is_ready = lambda: self._paints.is_ready
        self._start()
        if self._options.timeout is not None:
            self.set_timer(self._options.timeout, self._give_up)

    def _give_up(self) -> None:
        if self._feed_state.table is None:
            from livetable.tui.workers.listing import live_now  # late: rarely needed

            endpoint = self.target.endpoint
            where = f" at {place(endpoint)}" if endpoint else f". {live_now()}"
            sentence = f"No table {self.feed.name!r}{where}"
            self.app.exit(return_code=1, message=f"livetable: {sentence}")

    def _start(self) -> None:
        self.feed.read_early()
        self.start_thread(self.feed.run, "feed")

    def on_unmount(self) -> None:
        """End the worker, and free the history."""
        self.end_work()
        self.history.clear()
        tidy_soon(self.app)

    def end_work(self) -> None:
        """End the worker. A second call does nothing."""
        super().end_work()
        self.feed.stop()
        self._saved.write()

    class Left(Message):
        """The user leaves this table."""

        def __init__(self, pane: TablePane) -> None:
            self.pane = pane
            super().__init__()

    class Changed(Message):
        """News came while the pane was not shown."""

    def action_back(self) -> None:
        """Close what is open, else resume if the table is paused, else leave the table."""
        if not self.back():
            self.post_message(self.Left(self))

    def action_unreadable(self) -> None:
        """List the lines of the source that could not be read."""
        source = self._feed_state.source
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

    def on_feed_news(self, message: FeedNews) -> None:
        """Show the feed's newest state as soon as the terminal is ready for it."""
        if not self.display:
            # Give no credit either: the feed then sends nothing for a hidden table.
            if not self.changed:
                self.changed = True
                self.post_message(self.Changed())
        else:
            self._paints.soon()

    @property
    def waits_for_terminal(self) -> bool:
        """Whether a paint waits for the terminal."""
        return self._paints.waits

    def paint_soon(self) -> None:
        """Paint the arranged table as soon as the terminal is ready."""
        self._paints.soon()

    def on_terminal_took(self, message: TerminalTook) -> None:
        """Check again whether the terminal is ready: it answered, or took the last byte."""
        self._paints.look_again()

    def _flash(self, has_room: bool) -> None:
        self.table_view.flashing = has_room

    def _painted(self) -> None:
        """Ask the terminal to confirm this paint, and the feed for the next frame."""
        self._paints.painted()
        self.feed.credit()

    def offer(self, table: Table) -> None:
        """Show a table. The first one gets the command line's view, or the saved view."""
        if self.state.base is None:
            self._begin(table)
        else:
            super().offer(table)

    def _begin(self, table: Table) -> None:
        options = self._options
        if options.alerts:
            self.alerts.choose(options.alerts)
        if options.sort or options.where:
            from livetable.tui.query.arrange import check_filter, first_arrangement
            from livetable.tui.query.nodes import BadExpression

            for text in options.where if len(table.titles) > table.fixed else ():
                try:
                    check_filter(text, table.titles, table.types)
                except BadExpression as error:  # exit: unfiltered rows would be a wrong answer
                    says = f"livetable: --where {text}: {error.sentence}"
                    self.app.exit(return_code=1, message=Text(harmless(says)))
                    return
            self.state.base = table
            self.choose(first_arrangement(options.sort, options.where))
            return
        self._saved.take_up(table)
        super().offer(table)

    def come_back(self) -> None:
        """Show the news that came while the pane was hidden."""
        self.changed = False
        self.paint_soon()
        self.feed.credit()

    @property
    def name_of_table(self) -> str:
        """The table's name, from the feed once that is known."""
        return self._feed_state.name or self.feed.name

    @property
    def title(self) -> str:
        """The title of the table's tab."""
        return self._feed_state.name or self.target.title

    @property
    def newest(self) -> Table | None:
        """The newest table from the feed."""
        return self._feed_state.table

    def on_resumed(self) -> None:
        """Ask the feed for frames that are newer than the paused one."""
        self.feed.credit()

    def _show(self) -> None:
        """Show the feed's newest state, then give credit for the next."""
        feed = self.feed.take()
        before, self._feed_state = self._feed_state, feed
        table, state = self.table_view, self.state
        if feed.table is not None and feed.table is not before.table:
            kept = self.keep(feed.table)
            if state.paused_at is None:
                self.offer(kept)
            else:  # paused: frames are only counted and kept, so ask for them slowly
                delay = CREDIT_SECONDS if kept.size > _LARGE else _KEEP_SECONDS
                later(self, delay, self.feed.credit)
                self.time.say_time()
        fresh = self.view.take_next()
        painted = table.update(self.view.dress(fresh)) if fresh is not None else True
        if fresh is not None:
            if state.arrangement is not None or state.columns.computed or self._says_more:
                self.view.say(fresh)
            self.painted(fresh)
        self._show_trust()
        table.message = self._message()
        if fresh is None or state.paused_at is not None:
            return  # only the status changed: the feed asks for the next one itself
        if painted:
            self._painted()
        else:  # Textual paints it, and then calls back
            self.call_after_refresh(self._painted)
            # Textual drops callbacks of a covered screen: without the timer, the credit is lost.
            self.set_timer(CREDIT_SECONDS, self.feed.credit)

    @property
    def _says_more(self) -> bool:
        """Whether the view line shows rules or alerts."""
        return bool(self.state.rules or self.alerts.conditions)

    def _show_trust(self) -> None:
        """Update the status line, and dim the table if it is not current."""
        feed, status = self._feed_state, self.query_one(StatusLine)
        if (driver := self._paints.driver) is not None:
            driver.see_size(self.screen.size)
        lost = feed.link in (Link.GONE, Link.ENDED)
        age = feed.age
        if age is not None:
            age += time.monotonic() - feed.heard if lost else 0.0
        waiting = self.time.waiting
        if waiting is not None and self.state.base is not None:
            age = time.monotonic() - self.state.base.sent
        limit = self._options.stale_after
        stale = limit is not None and age is not None and age > limit
        refs = (
            self.state.base.refs
            if self.state.base is not None and self.state.columns.hidden
            else ()
        )
        hidden = len(self.state.columns.hidden.intersection(refs))
        line = self._paints.line()
        if line and age is not None and waiting is None:
            age += self._paints.behind  # the terminal may show an older frame than was painted
        status.show(feed, age, stale, waiting, behind=self.time.behind, hidden=hidden, line=line)
        never = feed.link in (Link.CONNECTING, Link.WAITING)
        self.table_view.stale = feed.table is not None and (lost or stale or never)
        # A live feed reports its age once a second. For a lost one, a timer counts here.
        ticks = lost or waiting is not None
        if ticks and self._clock_timer is None:
            self._clock_timer = self.set_interval(1.0, self._show_trust)
        elif not ticks and self._clock_timer is not None:
            self._clock_timer.stop()
            self._clock_timer = None

    def _message(self) -> str:
        feed = self._feed_state
        if feed.table is not None:
            return self.empty_message()
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
        return f"waiting for a table {self.feed.name!r}{where} …"
