"""What workers post into the event loop."""

from __future__ import annotations

from textual.message import Message


class FeedNews(Message):
    """A feed has a newer state, which `Feed.take` returns. Posted once until it is taken."""

    bubble = False


class ListingChanged(Message):
    """The list of tables changed; `Lister.listing` returns it."""

    bubble = False


class ArrangedNews(Message):
    """A table was sorted and filtered; `Arranger.take` returns it."""

    bubble = False


class TerminalTook(Message):
    """The terminal answered, or took the last byte: it may be ready for a paint."""

    bubble = False
