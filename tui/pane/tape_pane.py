"""A tape in the place of a live table: it plays, at any speed, to and fro."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.table import Table
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.target import DEFAULTS, Target, ViewOptions
from livetable.tui.terminal.timer import later
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.query.arrange import Arrangement

SPEEDS = (0.25, 0.5, 1, 2, 5, 10, 30, 100, 300, 1000)
_GAP = 1 / 60


class TapePane(TablePane):
    """Shows a tape.

    Args:
        target: The tape.
        options: What else the command line asks of the view.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Play/stop", tooltip="Let the tape play, or stop it", id="pause"),
        *named(
            Binding("semicolon", "speed(-1)", "Slower", key_display=";", tooltip="A tape: slower"),
            Binding("apostrophe", "speed(1)", "Faster", key_display="'", tooltip="A tape: faster"),
            Binding("quotation_mark", "loop", "Loop", key_display='"', show=False,
                    tooltip="A tape: again and again"),
            Binding("exclamation_mark", "seek_moment", "Next moment", key_display="!",
                    tooltip="A tape: on to where a condition begins to be met"),
        ),
    ]  # fmt: skip
    time_hint = "space: play/stop"

    def __init__(self, target: Target, options: ViewOptions = DEFAULTS) -> None:
        super().__init__(target, options)
        assert target.tape is not None
        tape = TapeReader(target.tape)
        self.history = TapeHistory(Playback(tape))
        self._feed = FeedState(link=Link.PLAYING, name=tape.table or target.title)
        self.subscriber = _NoFeed(self._feed)  # type: ignore[assignment]
        self._speed = SPEEDS.index(1)
        self._playing = True
        self._loops = False
        self._from = (0.0, 0.0)  # where it played from: the tape's time, and when that was
        self._play_timer: asyncio.TimerHandle | None = None
        self._seeking = False

    @property
    def tape(self) -> TapeHistory:
        """The tape."""
        assert isinstance(self.history, TapeHistory)
        return self.history

    def _start(self) -> None:
        self._go_to(0)
        self._play()

    def end_work(self) -> None:
        """Stop, and close the tape. A second call does nothing."""
        self._playing = self._seeking = False
        if self._play_timer is not None:
            self._play_timer.cancel()
        super().end_work()
        self.tape.playback.close()

    @property
    def newest(self) -> Table | None:
        """The table that is shown: there is no newer one to wait for."""
        return self.base

    @property
    def waiting(self) -> int | None:
        """None: nothing waits."""
        return None

    def moment_named(self, text: str) -> float | None:
        """Return the moment that a text names: a time of the tape's last day, or back from here."""
        from livetable.tui.text.clock import read_moment

        playback = self.tape.playback
        return read_moment(text, playback.time(self.tape.last if ":" in text else self._now))

    # -- playing -----------------------------------------------------------------------------------

    def _play(self) -> None:
        self._playing, self._seeking = True, False
        at = self._now
        self._from = self.tape.moment(at), time.monotonic()
        self._say_speed()
        self._play_on()

    def _stop(self) -> None:
        self._playing = False
        if self._play_timer is not None:
            self._play_timer.cancel()
            self._play_timer = None
        self._say_speed()

    def _say_speed(self) -> None:
        speed = SPEEDS[self._speed]
        told = {0.25: "¼", 0.5: "½"}.get(speed, f"{speed:g}")
        how = f"×{told}" + (" in a loop" if self._loops else "")
        if self._seeking:
            how += "  looking for that moment …  Esc: stop"
        link = Link.PLAYING if self._playing else Link.STOPPED
        self._feed = replace(self._feed, link=link, note=how, table=self.base)
        # The same object: a table that is here already is no news.
        self.subscriber.state = self._feed  # type: ignore[attr-defined]
        if self.is_attached:
            self._show_trust()

    def _play_on(self) -> None:
        self._play_timer = None
        if not self._playing or not self.is_attached:
            return
        began, then = self._from
        due = began + (time.monotonic() - then) * SPEEDS[self._speed]
        number = max(self._now, self.tape.number_at(due))
        if number != self._now:
            super()._go_to(number)
        if number >= self.tape.last:
            if self._loops and self.tape.last:
                super()._go_to(0)
                self._play()
            else:
                self._stop()
            return
        wait = (self.tape.moment(number + 1) - due) / SPEEDS[self._speed]
        self._play_timer = later(self, max(_GAP, wait), self._play_on)

    def _go_to(self, number: int) -> None:
        super()._go_to(min(number, self.tape.last))
        self._from = self.tape.moment(self._now), time.monotonic()

    def _stand(self, number: int, *, rewound: bool) -> None:
        try:
            super()._stand(number, rewound=rewound)
            self._say_speed()
        except BadTape as error:
            self._stop()
            self.app.notify(harmless(str(error)), severity="error", timeout=10, markup=False)

    def action_pause(self) -> None:
        """Play, or stop; from the end again from the beginning."""
        if self._playing:
            self._stop()
            return
        if self._now >= self.tape.last:
            self._go_to(0)
        self._play()

    def action_step(self, frames: int) -> None:
        """Stop at the frame before or after."""
        self._seeking = False
        self._stop()
        self._go_to(max(0, self._now + frames))

    def action_speed(self, step: int) -> None:
        """Play slower or faster."""
        self._from = self.tape.moment(self._now), time.monotonic()
        self._speed = min(max(0, self._speed + step), len(SPEEDS) - 1)
        self._say_speed()
        if self._playing and self._play_timer is not None:
            self._play_timer.cancel()
            self._play_on()

    def action_loop(self) -> None:
        """Begin again at the end, or no longer."""
        self._loops = not self._loops
        self._say_speed()

    def action_back(self) -> None:
        """Look no further; close what is open; else leave the tape."""
        if self._seeking:
            self._seeking = False
            self._say_speed()
        elif self.has_panel:
            self.close_panels()
        elif not self.idle_actions:
            self.action_ungroup()
        else:
            self.post_message(self.Left(self))

    # -- the next moment ---------------------------------------------------------------------------

    def action_seek_moment(self) -> None:
        """Ask for a condition, and go on to the next moment when a row begins to meet it."""
        if self.base is None:
            return
        from livetable.tui.query.arrange import check_filter
        from livetable.tui.query.nodes import BadExpression
        from livetable.tui.widgets.prompt import Prompt

        base = self.base.undressed
        prompt = Prompt("play until: ", hint="a filter, e.g. price > 100", words=base.titles)

        def done(text: str | None) -> bool:
            if not text or not text.strip():
                return True
            try:
                check_filter(text, base.titles, base.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            self._seek(text)
            return True

        self.ask(prompt, done)

    def _seek(self, text: str) -> None:
        self._stop()
        self._seeking = True
        self._say_speed()
        first, tape = self._now, self.tape

        def found(number: int | None, sentence: str | None) -> None:
            if self._seeking and self.is_attached:
                self._seeking = False
                self._say_speed()
                if number is not None:
                    self._go_to(number)
                if sentence is not None:
                    self.app.notify(sentence, timeout=4, markup=False)

        def run() -> None:
            number, sentence = None, None
            try:
                number = moment_when(tape, text, first, lambda: self._seeking)
                if number is None:
                    sentence = f"up to the end of the tape no row begins to meet {text!r}"
            except Exception as error:
                sentence = harmless(f"this can't be looked for: {error!s:.200}")
            self.app.call_from_thread(found, number, sentence)

        self.run_worker(run, group="seek", thread=True, exclusive=True, exit_on_error=False)


def moment_when(
    tape: TapeHistory, text: str, first: int, goes_on: Callable[[], bool] = lambda: True
) -> int | None:
    """Return the next state after `first` in which rows begin to meet a filter; None if none does.

    Args:
        tape: The tape.
        text: The filter.
        first: The state to look from.
        goes_on: Tells whether to look further.
    """
    from livetable.tui.query.arrange import PLAIN, with_filter

    chosen = with_filter(PLAIN, text)
    met = _met(tape, first, chosen)
    for number in range(first + 1, len(tape)):
        if not goes_on():
            return None
        before, met = met, _met(tape, number, chosen)
        if met - before:
            return number
    return None


def _met(tape: TapeHistory, number: int, chosen: Arrangement) -> set[RowId]:
    """Return which rows meet a filter."""
    from livetable.tui.query.arrange import arrange
    from livetable.tui.query.nodes import BadExpression

    done = arrange(tape.at(number), chosen)
    if done.unapplied:  # else all rows would meet it
        raise BadExpression(done.unapplied[0][1])
    table = done.table
    return set(table.identities(0, table.rows))


class _NoFeed:
    """What stands where a live table has its subscriber."""

    def __init__(self, state: FeedState) -> None:
        self.state = state
        self.name = state.name

    def take(self) -> FeedState:
        """Return the state."""
        return self.state

    def credit(self) -> None:
        """Do nothing: nobody waits for it."""

    def stop(self) -> None:
        """Do nothing."""

    def run(self) -> None:
        """Do nothing."""
