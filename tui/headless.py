"""`livetable NAME --headless`: recorded, and watched for alerts, without a screen."""

from __future__ import annotations

import sys
from typing import Final

from livetable.feed.errors import LivetableError
from livetable.feed.harmless import harmless
from livetable.tui.alerts import Alarm, Alert, sentence_of
from livetable.tui.once import seen_enough
from livetable.tui.scripted import Reading
from livetable.tui.target import Target, ViewOptions

_COMMANDS_SECONDS: Final = 5.0


class NothingRecorded(LivetableError):
    """The recording stopped."""


def run(target: Target, options: ViewOptions) -> int:
    """Record a table, or tell when rows meet a condition, until a signal; return the exit code.

    Args:
        target: The table.
        options: What records it, which alerts there are, how long to wait for its first frame.

    Raises:
        NoTable: no table came in time.
        NothingRecorded: nothing can be written any more.
    """
    recorder = options.record
    reading = Reading(target, options.timeout, recorder)
    reading.end_by_signals()
    alarm = Alarm(options.alerts, target.title, options.alert_command)

    def tell(alert: Alert) -> None:
        try:
            print(sentence_of(alert), flush=True)
        except BrokenPipeError:  # nobody reads it any more
            seen_enough()
            if recorder is None and options.alert_command is None:
                reading.end()

    seen = said = None
    try:
        for state in reading:
            if recorder is not None and recorder.problem is not None:
                raise NothingRecorded(f"{recorder.path}: {recorder.problem}")
            if state.table is not None and state.table is not seen:
                reading.satisfied = True
                seen = state.table
                for alert in alarm.check(seen):
                    tell(alert)
            if alarm.problem is not None and alarm.problem != said:
                said = alarm.problem
                print(f"livetable: {harmless(said)}", file=sys.stderr)
    finally:
        alarm.close(_COMMANDS_SECONDS)
        if recorder is not None:
            print(
                f"livetable: {recorder.frames:,} frames, {recorder.size / 2**20:.1f} MB in "
                f"{recorder.path}",
                file=sys.stderr,
            )
    return reading.code
