"""An event that also wakes a thread that polls for input."""

from __future__ import annotations

import contextlib
import os
import threading


class Bell(threading.Event):
    """An event with a pipe: poll `listen` to be woken by `set`."""

    def __init__(self) -> None:
        super().__init__()
        self.listen, self._ring = os.pipe()
        os.set_blocking(self._ring, False)
        os.set_blocking(self.listen, False)

    def set(self) -> None:
        """Set the event and wake the thread."""
        super().set()
        with contextlib.suppress(OSError):
            os.write(self._ring, b"\0")

    def clear(self) -> None:
        """Clear the event."""
        with contextlib.suppress(OSError):
            os.read(self.listen, 64)
        super().clear()

    def close(self) -> None:
        """Close the pipe."""
        for end in (self.listen, self._ring):
            with contextlib.suppress(OSError):
                os.close(end)
