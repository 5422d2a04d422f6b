"""livetable.feed.client.subscriber: a live table in Python."""

from __future__ import annotations

import asyncio
import threading
import time

import pandas as pd
import pytest

from livetable.feed import LivetableError, Publisher, Subscriber
from livetable.feed.errors import BadEndpoint, BadName, NoFrame
from tests.waiting import wait_for


def test_frames_one_after_the_other_until_the_end() -> None:
    with Publisher("orders", key="id") as orders, Subscriber("orders", timeout=20) as reader:
        orders.send(pd.DataFrame({"id": [1, 2], "x": [1.5, 2.5]}))
        assert reader.get()["x"].tolist() == [1.5, 2.5]
        orders.upsert({"id": 2, "x": 9.0})
        orders.delete(1)
        frame = reader.get()
        while len(frame) > 1:  # each change is a frame; they may come as one
            frame = reader.get()
        assert frame["x"].tolist() == [9.0]
        assert reader.header is not None
        assert reader.header.key == ("id",)
        with pytest.raises(TimeoutError, match="no new frame of 'orders'"):
            reader.get(timeout=0.05)
        orders.upsert({"id": 3, "x": 1.0})
        assert reader.get_arrow().column_names == ["id", "x"]
        orders.end()
        assert list(reader) == []
        with pytest.raises(NoFrame, match="has ended"):
            reader.get()


def test_the_newest_whatever_came_in_between() -> None:
    with Publisher("orders") as orders, Subscriber("orders", timeout=20) as reader:
        seen = []
        orders.send({"n": [0]})
        for frame in reader:
            seen.append(int(frame["n"][0]))
            if seen[-1] == 99:
                break
            for n in range(seen[-1] + 1, 100):
                orders.send({"n": [n]})
        assert seen[0] == 0
        assert seen[-1] == 99
        assert len(seen) < 20


def test_a_reader_that_takes_its_time_gets_the_newest() -> None:
    with Publisher("orders") as orders, Subscriber("orders", timeout=20) as reader:
        orders.send({"n": [0]})
        assert reader.get()["n"].tolist() == [0]
        for n in range(1, 50):
            orders.send({"n": [n]})
            time.sleep(0.002)
        wait_for(
            lambda: reader._newest is not None and "49" in str(reader._newest[1].values.whole(0))
        )
        assert reader.get()["n"].tolist() == [49]
        large = pd.DataFrame({"x": range(200_000)})
        orders.send(large)
        assert len(reader.get()) == 200_000
        orders.send(large.head(199_999))  # nobody waits for it
        orders.send(large.head(7))
        assert len(reader.get()) in (7, 199_999)


@pytest.mark.parametrize("ttl", [30 * 86_400.0, 1e9])
def test_rows_that_live_long_stop_no_other_table(ttl: float) -> None:
    with Publisher("old", key="id", ttl=ttl) as old, Publisher("other", key="id") as other:
        old.upsert({"id": 1, "v": 1})
        other.send({"id": [1], "v": [0]})
        with Subscriber("old", timeout=10) as first, Subscriber("other", timeout=10) as reader:
            assert first.get().shape == (1, 2)  # from here on it is known when its row ends
            for value in range(1, 4):
                other.upsert({"id": 1, "v": value})
                while reader.get()["v"].tolist() != [value]:  # it says so if nothing comes
                    pass


def test_a_feed_that_dies_is_waited_for() -> None:
    with Subscriber("orders", timeout=20) as reader:
        frames: list[int] = []
        worker = threading.Thread(target=lambda: frames.append(int(reader.get()["n"][0])))
        worker.start()
        time.sleep(0.05)  # it may be asked for before it is there
        with Publisher("orders") as orders:
            orders.send({"n": [1]})
            worker.join(20)
        assert frames == [1]
    with Publisher("b", endpoint="tcp://127.0.0.1:0") as other:
        other.send({"n": [7]})
        with Subscriber(f"{other.endpoint}#b", timeout=20) as reader:
            assert reader.get()["n"].tolist() == [7]


def test_close_ends_who_waits() -> None:
    reader = Subscriber("nobody")
    ended = threading.Event()

    def read() -> None:
        assert list(reader) == []
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    wait_for(lambda: reader._worker is not None)
    reader.close()
    assert ended.wait(10)


async def test_in_an_event_loop() -> None:
    with Publisher("orders") as orders, Subscriber("orders", timeout=20) as reader:
        orders.send({"n": [0]})
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        task = asyncio.create_task(beat())
        seen = []
        async for frame in reader:
            seen.append(int(frame["n"][0]))
            if seen[-1] == 5:
                orders.end()
            else:
                await asyncio.sleep(0.02)
                orders.send({"n": [seen[-1] + 1]})
        task.cancel()
        assert seen == [0, 1, 2, 3, 4, 5]
        assert beats > 5


def test_wrong_sources() -> None:
    with pytest.raises(LivetableError, match="add the table's name"):
        Subscriber("tcp://127.0.0.1:5411")
    with pytest.raises(BadEndpoint):
        Subscriber("http://127.0.0.1#x")
    with pytest.raises(BadName):
        Subscriber("a/b")


def test_the_latest_is_there_at_once_and_takes_nothing_away() -> None:
    with Publisher("orders") as orders, Subscriber("orders", timeout=10) as reader:
        seen = [reader.latest]
        for number in range(3):
            orders.send({"n": [number]})
        wait_for(lambda: (frame := reader.latest) is not None and list(frame["n"]) == [2])
        assert list(reader.get()["n"]) == [2]
        seen.append(reader.latest)
        assert [None if one is None else list(one["n"]) for one in seen] == [None, [2]]
        with pytest.raises(TimeoutError):
            reader.get(timeout=0.05)
        large = pd.DataFrame({"n": range(200_000)})  # comes only when it is asked for
        orders.send(large)
        wait_for(lambda: (frame := reader.latest) is not None and len(frame) == len(large))
        orders.send(large.assign(n=7))
        wait_for(lambda: (frame := reader.latest) is not None and frame["n"][0] == 7)


async def test_one_frame_in_an_event_loop() -> None:
    with Publisher("orders") as orders:
        orders.send({"n": [1]})
        async with Subscriber("orders", timeout=10) as reader:
            assert list((await reader.aget())["n"]) == [1]
            with pytest.raises(TimeoutError, match=r"within 0.05 s"):
                await reader.aget(timeout=0.05)
            waiting = asyncio.create_task(reader.aget())
            await asyncio.sleep(0)
            orders.send({"n": [2]})
            assert list((await waiting)["n"]) == [2]
        with pytest.raises(NoFrame):
            await reader.aget()
