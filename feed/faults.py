"""A fault that nobody thought of: one sentence for the person, the rest in a file."""

from __future__ import annotations

import os
import tempfile
import traceback

from livetable.feed.labels import safe_str


def told(error: BaseException) -> str:
    """Return a fault as one sentence."""
    return f"this should not happen: {type(error).__name__}: {safe_str(error)}"[:300]


def kept() -> str:
    """Keep the traceback of the exception that is handled; say where."""
    try:
        number, name = tempfile.mkstemp(prefix="livetable-", suffix=".txt")
        with os.fdopen(number, "w") as file:
            traceback.print_exc(file=file)
    except OSError as error:
        return f"where can't be kept: {error}"
    return f"where is in {name}"
