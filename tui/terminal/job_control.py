"""Ctrl-Z: finds out whether a shell can continue the job, and stops the process group."""

from __future__ import annotations

import os
import signal


def has_shell() -> bool:
    """Tell whether a shell could continue this process with ``fg`` after a stop.

    Not if it was started by a terminal, tmux, ``ssh -t`` or a container: its parent is then in
    another session, as for a process group that POSIX calls orphaned.
    """
    import psutil  # late: only at Ctrl-Z

    parent = os.getppid()
    while parent > 0:
        try:
            if os.getsid(parent) != os.getsid(0):
                return False
            if os.getpgid(parent) != os.getpgrp():
                return True
            # In the same process group, e.g. `uv run` or `sh -c`: look at its parent.
            parent = psutil.Process(parent).ppid()
        except (ProcessLookupError, psutil.NoSuchProcess):
            return False
        except (OSError, psutil.Error):  # no permission to look: assume there is one
            return True
    return False


def stop_group() -> None:
    """Stop the process group, including this process, until it is continued."""
    # With the default handler, so that the kernel stops all at once: our own handler could run
    # after a quick `fg`, and stop a process that the shell believes to be running.
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.killpg(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, handler)
