"""The screen that shows one table: its trust line, the table, the keys."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.worker import Worker

from livetable.feed.harmless import harmless
from livetable.feed.wire import Position
from livetable.tui.driver import LATE_SECONDS, TerminalDriver
from livetable.tui.keyline import KeyLine
from livetable.tui.later import later
from livetable.tui.messages import FeedNews, TerminalTook
from livetable.tui.model import Table
from livetable.tui.screens.arranged import ArrangedScreen
from livetable.tui.status import StatusLine
from livetable.tui.subscriber import FeedState, Link, Subscriber
from livetable.tui.table import LiveTable
from livetable.tui.target import DEFAULTS, Target, ViewOptions
from livetable.tui.viewline import ViewLine

if TYPE_CHECKING:
    from livetable.feed.client import Client

CREDIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Pause:
    """A table that stands still.

    Attributes:
        shown: Epoch and seq of the frame that is shown.
        sent: When that was sent, by this machine's monotonic clock.
    """

    shown: Position
    sent: float

    def waiting(self, newest: Table | None) -> int:
        """Return how many frames came since; at least, if the feed was started anew."""
        if newest is None:
            return 0
        same = newest.position.epoch == self.shown.epoch
        return newest.position.seq - (self.shown.seq if same else 0)


class TableScreen(ArrangedScreen):
    """Shows a table, live.

    Args:
        target: The table to show.
        options: What else the command line asks for.
        can_leave: Whether there is a list to go back to.
        client: A reader that has asked for the table already.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Tables", tooltip="Back to the list of tables"),
        Binding("space", "pause", "Pause", tooltip="Let the table stand still, or go on"),
    ]

    def __init__(
        self,
        target: Target,
        options: ViewOptions = DEFAULTS,
        *,
        can_leave: bool = False,
        client: Client | None = None,
    ) -> None:
        super().__init__()
        self.target = target
        self._options = options
        self._can_leave = can_leave
        self.subscriber = Subscriber(
            target,
            lambda: self.post_message(FeedNews()),
            options.columns,
            client,
            options.stale_after,
        )
        self._feed = FeedState(name=target.title)
        self._paused: _Pause | None = None
        self._clock_timer: Timer | None = None
        self._paint_timer: asyncio.TimerHandle | None = None
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Yield the trust line, the table and the keys."""
        yield StatusLine(id="status")
        yield ViewLine()
        yield LiveTable(id="table")
        yield KeyLine()

    def on_mount(self) -> None:
        """Start the worker: the table is often here for the first paint."""
        self._show_trust()
        table = self.live_table
        table.message = self._message()
        table.is_ready = self._is_ready
        self._start()
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
        self.end_work()

    def end_work(self) -> None:
        """End the worker. A second call does nothing."""
        super().end_work()
        self.subscriber.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the way back where there is none."""
        if action == "leave" and not self._can_leave:
            return False
        return super().check_action(action, parameters)

    def action_leave(self) -> None:
        """Go back to the list of tables."""
        self.end_work()
        self.dismiss()

    def on_feed_news(self, message: FeedNews) -> None:
        """Show the feed's newest state as soon as the terminal is ready for it."""
        if self._paint_timer is None:
            self._show_when_ready()

    @property
    def waits_for_terminal(self) -> bool:
        """Whether there is something to paint that the terminal was not ready for."""
        return self._paint_timer is not None

    def paint_soon(self) -> None:
        """Paint what was arranged as soon as the terminal is ready for it."""
        if self._paint_timer is None:
            self._show_when_ready()

    def on_terminal_took(self, message: TerminalTook) -> None:
        """Look again whether the terminal is ready: it answered, or took the last byte."""
        if self._paint_timer is not None:
            self._paint_timer.cancel()
            self._show_when_ready()

    def _show_when_ready(self) -> None:
        self._paint_timer = None
        driver = self._driver
        if driver is not None:
            wait = driver.pace.wait(driver.pending)
            self.live_table.flashing = not driver.pace.is_slow
            if wait is None or wait > 0:
                # News and credit wait with the paint: then it is the newest state that is shown.
                seconds = LATE_SECONDS if wait is None else wait
                self._paint_timer = later(self, seconds, self._show_when_ready)
                return
            with driver.together():
                self._show()
        else:
            self._show()

    @property
    def _driver(self) -> TerminalDriver | None:
        """The driver, if it is the one that knows what the terminal has taken."""
        driver = self.app._driver
        return driver if isinstance(driver, TerminalDriver) else None

    def _painted(self) -> None:
        """Ask the terminal to answer when it has seen this, and the feed for what is newer."""
        driver = self._driver
        if driver is not None and driver.pace.painted(driver.written):
            driver.ask()
        self.subscriber.credit()

    def offer(self, table: Table) -> None:
        """Take a table as it came; the first one is arranged as the command line asks."""
        options = self._options
        if self.base is None and (options.sort or options.where):
            from livetable.tui.arrange import first_arrangement

            self.base = table
            self.choose(first_arrangement(options.sort, options.where))
        else:
            super().offer(table)

    def action_pause(self) -> None:
        """Let the table stand still, or go on with the newest state."""
        feed = self._feed
        if self._paused is None:
            if self.base is not None:
                age = (feed.age or 0.0) + time.monotonic() - feed.heard
                self._paused = _Pause(self.base.position, time.monotonic() - age)
        else:
            self._paused = None
            if feed.table is not None and feed.table is not self.base:
                self.offer(feed.table)
            self.subscriber.credit()
        self.paint_soon()

    def _is_ready(self) -> bool:
        driver = self._driver
        return driver is None or driver.pace.wait(driver.pending) == 0

    def _show(self) -> None:
        """Show the feed's newest state, then give credit for the next."""
        feed = self.subscriber.take()
        before, self._feed = self._feed, feed
        table = self.live_table
        if feed.table is not None and feed.table is not before.table:
            if self._paused is None:
                self.offer(feed.table)
            else:  # only to be counted, so there is no hurry
                later(self, CREDIT_SECONDS, self.subscriber.credit)
        fresh, self.paint_next = self.paint_next, None
        painted = table.update(self.dress(fresh)) if fresh is not None else True
        if fresh is not None and self.arrangement is not None:
            self._say_view(fresh)
        self._show_trust()
        table.message = self._message()
        if fresh is None or self._paused is not None:
            return  # a word or two: the subscriber itself asks for what comes after those
        if painted:
            self._painted()
        else:  # Textual paints it, and then calls back
            self.call_after_refresh(self._painted)
            # Textual drops callbacks of a screen that is covered: the credit must not go with them.
            self.set_timer(CREDIT_SECONDS, self.subscriber.credit)

    def _show_trust(self) -> None:
        """Bring the trust line and the dimming up to date."""
        feed, status = self._feed, self.query_one(StatusLine)
        lost = feed.link in (Link.GONE, Link.ENDED)
        age = feed.age
        if age is not None:
            age += time.monotonic() - feed.heard if lost else 0.0
        waiting = None
        if self._paused is not None:
            age = time.monotonic() - self._paused.sent
            waiting = self._paused.waiting(feed.table)
        limit = self._options.stale_after
        stale = limit is not None and age is not None and age > limit
        status.show(feed, age, stale, waiting)
        never = feed.link in (Link.CONNECTING, Link.WAITING)
        self.live_table.stale = feed.table is not None and (lost or stale or never)
        # A feed that lives tells its age itself, once a second. One that is gone can't.
        ticks = lost or self._paused is not None
        if ticks and self._clock_timer is None:
            self._clock_timer = self.set_interval(1.0, self._show_trust)
        elif not ticks and self._clock_timer is not None:
            self._clock_timer.stop()
            self._clock_timer = None

    def _message(self) -> str:
        feed = self._feed
        if feed.table is not None:
            shown = self.live_table.table
            if shown is None or shown.rows:
                return ""
            return "no row meets the filter; F removes it" if shown.frame_rows else "no rows"
        if feed.note:
            return harmless(feed.note)
        where = f" on {self.target.endpoint}" if self.target.endpoint else " on this machine"
        if feed.link is Link.CONNECTING:
            return f"connecting to {self.target.title} …"
        if feed.progress is not None:
            return "receiving the table …"
        return f"waiting for a table {self.subscriber.name!r}{where} …"
