"""Real brokers on loopback, for tests: started, killed and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.waiting import wait_for

SERVERS = {"nats": "nats-server", "redis": "redis-server"}


def missing(kind: str) -> str:
    """Return why tests of a broker are skipped, empty if they need not be."""
    path = shutil.which(SERVERS[kind], path="/usr/sbin:/usr/bin:/usr/local/bin:/bin")
    return "" if path else f"there is no {SERVERS[kind]}: apt-get install {SERVERS[kind]}"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Server:
    """A broker.

    Args:
        kind: ``nats`` or ``redis``.
        folder: Where it keeps what it has.
        more: More of its command line.
        port: Its port; a free one if None.
        stream: Whether NATS has JetStream.
    """

    def __init__(
        self, kind: str, folder: Path, *more: str, port: int | None = None, stream: bool = True
    ) -> None:
        self.kind = kind
        self.port = port or free_port()
        self.endpoint = f"{kind}://127.0.0.1:{self.port}"
        folder.mkdir(exist_ok=True, parents=True)
        command = shutil.which(SERVERS[kind], path="/usr/sbin:/usr/bin:/usr/local/bin:/bin")
        assert command is not None
        port_text = str(self.port)
        if kind == "nats":
            options = ["-a", "127.0.0.1", "-p", port_text]
            options += ["-js", "-sd", str(folder)] if stream else []
        else:
            options = ["--bind", "127.0.0.1", "--port", port_text, "--dir", str(folder),
                       "--appendonly", "yes", "--save", ""]  # fmt: skip
        self._command = [command, *options, *more]
        self.start()

    def start(self, *, wait: bool = True) -> None:
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if wait:
            wait_for(self._answers, 20, "the broker")

    def _answers(self) -> bool:
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
