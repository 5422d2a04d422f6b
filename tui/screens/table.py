"""The screen that shows one table: its trust line, the table, the keys."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer
from textual.worker import Worker

from livetable.feed.harmless import harmless
from livetable.tui.messages import FeedNews
from livetable.tui.status import StatusLine
from livetable.tui.subscriber import FeedState, Link, Subscriber
from livetable.tui.table import LiveTable
from livetable.tui.target import DEFAULTS, Target, ViewOptions


class TableScreen(Screen[None]):
    """Shows a table, live.

    Args:
        target: The table to show.
        options: What else the command line asks for.
        can_leave: Whether there is a list to go back to.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Tables", tooltip="Back to the list of tables"),
    ]

    def __init__(
        self, target: Target, options: ViewOptions = DEFAULTS, *, can_leave: bool = False
    ) -> None:
        super().__init__()
        self.target = target
        self._options = options
        self._can_leave = can_leave
        self.subscriber = Subscriber(target, lambda: self.post_message(FeedNews()), options.columns)
        self._feed = FeedState(name=target.title)
        self._clock_timer: Timer | None = None
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Yield the trust line, the table and the keys."""
        yield StatusLine(id="status")
        yield LiveTable(id="table")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Start the worker once the first paint is out: what it imports takes time."""
        self.query_one(StatusLine).feed = self._feed
        self.query_one(LiveTable).message = self._message()
        self.call_after_refresh(self._start)
        if self._options.timeout is not None:
            self.set_timer(self._options.timeout, self._give_up)

    def _give_up(self) -> None:
        if self._feed.table is None:
            sentence = f"no table {self.subscriber.name!r} within {self._options.timeout:g} s"
            self.app.exit(return_code=1, message=f"livetable: {sentence}")

    def _start(self) -> None:
        self._worker = self.run_worker(
            self.subscriber.run, name="subscriber", thread=True, exit_on_error=True
        )

    def on_unmount(self) -> None:
        """End the worker."""
        self.subscriber.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the way back where there is none."""
        return self._can_leave if action == "leave" else True

    def action_leave(self) -> None:
        """Go back to the list of tables."""
        self.subscriber.stop()
        self.dismiss()

    def on_feed_news(self, message: FeedNews) -> None:
        """Show the feed's newest state, then give credit for the next."""
        feed = self.subscriber.take()
        before, self._feed = self._feed, feed
        table = self.query_one(LiveTable)
        if feed.table is not None and feed.table is not before.table:
            table.update(feed.table)
        self._show_trust()
        table.message = self._message()
        self.call_after_refresh(self.subscriber.credit)

    def _show_trust(self) -> None:
        """Bring the trust line and the dimming up to date."""
        feed, status = self._feed, self.query_one(StatusLine)
        lost = feed.link in (Link.GONE, Link.ENDED)
        age = feed.age
        if age is not None:
            age += time.monotonic() - feed.heard if lost else 0.0
        limit = self._options.stale_after
        stale = limit is not None and age is not None and age > limit
        status.feed, status.age, status.stale = feed, age, stale
        never = feed.link in (Link.CONNECTING, Link.WAITING)
        self.query_one(LiveTable).stale = feed.table is not None and (lost or stale or never)
        # A feed that lives tells its age itself, once a second. One that is gone can't.
        if lost and self._clock_timer is None:
            self._clock_timer = self.set_interval(1.0, self._show_trust)
        elif not lost and self._clock_timer is not None:
            self._clock_timer.stop()
            self._clock_timer = None

    def _message(self) -> str:
        feed = self._feed
        if feed.table is not None:
            return "no rows" if feed.table.rows == 0 else ""
        if feed.note:
            return harmless(feed.note)
        where = f" on {self.target.endpoint}" if self.target.endpoint else " on this machine"
        if feed.link is Link.CONNECTING:
            return f"connecting to {self.target.title} …"
        if feed.progress is not None:
            return "receiving the table …"
        return f"waiting for a table {self.subscriber.name!r}{where} …"
