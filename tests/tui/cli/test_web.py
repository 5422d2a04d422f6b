"""tui.cli.web: what a browser is shown, and who is let in."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from livetable.tui.cli.options import build_parser
from livetable.tui.cli.web import HOST, NotServed, _Door, command_for, serve
from livetable.tui.target import Target

web = pytest.importorskip("aiohttp.web")
TOKEN = "tökén"


@asynccontextmanager
async def served() -> AsyncIterator[Callable[..., Any]]:
    """Serve a page behind the door; give what asks for it, without cookies of its own."""
    from aiohttp import ClientSession, DummyCookieJar
    from aiohttp.test_utils import TestServer

    async def page(_: Any) -> Any:
        return web.Response(text="the table")

    door = _Door(TOKEN)
    app = web.Application(middlewares=[door.middleware()])
    app.router.add_get("/", page)
    async with (
        TestServer(app, host=HOST) as server,
        ClientSession(cookie_jar=DummyCookieJar()) as session,
    ):
        assert server.port is not None
        door.port = server.port

        async def ask(token: str | None = None, **headers: str) -> Any:
            params = {} if token is None else {"token": token}
            async with session.get(server.make_url("/"), params=params, headers=headers) as answer:
                return answer.status, await answer.text(), answer.cookies, answer.headers

        yield ask


async def test_who_brings_the_token_is_known_by_a_cookie_then() -> None:
    async with served() as ask:
        status, text, cookies, headers = await ask(TOKEN)
        assert (status, text) == (200, "the table")
        assert headers["Referrer-Policy"] == "no-referrer"
        ((name, cookie),) = cookies.items()
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        status, text, cookies, _ = await ask(Cookie=cookie.OutputString().partition(";")[0])
        assert (status, text) == (200, "the table")
        assert not cookies
        other = f"{name}0={cookie.value}"  # of another viewer's port
        assert (await ask(Cookie=other))[0] == 403


@pytest.mark.parametrize("token", [None, "", "token", TOKEN + " ", TOKEN[:-1]])
async def test_nobody_else_comes_in(token: str | None) -> None:
    async with served() as ask:
        status, text, cookies, _ = await ask(token)
        assert (status, text.count("\n"), dict(cookies)) == (403, 1, {})
        assert "the table" not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "[broken"},
    ],
    ids=str,
)
async def test_no_page_from_elsewhere_comes_in_though_it_has_the_token(
    headers: dict[str, str],
) -> None:
    async with served() as ask:
        assert (await ask(TOKEN, **headers))[0] == 403


@pytest.mark.parametrize(
    ("targets", "given", "shown"),
    [
        ([Target(None, "orders")], [], ["orders"]),
        ([Target()], [], []),
        ([Target("tcp://h:1")], [], ["tcp://h:1"]),
        ([Target("tcp://h:1", "a b"), Target(None, "x")], [], ["tcp://h:1#a b", "x"]),
        ([Target(None, "x", Path("/t/x.tape"))], [], ["/t/x.tape"]),
        (
            [Target("ipc:///s", "x", origin="/a/x.csv"), Target(None, "y")],
            ["--where", "v > 1"],
            ["--where=v > 1", "--origin=/a/x.csv", "--origin=", "ipc:///s#x", "y"],
        ),
    ],
    ids=str,
)
def test_a_browser_is_shown_the_same_tables(
    targets: list[Target], given: list[str], shown: list[str]
) -> None:
    command = command_for(targets, build_parser().parse_args(given))
    assert command[1:4] == ["-m", "livetable.tui", "--in-browser"]
    assert command[4:] == shown


def test_a_port_that_is_taken_is_told() -> None:
    pytest.importorskip("textual_serve")
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NotServed, match=rf"^Can't listen on port {port}: .*--web PORT$"):
            serve(["true"], "orders", port)
