"""The worker that arranges: the newest table and the newest wish in, the newest result out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livetable.tui.arrange import Arranged, Arrangement
    from livetable.tui.model import Table


class Arranger:
    """Arranges tables off the event loop. `run` blocks, in a thread of its own.

    It holds one newest table and one newest wish, never a queue: what came in between is skipped.

    Args:
        on_done: Called from the worker's thread when a result is there: once, until `take`.
    """

    def __init__(self, on_done: Callable[[], object]) -> None:
        self._on_done = on_done
        self._there = threading.Condition()
        self._wanted: tuple[Table, Arrangement] | None = None
        self._result: Arranged | None = None
        self._before: Arranged | None = None
        self._told = False
        self._stopped = False
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether what was asked for last is not done yet."""
        return self._busy

    def ask(self, table: Table, chosen: Arrangement) -> None:
        """Ask for a table to be arranged. Returns at once."""
        with self._there:
            self._wanted = table, chosen
            self._busy = True
            self._there.notify()

    def take(self) -> Arranged | None:
        """Return the newest result, None if it was taken; the next one will be told again."""
        with self._there:
            self._told = False
            result, self._result = self._result, None
            return result

    def stop(self) -> None:
        """End `run`. Returns at once."""
        with self._there:
            self._stopped = True
            self._there.notify()

    def run(self) -> None:
        """Arrange until `stop`."""
        from livetable.tui.arrange import Arranged, arrange

        while True:
            with self._there:
                self._there.wait_for(lambda: self._wanted is not None or self._stopped)
                if self._stopped or self._wanted is None:
                    return
                (table, chosen), self._wanted = self._wanted, None
            try:
                result = arrange(table, chosen, self._before)
            except Exception as error:  # a table that can't be arranged must not end the viewer
                said = f"this view can't be made: {error!r:.200}"
                result = Arranged(table.arranged(None), chosen, (said,))
            self._before = result
            with self._there:
                self._result = result
                self._busy = self._wanted is not None
                tell = not self._told and not self._stopped
                self._told = True
            if tell:
                with contextlib.suppress(RuntimeError):  # the event loop has just ended
                    self._on_done()
