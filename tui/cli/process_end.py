"""The end of the `livetable` process, without the interpreter's own tidying up."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from typing import NoReturn


def end_process(code: int) -> NoReturn:
    """End this process with an exit code, at once.

    Python takes all modules apart at its end, which takes 60 ms after Textual, NumPy and Arrow were
    loaded: the shell's prompt would come that much later, over SSH on top of the line's own time.
    What was registered with `atexit` runs, and what was printed is written.

    Args:
        code: The exit code.
    """
    others = [one for one in threading.enumerate() if one is not threading.main_thread()]
    if any(not one.daemon for one in others):
        raise SystemExit(code)  # the usual way waits for them: one may still write a file
    atexit._run_exitfuncs()  # noqa: SLF001 — no public call runs them without the rest
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed; that was told
            stream.flush()
    os._exit(code)
