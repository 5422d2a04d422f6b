"""livetable: watch tables while they change. This is the API for programs.

Importing it is cheap: pandas, ZeroMQ and Textual are not loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livetable.feed import (
        BadKey,
        BadName,
        BodyError,
        NameTaken,
        NoFrame,
        RuntimeFolder,
        WireError,
    )
    from livetable.feed.client.subscriber import Subscriber
    from livetable.feed.client.tables import TableInfo, tables
    from livetable.feed.errors import BadEndpoint, BadFrame, LivetableError, PublisherClosed
    from livetable.feed.server.publisher import Publisher
    from livetable.tui.embed.live_table import LiveTable

    __version__: str

__all__ = [
    "BadEndpoint", "BadFrame", "BadKey", "BadName", "BodyError", "LiveTable", "LivetableError",
    "NameTaken", "NoFrame", "Publisher", "PublisherClosed", "RuntimeFolder", "Subscriber",
    "TableInfo", "WireError", "__version__", "tables",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("livetable")
    if name == "LiveTable":
        from livetable.tui.embed.live_table import LiveTable

        return LiveTable
    if name in __all__:
        from livetable import feed

        return getattr(feed, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
