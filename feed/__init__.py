"""livetable.feed: publish live tables, and read them. Never imports Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livetable.feed.client.subscriber import Subscriber
    from livetable.feed.client.tables import TableInfo, tables
    from livetable.feed.errors import (
        BadEndpoint,
        BadFrame,
        BadKey,
        BadName,
        BodyError,
        LivetableError,
        NameTaken,
        NoFrame,
        PublisherClosed,
        RuntimeFolder,
        WireError,
    )
    from livetable.feed.server.publisher import Publisher

__all__ = [
    "BadEndpoint", "BadFrame", "BadKey", "BadName", "BodyError", "LivetableError", "NameTaken",
    "NoFrame", "Publisher", "PublisherClosed", "RuntimeFolder", "Subscriber", "TableInfo",
    "WireError", "tables",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # Late, so that a viewer that needs only the protocol does not load the rest.
    if name == "Publisher":
        from livetable.feed.server.publisher import Publisher

        return Publisher
    if name == "Subscriber":
        from livetable.feed.client.subscriber import Subscriber

        return Subscriber
    if name in ("TableInfo", "tables"):
        from livetable.feed.client import tables as of_tables

        return getattr(of_tables, name)
    if name in __all__:
        from livetable.feed import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
