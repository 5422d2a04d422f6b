"""What a `LiveTable` says of its feed: it has no status line of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from livetable.tui.model.feed_state import FeedState, Link


def not_current(state: FeedState, name: str, columns: Sequence[str] | None) -> Iterator[str]:
    """Yield why what is shown is not all that was asked for, or not current, a sentence each.

    Args:
        state: What is known of the feed.
        name: The table's name.
        columns: The columns that were asked for, None for all.
    """
    if state.table is None:
        return
    if state.link is Link.ENDED:
        yield f"■ ended: {state.note}" if state.note else "■ ended"
    elif state.link is not Link.LIVE:
        yield f"✕ gone: {name} does not answer"
    if columns is not None and (missing := state.table.missing(columns)):
        yield f"No column {', '.join(map(repr, missing))}"


def nothing_yet(state: FeedState) -> str:
    """Return what to say of a table that has not come yet."""
    return state.note or f"waiting for a table {state.name!r} …"
