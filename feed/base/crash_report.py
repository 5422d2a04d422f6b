"""A fault that nobody thought of: one sentence for the person, the rest in a file."""

from __future__ import annotations

import os
import tempfile
import traceback

from livetable.feed.base.addresses import without_secrets
from livetable.feed.base.terminal_text import safe_str


def told(error: BaseException) -> str:
    """Return a fault as one sentence."""
    return without_secrets(f"this should not happen: {type(error).__name__}: {safe_str(error)}")[
        :300
    ]


def kept() -> str:
    """Keep the traceback of the exception that is handled; say where."""
    try:
        number, name = tempfile.mkstemp(prefix="livetable-", suffix=".txt")
        with os.fdopen(number, "w") as file:
            file.write(without_secrets(traceback.format_exc()))
    except OSError as error:
        return f"where can't be kept: {error}"
    return f"where is in {name}"
