"""Which line of a program makes a Publisher: run again, it may have the name again."""

from __future__ import annotations

import os
import sys
from types import FrameType


def maker() -> tuple[str, bool]:
    """Return which line makes a Publisher, and whether that is one of an interactive session."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("livetable."):
        frame = frame.f_back
    if frame is None:
        return "?", False
    file = frame.f_code.co_filename
    name = os.path.basename(file)
    interactive = file in ("<stdin>", "<console>") or name.startswith(("<ipython", "<python-input"))
    interactive = interactive or "ipykernel" in file
    return f"{file}:{frame.f_lineno}", interactive


def is_made_again(older: tuple[str, bool], newer: tuple[str, bool]) -> bool:
    """Tell whether a Publisher is made by the line that made one before, or by a cell like it."""
    return (older[0] == newer[0] != "?") or (older[1] and newer[1])
