"""Where the states of a pane's table come from: a live feed, or a tape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from livetable.tui.model.feed_state import FeedState


class Feed(Protocol):
    """A table that is read. `workers.feed` has the live one.

    Attributes:
        name: The table's name, as it was asked for.
    """

    name: str

    def read_early(self) -> None:
        """Read, before `run`, what is here already: it is in the first paint then."""

    def run(self) -> None:
        """Read until `stop`. Blocks: it has a thread of its own."""

    def take(self) -> FeedState:
        """Return the newest state."""

    def credit(self) -> None:
        """Tell the feed that what was taken is painted: it may send what is newer."""

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
        """Called when the player set another state."""

    def set(self, state: FeedState) -> None:
        """Set the state."""
        self.state = state
        self.on_change()

    def take(self) -> FeedState:
        """Return the state."""
        return self.state

    def read_early(self) -> None:
        """Do nothing: the player reads."""

    def run(self) -> None:
        """Do nothing."""

    def credit(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""
