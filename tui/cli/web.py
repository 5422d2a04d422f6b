"""`livetable SOURCE --web`: the same screen in browsers, one viewer process per browser."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import os
import secrets
import shlex
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from livetable.feed.base.command_line import say_plainly
from livetable.feed.base.extras import need
from livetable.feed.errors import LivetableError
from livetable.tui.cli.options import for_browser
from livetable.tui.target import Target

if TYPE_CHECKING:
    from aiohttp import web

HOST: Final = "127.0.0.1"
"""The server listens on this machine only. From elsewhere, use `ssh -L`."""


class NotServed(LivetableError):
    """The port can't be used."""


def command_for(targets: Sequence[Target], options: argparse.Namespace) -> list[str]:
    """Return the command that shows the tables in one browser."""
    command = [sys.executable, "-m", "livetable.tui", "--in-browser", *for_browser(options)]
    if any(target.origin for target in targets):  # or views would be remembered by names alone
        command += [f"--origin={target.origin or ''}" for target in targets]
    for target in targets:
        where = target.tape or target.endpoint
        if where is None:
            sources = [target.table] if target.table is not None else []
        else:
            named = target.tape is None and target.table is not None
            sources = [f"{where}#{target.table}" if named else str(where)]
        command += [str(one) for one in sources]
    return command


def serve(command: Sequence[str], title: str, port: int) -> int:
    """Serve until a signal arrives; return the exit code.

    Args:
        command: Shows the tables; run once per browser.
        title: The page's title.
        port: The port to listen on; 0 for a free one.

    Raises:
        MissingExtra: textual-serve is not installed.
        NotServed: the port is taken.
    """
    need("textual_serve.server", "web", "--web")
    return asyncio.run(_serve(shlex.join(command), title, port))


async def _serve(command: str, title: str, port: int) -> int:
    from aiohttp import web
    from textual_serve.server import Server

    ended, code = asyncio.Event(), 0

    def end(number: int) -> None:
        nonlocal code
        code = 130 if number == signal.SIGINT else 0
        ended.set()

    class Quiet(Server):
        async def on_startup(self, app: web.Application) -> None:
            pass  # no banner: only the address is printed

    token = os.environ.get("LIVETABLE_TOKEN") or secrets.token_urlsafe(16)
    server = Quiet(command, HOST, port, title)
    app = await server._make_app()  # noqa: SLF001 - its public method also runs the app
    door = _Door(token)
    app.middlewares.append(door.middleware())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            why = error.strerror or error
            raise NotServed(
                f"Can't listen on port {port}: {why}. Choose another: --web PORT"
            ) from None
        door.port = runner.addresses[0][1]
        server.public_url = f"http://{HOST}:{door.port}"
        say_plainly(f"{title} is at {server.public_url}/?token={token}")
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(getattr(signal, name), end, getattr(signal, name))
        await ended.wait()
    finally:
        await runner.cleanup()
    return code


class _Door:
    """Admits browsers that bring the token: first in the address, then in a cookie.

    Args:
        token: The token.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self.port = 0

    @property
    def _cookie(self) -> str:
        return f"livetable-{self.port}"  # browsers share cookies between ports

    def middleware(self) -> Any:
        """Return the middleware for the server."""
        from aiohttp import web

        @web.middleware
        async def middle(request: web.Request, handler: Any) -> Any:
            given = request.query.get("token")
            known = self._fits(given) or self._fits(request.cookies.get(self._cookie))
            origin = request.headers.get("Origin")
            # Another site's page sends the cookie as well, but not this machine's host name.
            try:
                strange = origin is not None and urlsplit(origin).netloc != request.host
                strange = strange or urlsplit(f"//{request.host}").hostname not in _OWN
            except ValueError:
                strange = True
            if not known or strange:
                return web.Response(
                    status=403, text="livetable: open the whole printed address, with its token\n"
                )
            answer = await handler(request)
            if given is not None and not answer.prepared:
                answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
                answer.headers["Referrer-Policy"] = "no-referrer"
            return answer

        return middle

    def _fits(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(
            given.encode("utf-8", "replace"), self._token.encode()
        )


_OWN: Final = (HOST, "localhost")
