"""livetable.feed.base.loop_errors: what goes wrong in other people's event loops."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from livetable.feed.base.loop_errors import finish, hush


def test_troubles_are_sentences_and_said_once(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    loop = asyncio.new_event_loop()
    hush(loop, "nats")

    async def fails() -> None:
        raise ConnectionError("the server is away")

    async def main() -> None:
        for _ in range(3):
            task = asyncio.ensure_future(fails())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            del task
            gc.collect()

    with caplog.at_level(logging.WARNING):
        loop.run_until_complete(main())
        finish(loop)
    assert [record.getMessage() for record in caplog.records] == ["nats: the server is away"]
    assert all(record.exc_info is None for record in caplog.records)
    assert capfd.readouterr().err == ""


def test_nothing_is_left_in_a_loop_that_is_closed(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(asyncio.sleep(1000)) for _ in range(3)]
    loop.run_until_complete(asyncio.sleep(0))
    finish(loop)
    assert all(task.cancelled() for task in tasks)
    del tasks
    gc.collect()
    assert caplog.records == []
    assert capfd.readouterr().err == ""
