"""tui.pane.feed: a tape's state, told when its player sets another."""

from __future__ import annotations

from livetable.tui.model.feed_state import FeedState, Link
from livetable.tui.pane.feed import Feed, TapeFeed


def test_what_the_player_sets_is_told() -> None:
    tape = TapeFeed(FeedState(name="x", link=Link.PLAYING))
    feed: Feed = tape
    feed.read_early()
    feed.run()
    feed.credit()
    assert (feed.name, feed.take().link) == ("x", Link.PLAYING)
    told: list[Link] = []
    tape.on_change = lambda: told.append(feed.take().link)
    tape.set(FeedState(name="x", link=Link.STOPPED))
    feed.stop()
    assert told == [Link.STOPPED]
