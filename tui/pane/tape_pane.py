"""The pane of a tape."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader
from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.model.table import Table
from livetable.tui.model.tape_history import TapeHistory
from livetable.tui.pane.feature import bindings_of
from livetable.tui.pane.feature_pane import FEATURES
from livetable.tui.pane.feed import TapeFeed
from livetable.tui.pane.table_pane import PANE_BINDINGS, TablePane
from livetable.tui.pane.tape_player import TapePlayer
from livetable.tui.pane.time_travel import TimeTravel
from livetable.tui.target import DEFAULTS, Target, ViewOptions

_FEATURES = (TapePlayer if kind is TimeTravel else kind for kind in FEATURES)


class TapePane(TablePane, inherit_bindings=False):
    """Shows a tape.

    Args:
        target: The tape.
        options: The command line's other options.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*PANE_BINDINGS, *bindings_of(*_FEATURES)]

    def __init__(self, target: Target, options: ViewOptions = DEFAULTS) -> None:
        assert target.tape is not None
        reader = TapeReader(target.tape)
        tape = TapeHistory(Playback(reader))
        feed = TapeFeed(FeedState(link=Link.PLAYING, name=reader.table or target.title))
        player = partial(TapePlayer, tape=tape, feed=feed)
        super().__init__(target, options, feed=feed, history=tape, time=player)
        feed.on_change = self._take_state
        self._tape_feed = feed

    def _take_state(self) -> None:
        """Show the player's status. The player itself has already offered the table."""
        self._feed_state = self._tape_feed.state
        if self.is_attached:
            self._show_trust()

    def _start(self) -> None:
        player = self.time
        assert isinstance(player, TapePlayer)
        player.go_to(0)
        player.play()

    def back(self) -> bool:
        """Close what Esc closes. A search for a moment comes first."""
        return self.time.back() or super().back()

    @property
    def newest(self) -> Table | None:
        """The table that is shown: a tape has no newer one."""
        return self.state.base
