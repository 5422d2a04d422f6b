"""What workers post into the event loop."""

from __future__ import annotations

from textual.message import Message


class FeedNews(Message):
    """A feed's state changed; `FeedReader.take` has it. Says nothing itself: a burst is one."""

    bubble = False


class ListingChanged(Message):
    """The tables that can be opened changed; `Lister.listing` has them."""

    bubble = False


class ArrangedNews(Message):
    """A table was sorted and filtered; `Arranger.take` has it."""

    bubble = False


class TerminalTook(Message):
    """The terminal answered, or took the last byte: it may be ready for a paint."""

    bubble = False
