"""Play a tape: at any speed, in a loop, up to the moment when a condition is met."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.feed.tape.file import BadTape
from livetable.tui.model.feed_state import Link
from livetable.tui.model.row_keys import RowId
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane.feed import TapeFeed
from livetable.tui.pane.time_travel import TimeTravel
from livetable.tui.terminal.timer import later
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.query.arrange import Arrangement

SPEEDS = (0.25, 0.5, 1, 2, 5, 10, 30, 100, 300, 1000)
_GAP = 1 / 60


class TapePlayer(TimeTravel):
    """Travels through a tape instead of through what was kept of a feed.

    Args:
        pane: The pane that shows it.
        tape: The states of the tape.
        feed: Takes what there is to say: whether it plays, and how fast.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Play/stop", tooltip="Play or pause the tape", id="pause"),
        *(one for one in TimeTravel.BINDINGS if isinstance(one, Binding) and one.id != "pause"),
        *named(
            Binding("semicolon", "speed(-1)", "Slower", key_display=";", tooltip="A tape: slower"),
            Binding("apostrophe", "speed(1)", "Faster", key_display="'", tooltip="A tape: faster"),
            Binding("quotation_mark", "loop", "Loop", key_display='"', show=False,
                    tooltip="A tape: play in a loop"),
            Binding("exclamation_mark", "seek_moment", "Next moment", key_display="!",
                    tooltip="A tape: skip to where a condition is next met"),
        ),
    ]  # fmt: skip
    hint = "space: play/stop"

    def __init__(self, pane: FeaturePane, tape: TapeHistory, feed: TapeFeed) -> None:
        super().__init__(pane)
        self.tape = tape
        self._feed = feed
        self._speed = SPEEDS.index(1)
        self._is_playing = True
        self._loops = False
        self._played_from = (0.0, 0.0)
        """A moment of the tape, and when it was shown; both by the monotonic clock."""
        self._timer: asyncio.TimerHandle | None = None
        self._is_seeking = False

    def close(self) -> None:
        """Stop, and close the tape. A second call does nothing."""
        self._is_playing = self._is_seeking = False
        if self._timer is not None:
            self._timer.cancel()
        self.tape.playback.close()

    @property
    def waiting(self) -> int | None:
        """None: a tape has no newer frames to wait for."""
        return None

    def back(self) -> bool:
        """Search no further for a moment."""
        was_seeking, self._is_seeking = self._is_seeking, False
        if was_seeking:
            self._say_speed()
        return was_seeking

    def moment_of(self, text: str) -> float | None:
        """Return the moment that a text means: a time of the tape's last day, or back from here."""
        from livetable.tui.text.clock import read_moment

        playback = self.tape.playback
        return read_moment(text, playback.time(self.tape.last if ":" in text else self.number))

    # -- playing -----------------------------------------------------------------------------------

    def play(self) -> None:
        """Play from the state that is shown."""
        self._is_playing, self._is_seeking = True, False
        self._start_here()
        self._say_speed()
        self._play_on()

    def _start_here(self) -> None:
        self._played_from = self.tape.moment(self.number), time.monotonic()

    def _stop(self) -> None:
        self._is_playing = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._say_speed()

    def _say_speed(self) -> None:
        speed = SPEEDS[self._speed]
        factor = {0.25: "¼", 0.5: "½"}.get(speed, f"{speed:g}")
        note = f"×{factor}" + (" in a loop" if self._loops else "")
        if self._is_seeking:
            note += "  searching for that moment …  Esc: stop"
        link = Link.PLAYING if self._is_playing else Link.STOPPED
        self._feed.set(replace(self._feed.state, link=link, note=note, table=self.state.base))

    def _play_on(self) -> None:
        self._timer = None
        if not self._is_playing or not self.pane.is_attached:
            return
        moment, then = self._played_from
        due = moment + (time.monotonic() - then) * SPEEDS[self._speed]
        number = max(self.number, self.tape.number_at(due))
        if number != self.number:
            super().go_to(number)
        if number >= self.tape.last:
            if self._loops and self.tape.last:
                super().go_to(0)
                self.play()
            else:
                self._stop()
            return
        wait = (self.tape.moment(number + 1) - due) / SPEEDS[self._speed]
        self._timer = later(self.pane, max(_GAP, wait), self._play_on)

    def go_to(self, number: int) -> None:
        """Show the state of a number, or the nearest one; it plays on from there."""
        super().go_to(min(number, self.tape.last))
        self._start_here()

    def stand(self, number: int, *, rewound: bool) -> None:
        """Show a state; a damaged one stops the tape."""
        try:
            super().stand(number, rewound=rewound)
            self._say_speed()
        except BadTape as error:
            self._stop()
            says = harmless(str(error))
            self.pane.app.notify(says, severity="error", timeout=10, markup=False)

    # -- keys --------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        """Play, or stop; at the end, play from the beginning."""
        if self._is_playing:
            self._stop()
            return
        if self.number >= self.tape.last:
            self.go_to(0)
        self.play()

    def action_step(self, frames: int) -> None:
        """Stop at the frame before or after."""
        self._is_seeking = False
        self._stop()
        self.go_to(max(0, self.number + frames))

    def action_speed(self, step: int) -> None:
        """Play slower or faster."""
        self._start_here()
        self._speed = min(max(0, self._speed + step), len(SPEEDS) - 1)
        self._say_speed()
        if self._is_playing and self._timer is not None:
            self._timer.cancel()
            self._play_on()

    def action_loop(self) -> None:
        """Play again from the beginning at the end, or no longer."""
        self._loops = not self._loops
        self._say_speed()

    # -- the next moment ---------------------------------------------------------------------------

    def action_seek_moment(self) -> None:
        """Ask for a condition, and skip to the next moment at which a row begins to match it."""
        if self.state.base is None:
            return
        from livetable.tui.query.arrange import check_filter
        from livetable.tui.query.nodes import BadExpression
        from livetable.tui.widgets.prompt import Prompt

        base = self.state.base.undressed
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

        self.pane.ask(prompt, done)

    def _seek(self, text: str) -> None:
        self._stop()
        self._is_seeking = True
        self._say_speed()
        first, tape = self.number, self.tape

        def done(number: int | None, sentence: str | None) -> None:
            if self._is_seeking and self.pane.is_attached:
                self._is_seeking = False
                self._say_speed()
                if number is not None:
                    self.go_to(number)
                if sentence is not None:
                    self.say(sentence, 4.0)

        def run() -> None:
            number, sentence = None, None
            try:
                number = moment_when(tape, text, first, lambda: self._is_seeking)
                if number is None:
                    sentence = f"No row begins to match {text!r} before the end of the tape."
            except Exception as error:
                sentence = harmless(f"Can't search for this: {error!s:.200}")
            self.pane.app.call_from_thread(done, number, sentence)

        self.pane.run_worker(run, group="seek", thread=True, exclusive=True, exit_on_error=False)


def moment_when(
    tape: TapeHistory, text: str, first: int, goes_on: Callable[[], bool] = lambda: True
) -> int | None:
    """Return the next state after `first` in which rows begin to match a filter.

    Args:
        tape: The tape.
        text: The filter.
        first: The number of the state to search from.
        goes_on: Tells whether to search further.

    Returns:
        The number of the state, None if there is none.

    Raises:
        BadExpression: the filter does not fit a state of the tape.
    """
    from livetable.tui.query.arrange import PLAIN, with_filter

    chosen = with_filter(PLAIN, text)
    matching = _matching(tape, first, chosen)
    for number in range(first + 1, len(tape)):
        if not goes_on():
            return None
        before, matching = matching, _matching(tape, number, chosen)
        if matching - before:
            return number
    return None


def _matching(tape: TapeHistory, number: int, chosen: Arrangement) -> set[RowId]:
    """Return which rows match a filter."""
    from livetable.tui.query.arrange import arrange
    from livetable.tui.query.nodes import BadExpression

    done = arrange(tape.at(number), chosen)
    if done.unapplied:  # else all rows would match it
        raise BadExpression(done.unapplied[0][1])
    table = done.table
    return set(table.identities(0, table.rows))
