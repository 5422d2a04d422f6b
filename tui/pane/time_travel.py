"""Pause, and go back in time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.pane.feature import Feature
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.widgets.time_line import TimeLine

_JUMP_HINT = "a time, e.g. 14:03 or 14:03:07, or seconds back, e.g. -30"


class TimeTravel(Feature):
    """Shows the states of the pane's history."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("space", "pause", "Pause", tooltip="Pause or resume the table"),
        Binding("comma", "step(-1)", "Back", key_display=",", tooltip="Back by a frame"),
        Binding("full_stop", "step(1)", "Forward by a frame", show=False),
        Binding("left_square_bracket", "seek(-10)", "Back 10 s", show=False),
        Binding("right_square_bracket", "seek(10)", "Forward 10 s", show=False),
        Binding("left_curly_bracket", "seek(-60)", "Back a minute", show=False),
        Binding("right_curly_bracket", "seek(60)", "Forward a minute", show=False),
        Binding("at", "jump", "Go to a time", show=False),
    )

    hint: ClassVar[str] = "space: now"
    """What the time line says of its key."""

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self._time_line: TimeLine | None = None

    @property
    def behind(self) -> float | None:
        """Seconds from what is shown to the newest state, None if the table is not rewound."""
        base, history = self.state.base, self.pane.history
        if not self.state.rewound or base is None:
            return None
        return max(0.0, history.at(history.last).sent - base.sent)

    @property
    def waiting(self) -> int | None:
        """How many frames came since what is shown; None if that is the newest."""
        base, newest = self.state.base, self.pane.newest
        if self.state.standing is None or base is None or newest is None:
            return None
        shown, last = base.position, newest.position
        return last.seq - (shown.seq if last.epoch == shown.epoch else 0)

    @property
    def number(self) -> int:
        """The number in the history of what is shown."""
        standing = self.state.standing
        return self.pane.history.last if standing is None else standing

    def back(self) -> bool:
        """Go on from where it was paused."""
        if self.state.standing is None:
            return False
        self.go_on()
        return True

    # -- keys --------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Pause, or go on with the newest state."""
        if self.state.standing is not None:
            self.go_on()
        elif len(self.pane.history):
            self.stand(self.pane.history.last, rewound=False)

    def action_step(self, frames: int) -> None:
        """Show the frame before or after; after the newest one it goes on."""
        if frames < 0 and self.number + frames < self.pane.history.first:
            self.say("Nothing older is kept.", 2.0)
            return
        self.go_to(self.number + frames)

    def action_seek(self, seconds: int) -> None:
        """Show what was shown some seconds before or after."""
        history = self.pane.history
        if not len(history):
            return
        number = history.number_at(history.at(self.number).sent + seconds)
        # At least a frame: there may be none in between.
        self.go_to(min(number, self.number - 1) if seconds < 0 else max(number, self.number + 1))

    def action_jump(self) -> None:
        """Ask for a time to go to."""
        history = self.pane.history
        if not len(history):
            return
        from livetable.tui.widgets.prompt import Prompt

        prompt = Prompt("go to: ", hint=_JUMP_HINT)

        def done(text: str | None) -> bool:
            if not text:
                return True
            moment = self.moment_of(text)
            if moment is None:
                prompt.say(f"Can't read {text!r} as a time: write {_JUMP_HINT}")
                return False
            self.go_to(history.number_at(moment - history.to_wall))
            return True

        self.pane.ask(prompt, done)

    def moment_of(self, text: str) -> float | None:
        """Return the moment that a text means, in seconds since 1970; None if it is no time."""
        from livetable.tui.text.clock import read_moment

        return read_moment(text, time.time())

    # -- which state -------------------------------------------------------------------------------

    def go_to_share(self, share: float) -> None:
        """Show the state at a share of the kept time: 0 is the oldest, 1 the newest."""
        history = self.pane.history
        if len(history):
            first = history.at(history.first).sent
            self.go_to(history.number_at(first + history.seconds * share))

    def go_to(self, number: int) -> None:
        """Show the state of a number, or the oldest one; after the newest one it goes on."""
        history = self.pane.history
        if not len(history):
            return
        if number > history.last:
            self.go_on()
        else:
            self.stand(max(number, history.first), rewound=True)

    def stand(self, number: int, *, rewound: bool) -> None:
        """Stand still at a state of the history."""
        self.state.standing = number
        self.state.rewound = rewound
        self._offer(number)

    def go_on(self) -> None:
        """Show the newest state, and what comes."""
        self.state.standing = None
        self.state.rewound = False
        self._offer(self.pane.history.last)
        self.pane.went_on()

    def _offer(self, number: int) -> None:
        history, base = self.pane.history, self.state.base
        if len(history):
            shown = history.at(number)
            if base is None or shown.position != base.position:
                self.pane.offer(shown)
        self.say_time()
        self.pane.paint_soon()

    def say_time(self) -> None:
        """Bring the time line up to date."""
        line, standing = self._time_line, self.state.standing
        if standing is None:
            if line is not None:
                line.show(None)
            return
        from livetable.tui.widgets.time_line import Moment, TimeLine

        if line is None:  # not before it is needed: each widget makes the first row later
            self._time_line = TimeLine(self.hint)
            self.pane.mount(self._time_line, after=self.pane.query_one(".livetable--body"))
            self.pane.call_after_refresh(self.say_time)
            return
        history = self.pane.history
        oldest, newest = history.at(history.first), history.at(history.last)
        shown = self.state.base or newest  # which may be older than all that is kept
        line.show(
            Moment(
                at=shown.sent,
                wall=shown.sent + history.to_wall,
                first=oldest.sent,
                last=newest.sent,
                frame=max(standing - history.first, 0) + 1,
                frames=len(history),
                bytes=history.bytes,
                limit=history.budget.limit,
            )
        )
