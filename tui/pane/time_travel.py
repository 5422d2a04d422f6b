"""A table that can stand still, go back, and tell what changed since a mark."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.pane.view import ArrangedPane
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.widgets.time_line import TimeLine

_JUMP_HINT = "a time, e.g. 14:03 or 14:03:07, or seconds back, e.g. -30"
_GONE_NAMED = 5


class TimedPane(ArrangedPane):
    """Keeps what was shown, and shows it again."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("space", "pause", "Pause", tooltip="Let the table stand still, or go on"),
        Binding("comma", "step(-1)", "Back", key_display=",", tooltip="Back by a frame"),
        Binding("full_stop", "step(1)", "Forward by a frame", show=False),
        Binding("left_square_bracket", "seek(-10)", "Back 10 s", show=False),
        Binding("right_square_bracket", "seek(10)", "Forward 10 s", show=False),
        Binding("left_curly_bracket", "seek(-60)", "Back a minute", show=False),
        Binding("right_curly_bracket", "seek(60)", "Forward a minute", show=False),
        Binding("at", "jump", "Go to a time", show=False),
        Binding("m", "mark", "Mark", tooltip="Mark what differs from now on"),
        Binding("M", "unmark", "No mark", show=False),
    )

    time_hint = "space: now"

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.standing: int | None = None
        """The number in the history of what is shown; None while it is the newest."""
        self.rewound = False
        """Whether it was gone back from where it was paused."""
        self._marking = False
        self._time_line: TimeLine | None = None

    # -- where in time -----------------------------------------------------------------------------

    @property
    def newest(self) -> Table | None:
        """The newest table that came."""
        raise NotImplementedError

    def keep(self, table: Table) -> Table:
        """Put a table that came into the history; return it with its past."""
        return self.history.keep(table)

    @property
    def behind(self) -> float | None:
        """Seconds from what is shown to the newest state, None if the table is not rewound."""
        if not self.rewound or self.base is None:
            return None
        return max(0.0, self.history.at(self.history.last).sent - self.base.sent)

    @property
    def waiting(self) -> int | None:
        """How many frames came since what is shown; None if that is the newest."""
        if self.standing is None or self.base is None or self.newest is None:
            return None
        shown, newest = self.base.position, self.newest.position
        return newest.seq - (shown.seq if newest.epoch == shown.epoch else 0)

    def action_pause(self) -> None:
        """Let the table stand still, or go on with the newest state."""
        if self.standing is not None:
            self.go_on()
        elif len(self.history):
            self._stand(self.history.last, rewound=False)

    def action_step(self, frames: int) -> None:
        """Show the frame before or after; after the newest one it goes on."""
        if frames < 0 and self._now + frames < self.history.first:
            self.app.notify("Nothing older is kept.", timeout=2)
            return
        self._go_to(self._now + frames)

    def action_seek(self, seconds: int) -> None:
        """Show what was shown some seconds before or after."""
        if not len(self.history):
            return
        moment = self.history.at(self._now).sent + seconds
        number = self.history.number_at(moment)
        # At least a frame: there may be none in between.
        self._go_to(min(number, self._now - 1) if seconds < 0 else max(number, self._now + 1))

    def action_jump(self) -> None:
        """Ask for a time to go to."""
        if not len(self.history):
            return
        from livetable.tui.widgets.prompt import Prompt

        prompt = Prompt("go to: ", hint=_JUMP_HINT)

        def done(text: str | None) -> bool:
            if not text:
                return True
            moment = self.moment_named(text)
            if moment is None:
                prompt.say(f"{text!r} is no time: write {_JUMP_HINT}")
                return False
            self._go_to(self.history.number_at(moment - self.history.to_wall))
            return True

        self.ask(prompt, done)

    def moment_named(self, text: str) -> float | None:
        """Return the moment that a text names, in seconds since 1970; None if it names none."""
        from livetable.tui.text.clock import read_moment

        return read_moment(text, time.time())

    def on_time_line_chosen(self, message: TimeLine.Chosen) -> None:
        """Show the time that was clicked."""
        history = self.history
        if len(history):
            first = history.at(history.first).sent
            self._go_to(history.number_at(first + history.seconds * message.share))

    @property
    def _now(self) -> int:
        return self.history.last if self.standing is None else self.standing

    def _go_to(self, number: int) -> None:
        if not len(self.history):
            return
        if number > self.history.last:
            self.go_on()
        else:
            self._stand(max(number, self.history.first), rewound=True)

    def _stand(self, number: int, *, rewound: bool) -> None:
        self.standing = number
        self.rewound = rewound
        shown = self.history.at(number)
        if self.base is None or shown.position != self.base.position:
            self.offer(shown)
        self.say_time()
        self.paint_soon()

    def go_on(self) -> None:
        """Show the newest state, and what comes."""
        self.standing = None
        self.rewound = False
        newest = self.newest
        if newest is not None and (self.base is None or newest.position != self.base.position):
            self.offer(self.history.at(self.history.last))
        self.say_time()
        self.paint_soon()

    def say_time(self) -> None:
        """Say which time is shown."""
        line = self._time_line
        if self.standing is None:
            if line is not None:
                line.show(None)
            return
        from livetable.tui.widgets.time_line import Moment, TimeLine

        if line is None:  # not before it is needed: each widget makes the first row later
            self._time_line = TimeLine(self.time_hint)
            self.mount(self._time_line, after="#body")
            self.call_after_refresh(self.say_time)
            return
        tables = self.history
        oldest, newest = tables.at(tables.first), tables.at(tables.last)
        shown = self.base or newest  # which may be older than all that is kept
        line.show(
            Moment(
                at=shown.sent,
                wall=shown.sent + tables.to_wall,
                first=oldest.sent,
                last=newest.sent,
                frame=max(self.standing - tables.first, 0) + 1,
                frames=len(tables),
                bytes=tables.bytes,
                limit=tables.budget.limit,
            )
        )

    # -- what changed since ------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark from now on whatever differs from what is shown now."""
        if self.base is not None:
            self.history.marked = self.base.arranged(None)
            self.table_view.marked = self.history.marked
            self.since_mark = ""
            self.count_changes()
            self.say_view(self.table_view.table)

    def action_unmark(self) -> None:
        """Mark nothing any more."""
        self.history.marked = None
        self.table_view.marked = None
        self.since_mark = ""
        self.say_view(self.table_view.table)

    def count_changes(self) -> None:
        """Find out which rows came and went since the mark, off the event loop."""
        base, then = self.base, self.history.marked
        if base is None or then is None or self._marking:
            return
        self._marking = True

        def run() -> None:
            from livetable.tui.query.row_match import came_and_went, changed_rows
            from livetable.tui.text.clock import wall_text

            try:
                came, gone, names = came_and_went(base, then, _GONE_NAMED)
                named = f" ({', '.join(names)}{', …' if gone > len(names) else ''})" if gone else ""
                changed = len(changed_rows(base, then))
                said = f"{changed:,} changed · {came:,} added · {gone:,} removed{named}"
            except Exception as error:  # of Arrow, for a type nobody thought of
                said = harmless(f"what came and went can't be told: {error!r:.100}")
            clock = wall_text(then.sent + self.history.to_wall)[:8]
            self.app.call_from_thread(self._counted, f"{clock}  {said}")

        self.run_worker(run, group="mark", thread=True, exit_on_error=False)

    def _counted(self, said: str) -> None:
        self._marking = False
        if self.is_attached and self.history.marked is not None and said != self.since_mark:
            self.since_mark = said
            self.say_view(self.table_view.table)
