"""A crash: one sentence for the person, the traceback in a file."""

from __future__ import annotations

import os
import tempfile
import traceback

from livetable.feed.base.addresses import without_secrets
from livetable.feed.base.terminal_text import safe_str


def crash_sentence(error: BaseException, program: str = "livetable") -> str:
    """Return what to say of a crash, without secrets; saves its traceback.

    Args:
        error: The unexpected exception.
        program: What crashed.
    """
    what = f"{program} crashed: {type(error).__name__}: {safe_str(error)}"
    return f"{without_secrets(what)[:300]}. {save_traceback()}"


def save_traceback() -> str:
    """Save the traceback of the exception being handled; return a sentence that says where."""
    try:
        number, name = tempfile.mkstemp(prefix="livetable-", suffix=".txt")
        with os.fdopen(number, "w") as file:
            file.write(without_secrets(traceback.format_exc()))
    except OSError as error:
        return f"Can't save the traceback: {error}"
    return f"Traceback saved to {name}; please report it."
