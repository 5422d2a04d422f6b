"""Where the states of a pane's table come from: a live feed, or a tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from livetable.tui.model.feed_state import FeedState


class Feed(Protocol):
    """Reads a table. The live feed is in `workers.feed`.

    Attributes:
        name: The table's name, as it was requested.
    """

    name: str

    def read_early(self) -> None:
        """Read what has arrived already. Called before `run`, so that the first paint shows it."""

    def run(self) -> None:
        """Read until `stop`. Blocks, so call it in a thread."""

    def take(self) -> FeedState:
        """Return the newest state."""

    def credit(self) -> None:
        """Tell the feed that the taken state was painted: it may send the next frame."""

    def stop(self) -> None:
        """End `run`. Returns at once."""


class TapeFeed:
    """The state of a tape's table, which its player sets.

    Args:
        state: The state before it plays.
    """

    def __init__(self, state: FeedState) -> None:
        self.name = state.name
        self.state = state
        self.on_change: Callable[[], object] = lambda: None
        """Called when the player has set another state."""

    def set(self, state: FeedState) -> None:
        """Set the state."""
        self.state = state
        self.on_change()

    def take(self) -> FeedState:
        """Return the state."""
        return self.state

    def read_early(self) -> None:
        """Do nothing: the player reads the tape."""

    def run(self) -> None:
        """Do nothing."""

    def credit(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""
