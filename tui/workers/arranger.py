"""The worker that filters, sorts and groups: newest table and arrangement in, result out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from livetable.tui.model.table import Table
    from livetable.tui.query.arrange import Arranged, Arrangement


SMALL: Final = 50_000
"""Tables with at most this many cells are arranged on the event loop: 1 to 2 ms."""


class Arranger:
    """Arranges tables off the event loop. Call `run` in its own thread.

    It keeps only the newest table and arrangement, no queue: the ones in between are skipped.

    Args:
        on_done: Called from the worker's thread when there is a result; once until `take`.
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
        """Whether the last request is not done yet."""
        return self._busy

    def ask(self, table: Table, chosen: Arrangement) -> None:
        """Ask for a table to be arranged. Returns at once."""
        with self._there:
            self._wanted = table, chosen
            self._busy = True
            self._there.notify()

    def arrange_now(self, table: Table, chosen: Arrangement) -> Arranged | None:
        """Arrange a small table at once; None if it is large or the worker is busy.

        This is faster than handing it to another thread and back.
        """
        with self._there:
            if self._busy or table.frame_rows * len(table.titles) > SMALL:
                return None
            self._result = None  # it belongs to an older table
            result = self._before = _arranged(table, chosen, self._before)
            return result

    def take(self) -> Arranged | None:
        """Return the newest result, None if it was taken; `on_done` is called for the next one."""
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
        while True:
            with self._there:
                self._there.wait_for(lambda: self._wanted is not None or self._stopped)
                if self._stopped or self._wanted is None:
                    return
                (table, chosen), self._wanted = self._wanted, None
            result = _arranged(table, chosen, self._before)
            with self._there:
                self._before = result
                self._result = result
                self._busy = self._wanted is not None
                tell = not self._told and not self._stopped
                self._told = True
            if tell:
                with contextlib.suppress(RuntimeError):  # the event loop has just ended
                    self._on_done()


def _arranged(table: Table, chosen: Arrangement, before: Arranged | None) -> Arranged:
    from livetable.tui.query.arrange import Arranged, arrange

    try:
        return arrange(table, chosen, before)
    except Exception as error:  # whatever fails must not end the viewer
        said = f"Can't apply this view: {error!r:.200}"
        return Arranged(table.arranged(None), chosen, (said,))
