"""What this process is called in lists of tables."""

from __future__ import annotations

import os
import sys

from livetable.feed.protocol.table_info import TableInfo
from livetable.feed.server.table_state import TableState


def describe(table: TableState, now: float) -> TableInfo:
    """Return the line of a table of this process in the catalogue."""
    return table.info(now, os.getpid(), process_name())


def process_name() -> str:
    """Return what people call this process: its script or module, else its executable."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name).removesuffix(".__main__")[:256]
    name = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else ""
    return (name if name not in ("", "-", "-c") else os.path.basename(sys.executable))[:256]
