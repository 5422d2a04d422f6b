"""A bad line: what goes through it comes late, in pieces, and at times not at all."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time


class Line:
    """Listens on a port of its own and passes on to another.

    Args:
        port: Where to.
        seed: Of its moods.
        calm: Seconds between cuts, on average; None for no cut.
        delay: Most seconds that a piece is held.
    """

    def __init__(
        self, port: int, seed: int, *, calm: float | None = 0.7, delay: float = 0.02
    ) -> None:
        self._to = port
        self._random = random.Random(seed)
        self._calm = calm
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut everything."""
        self._open = False
        self._listener.close()

    def calm_down(self) -> None:
        """Cut nothing any more."""
        self._calm = None

    def _accept(self) -> None:
        while self._open:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to), timeout=2)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            calm = self._calm
            until = time.monotonic() + self._random.expovariate(1 / calm) if calm else None
            for one, other in ((near, far), (far, near)):
                threading.Thread(
                    target=self._pass_on, args=(one, other, until), daemon=True
                ).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, until: float | None) -> None:
        with contextlib.suppress(OSError):
            one.settimeout(0.1)  # the other direction may have closed it already
            while self._open and not (
                until is not None and self._calm is not None and time.monotonic() > until
            ):
                try:
                    data = one.recv(self._random.choice((100, 5000, 65536)))
                except TimeoutError:
                    continue
                if not data:
                    break
                time.sleep(self._random.random() * self._delay)
                other.sendall(data)
            else:
                self.cuts += 1
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
