"""livetable.feed.brokers.redis: what Redis keeps, to whom it is given, and why it refuses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livetable.feed.brokers import redis
from livetable.feed.brokers.broker import BrokerAway, BrokerError, pack
from livetable.feed.errors import BadEndpoint
from tests.brokers import Server, free_port, missing

pytestmark = pytest.mark.skipif(bool(missing("redis")), reason=missing("redis"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server("redis", tmp_path_factory.mktemp("redis"), "--requirepass", "w0rd")
    yield one
    one.kill()


@pytest.fixture
def endpoint(server: Server) -> str:
    return server.endpoint.replace("://", "://:w0rd@")


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_the_newest_frame_is_kept_and_given_before_what_comes(endpoint: str) -> None:
    broker, other = redis.connect(endpoint), redis.connect(endpoint)
    await broker.open()
    await other.open()
    try:
        for number in range(3):
            parts = [pack(b"head %d" % number, b"a\nb"), pack(b"part", b"c")]
            await broker.put("kept/köln", parts)
        await broker.introduce("kept/köln", b"about it")
        assert "kept/köln" in await other.names()
        assert await other.kept("kept/köln") == (b"about it", b"head 2")
        assert await other.kept("none") == (None, None)
        came: list[tuple[bytes, bool]] = []
        end = await other.follow("kept/köln", lambda part, live: came.append((part, live)))
        await until(lambda: len(came) == 2)
        assert came == [(b"head 2\na\nb", False), (b"part\nc", False)]
        await broker.put("kept/köln", [pack(b"head 3")])
        await until(lambda: len(came) == 3)
        assert came[-1] == (b"head 3\n", True)
        await end()
        await broker.put("kept/köln", [pack(b"head 4")])
        await broker.drop("kept/köln")
        assert "kept/köln" not in await other.names()
        assert await other.kept("kept/köln") == (None, None)
        assert len(came) == 3
    finally:
        await broker.close()
        await other.close()


async def test_a_cancellation_that_the_client_takes_for_its_own_ends_it_too(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = redis.connect(endpoint)
    await broker.open()
    made = broker._new

    def swallowing() -> Any:
        client = made()
        read = client.xread

        async def xread(*given: Any, **more: Any) -> Any:
            try:
                return await read(*given, **more)
            except asyncio.CancelledError:
                raise ConnectionError("closed") from None

        client.xread = xread
        return client

    monkeypatch.setattr(broker, "_new", swallowing)
    try:
        came: list[bytes] = []
        end = await broker.follow("ended", lambda part, live: came.append(part))
        await broker.put("ended", [b"one"])
        await until(lambda: came)
        await end()
        await until(lambda: not broker._tasks)
        await broker.put("ended", [b"two"])
        assert came == [b"one"]
    finally:
        await broker.close()


async def test_a_catalogue_is_heard_by_who_listens(endpoint: str) -> None:
    broker = redis.connect(endpoint)
    await broker.open()
    heard: list[bytes] = []
    try:
        await broker.say(b"nobody hears it")
        await broker.hear(heard.append)

        async def say_until_heard() -> None:
            async with asyncio.timeout(20):
                while not heard:
                    await broker.say(b"it lives")
                    await asyncio.sleep(0.01)

        await say_until_heard()
        assert set(heard) == {b"it lives"}
    finally:
        await broker.close()


async def test_an_entry_that_is_not_ours_stops_nobody(endpoint: str) -> None:
    broker = redis.connect(endpoint)
    await broker.open()
    try:
        await broker._client.xadd(f"{redis.FRAMES}odd", {"name": "value"})
        came: list[bytes] = []
        await broker.follow("odd", lambda part, live: came.append(part))
        await broker.put("odd", [b"ours"])
        await until(lambda: came)
        assert came == [b"ours"]
    finally:
        await broker.close()


@pytest.mark.parametrize("login", ["", ":wr0ng@", "ann:wr0ng@"])
async def test_who_is_not_let_in_is_told_without_the_password(server: Server, login: str) -> None:
    broker = redis.connect(server.endpoint.replace("://", f"://{login}"))
    with pytest.raises(BrokerError, match="refuses the login") as refused:
        await broker.open()
    assert "wr0ng" not in str(refused.value)
    assert not isinstance(refused.value, BrokerAway)


async def test_a_server_that_is_not_there_may_come() -> None:
    with pytest.raises(BrokerAway, match="refused"):
        await redis.connect(f"redis://127.0.0.1:{free_port()}").open()


async def test_one_that_goes_is_said_once(tmp_path: Path) -> None:
    server = Server("redis", tmp_path)
    broker, links = redis.connect(server.endpoint), list[bool]()
    broker.on_link = links.append
    try:
        await broker.open()
        await broker.put("t", [b"x"])
        server.kill()
        for _ in range(2):
            with pytest.raises(BrokerError) as error:
                await broker.put("t", [b"x"])
            assert server.endpoint in str(error.value)
            await broker.say(b"beat")  # that is for now: it raises nothing
        with pytest.raises(BrokerError):
            await broker.names()
        assert await broker.kept("t") == (None, None)
        assert links == [False]
        server.start()
        async with asyncio.timeout(20):
            while links == [False]:
                with contextlib.suppress(BrokerError):  # it is still loading what it kept
                    await broker.put("t", [b"x"])
        assert links == [False, True]
        assert await broker.names() == ["t"]  # it came back with its name, or was told it anew
    finally:
        await broker.close()
        server.kill()


def test_several_servers_are_none_of_rediss() -> None:
    with pytest.raises(BadEndpoint, match="Redis takes one server"):
        redis.connect("redis://a:1,b:2")
