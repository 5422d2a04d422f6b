"""`livetable NAME --headless`: records a table and alerts, without a screen."""

from __future__ import annotations

import sys
from typing import Final

from livetable.feed.base.command_line import quieten, say
from livetable.feed.base.command_line import sentence_of as why
from livetable.feed.errors import LivetableError
from livetable.tui.batch.read_loop import Reading
from livetable.tui.target import Target, ViewOptions
from livetable.tui.workers.alerts import Alarm, Alert, sentence_of

_COMMANDS_SECONDS: Final = 5.0


class NothingRecorded(LivetableError):
    """The recording stopped: its file can't be written."""


def run(target: Target, options: ViewOptions) -> int:
    """Record a table and print alerts until a signal arrives; return the exit code.

    Args:
        target: The table.
        options: The recorder, the alerts, and how long to wait for the first frame.

    Raises:
        NoTable: it did not arrive in time.
        NothingRecorded: the tape can't be written any more.
    """
    # Long, as it is one loop with one way out.
    recorder = options.record
    reading = Reading(target, options.timeout, recorder, conditions=options.alerts)
    reading.end_by_signals()
    alarm = Alarm(options.alerts, target.title, options.alert_command)

    is_printing = True

    def print_alert(alert: Alert) -> None:
        nonlocal is_printing
        if not is_printing:
            return
        encoding = sys.stdout.encoding
        try:
            line = sentence_of(alert).encode(encoding, "backslashreplace").decode(encoding)
            print(line, flush=True)
        except OSError as error:  # the reader is gone, or the disk is full
            is_printing = False
            quieten()
            if recorder is None and options.alert_command is None:
                if not isinstance(error, BrokenPipeError):
                    raise
                reading.end()
            elif not isinstance(error, BrokenPipeError):
                say("livetable", why(error))

    seen = said = None
    try:
        for state in reading:
            if recorder is not None and recorder.problem is not None:
                raise NothingRecorded(f"{recorder.path}: {recorder.problem}")
            if state.table is not None and state.table is not seen:
                reading.satisfied = True
                seen = state.table
                for alert in alarm.check(seen):
                    print_alert(alert)
            if alarm.problem is not None and alarm.problem != said:
                said = alarm.problem
                say("livetable", said)
    finally:
        alarm.close(_COMMANDS_SECONDS)
        if recorder is not None:
            size = f"{recorder.frames:,} frames, {recorder.size / 2**20:.1f} MB"
            say("livetable", f"Recorded {size} to {recorder.path}")
    return reading.code
