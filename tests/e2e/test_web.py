"""`livetable --web` in a real browser: it shows, it moves, a key works, two are independent."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pyte
import pytest

from livetable.feed import Publisher
from tests.terminal import command_line, environment_for
from tests.waiting import wait_for, wait_until

aiohttp = pytest.importorskip("aiohttp")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def served(runtime_folder: Path) -> Iterator[Callable[..., str]]:
    """Start `livetable --web`; return its address."""
    processes = []

    def begin(*command: str) -> str:
        process = subprocess.Popen(
            command_line(("livetable", *command, "--web", "0")), stdin=subprocess.DEVNULL,
            env=environment_for(runtime_folder), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        return found[0]

    yield begin
    for process in processes:
        process.terminate()
        assert process.wait(10) == 0
        process.communicate()


class Page:
    """A page in a browser. What its terminal is sent is read by a reference terminal, too."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.screen = pyte.Screen(400, 100)
        self._stream = pyte.ByteStream(self.screen)
        self._reader = asyncio.ensure_future(self._read())

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result"))
            elif told["method"] == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                if frame["opcode"] == 2:
                    self._stream.feed(base64.b64decode(frame["payloadData"]))

    async def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        future = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        return await asyncio.wait_for(future, 60)

    async def press(self, key: str) -> None:
        await self.ask("Page.bringToFront")
        await self.ask("Emulation.setFocusEmulationEnabled", enabled=True)
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask(
                "Input.dispatchMouseEvent", type=kind, x=40, y=60, button="left", clickCount=1
            )
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" else {}
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, **text)

    async def picture(self) -> bytes:
        # Of a page behind another one a browser takes none, or late.
        await self.ask("Page.bringToFront")
        return base64.b64decode((await self.ask("Page.captureScreenshot"))["data"])

    async def calm_picture(self) -> bytes:
        """Return a picture once nothing moves any more: what a page begins with is animated."""
        for _ in range(100):
            before = await self.picture()
            await asyncio.sleep(0.3)
            if await self.picture() == before:
                return before
        raise AssertionError("the picture is never calm")

    async def until(self, condition: Callable[[], object]) -> None:
        await wait_until(condition, lambda: self.text)


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Callable[[str], Awaitable[Page]]]:
    """Start a browser; yield what opens pages in it."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
               "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        told = folder / "DevToolsActivePort"
        wait_for(lambda: told.exists() and len(told.read_text().splitlines()) > 1, 40)
        port = told.read_text().splitlines()[0]
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())

            async def open_page(url: str) -> Page:
                async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
                    where = (await answer.json(content_type=None))["webSocketDebuggerUrl"]
                page = Page(await stack.enter_async_context(
                    session.ws_connect(where, max_msg_size=0)
                ))  # fmt: skip
                await page.ask("Network.enable")
                await page.ask("Page.enable")
                await page.ask("Page.navigate", url=url)
                return page

            yield open_page
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")
@pytest.mark.timeout(180)
async def test_in_a_browser(served: Callable[..., str], tmp_path: Path) -> None:
    pytest.importorskip("textual_serve")
    with Publisher("orders", key="id") as orders:
        orders.send({"id": ["a", "b"], "price": [1.25, 2.5]})
        url = served("orders")
        async with browser(tmp_path) as open_page:
            one, two = await open_page(url), await open_page(url)
            await one.until(lambda: "1.25" in one.text)
            await two.until(lambda: "1.25" in two.text)
            before = await one.calm_picture()
            orders.upsert({"id": "b", "price": 73.5})
            await one.until(lambda: "73.5" in one.text)
            await two.until(lambda: "73.5" in two.text)

            async def painted() -> bool:
                return await one.picture() != before

            for _ in range(100):
                if await painted():
                    break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("the picture does not move")
            await one.press(" ")
            await one.until(lambda: "paused" in one.text)
            assert "paused" not in two.text
            orders.upsert({"id": "b", "price": 81.5})
            await two.until(lambda: "81.5" in two.text)
            assert "81.5" not in one.text


def test_nobody_comes_in_without_the_token(served: Callable[..., str]) -> None:
    pytest.importorskip("textual_serve")
    url = served("orders")
    base = url.partition("?")[0]

    def status(path: str, **headers: str) -> int:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(base + path, headers=headers)
            ) as one:
                return int(one.status)
        except urllib.error.HTTPError as error:
            return error.code

    token = url.partition("?")[2]
    port = re.findall(r":(\d+)/", url)[0]
    assert status("") == 403
    assert status("?token=x") == 403
    assert status("ws") == 403
    assert status("static/js/textual.js") == 403
    assert status(f"?{token}") == 200
    assert status("", Cookie=f"livetable-{port}={token.partition('=')[2]}") == 200
    assert status(f"?{token}", Origin="http://evil.example") == 403
    assert status(f"?{token}", Host="evil.example") == 403
