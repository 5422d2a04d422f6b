"""Ctrl-Z: whether a shell is there for its `fg`, and how the whole group is stopped."""

from __future__ import annotations

import os
import signal


def has_shell() -> bool:
    """Tell whether somebody would have this process go on, once it was stopped: a shell's ``fg``.

    Not if it was started by a terminal, tmux, ``ssh -t`` or a container: as with the process groups
    that POSIX calls orphaned, the parent is of another session.
    """
    import psutil  # late: only at Ctrl-Z

    parent = os.getppid()
    while parent > 0:
        try:
            if os.getsid(parent) != os.getsid(0):
                return False
            if os.getpgid(parent) != os.getpgrp():
                return True
            # One between, such as `uv run` or `sh -c`: it is stopped with this one.
            parent = psutil.Process(parent).ppid()
        except (ProcessLookupError, psutil.NoSuchProcess):
            return False
        except (OSError, psutil.Error):  # it may not be looked at: not known
            return True
    return False


def stop_group() -> None:
    """Stop the process group, this process with it, until somebody has it go on."""
    # By the system, in the moment in which it stops the others: a handler of ours would run
    # behind a quick `fg`, and stop a process that the shell believes to run.
    handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.killpg(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, handler)
