"""`python -m tests.fuzz.sockets --messages N`: damaged messages on each real socket.

A feed that lies to a viewer, viewers that lie to a feed, a publisher that lies to who reads it. At
the end each of them has to show a good table, and to tell what it passed over.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pandas as pd
import psutil
import zmq

from livetable.feed import Subscriber as Script
from livetable.feed.frames.capture import capture
from livetable.feed.frames.encoder import Encoder
from livetable.feed.protocol.messages import Header, Position
from livetable.tui.target import Target
from livetable.tui.workers.feed import FeedReader
from tests.fuzz import corpus
from tests.waiting import killed_after, wait_for

GOOD = pd.DataFrame({"id": [1, 2, 3], "price": [1.5, 2.5, 3.5]})

FEED = """
import sys, time
import pandas as pd
from livetable.feed import Publisher
feed = Publisher("orders", endpoint="tcp://127.0.0.1:0", listed=False)
print(feed.endpoint, flush=True)
turns = 0
while True:
    feed.send(pd.DataFrame({"id": [1, 2, 3], "turn": turns}))
    turns += 1
    time.sleep(0.01)
"""


def lying_feed(messages: int) -> str:
    """Answer a viewer's wants with damaged messages; return what the viewer came to."""
    chance = random.Random(1)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    feed = context.socket(zmq.XPUB)
    feed.setsockopt(zmq.LINGER, 0)
    port = feed.bind_to_random_port("tcp://127.0.0.1")
    body = bytes(Encoder()(capture(GOOD)).data)
    heads, bodies = corpus.headers(), corpus.bodies()
    viewer = FeedReader(Target(f"tcp://127.0.0.1:{port}", "orders"), lambda: None)
    worker = threading.Thread(target=viewer.run, daemon=True)
    worker.start()
    shown = 0

    def answer(want: dict[str, object], *, good: bool, seq: int) -> None:
        topic = str(want["topic"]).encode()
        at = Position("e", seq)
        number = int(str(want["want"]))
        head = Header("snapshot", "orders", number, at, rows=3, columns=2, size=len(body)).encode()
        message = [topic, head, body]
        if not good:
            how = chance.randrange(4)
            if how == 0:
                message[1] = corpus.damaged(head, chance.choice(heads), chance)
            elif how == 1:
                message[2] = corpus.damaged(body, chance.choice(bodies), chance)
                sized = Header("snapshot", "orders", number, at, size=len(message[2]), rows=3)
                message[1] = sized.encode()
            elif how == 2:
                message = [topic, chance.choice(heads), *[body] * chance.randrange(4)]
            else:
                del message[chance.randrange(1, 3)]
        feed.send_multipart(message)

    last: dict[str, object] | None = None
    sent = seq = 0
    before = psutil.Process().memory_info().rss
    while sent < messages + 1:
        if feed.poll(20):
            upstream = feed.recv()
            if upstream[:1] != b"{":
                continue
            last = json.loads(upstream)
        if last is None:
            continue
        # Several to one want: what nobody asked for comes, too.
        for _ in range(1 if sent == 0 else chance.choice((1, 1, 5, 20))):
            seq += 1
            answer(last, good=sent == 0, seq=seq)
            sent += 1
        state = viewer.take()
        shown += state.table is not None
        viewer.credit()
    assert shown > messages // 100, "the good table did not stay"
    assert viewer.take().table is not None
    skipped, problem = viewer.take().skipped, viewer.take().problem or ""
    assert skipped > messages // 100, skipped
    assert "\n" not in problem

    def is_good_again() -> bool:
        nonlocal seq
        viewer.credit()
        while feed.poll(100):
            upstream = feed.recv()
            if upstream[:1] == b"{":
                seq += 1
                answer(json.loads(upstream), good=True, seq=seq)
        now = viewer.take()
        return now.table is not None and now.table.rows == 3 and now.problem is None

    wait_for(is_good_again, 30, "a good table")
    grown = (psutil.Process().memory_info().rss - before) / 1e6
    viewer.stop()
    worker.join(5)
    feed.close()
    context.term()
    assert grown < 500, grown
    return (
        f"viewer: {skipped:,} passed over, table stayed, good one shown after; grown {grown:.0f} MB"
    )


def _process(*command: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return killed_after(
        subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    )


def lying_viewers(messages: int) -> str:
    """Send a feed damaged messages; return what it came to."""
    chance = random.Random(2)
    good = corpus.wants()
    with _process("-c", FEED) as feed, reader_of(feed) as (endpoint, reader):
        watched = psutil.Process(feed.pid)
        before = watched.memory_info().rss
        turn = int(reader.get()["turn"].iloc[0])
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        began = time.monotonic()
        liars = [context.socket(zmq.XSUB) for _ in range(8)]
        for liar in liars:
            liar.setsockopt(zmq.LINGER, 0)
            liar.connect(endpoint)
        for number in range(messages):
            data = corpus.damaged(chance.choice(good), chance.choice(good), chance)
            if chance.random() < 0.2:  # not damaged, but lies: topics and tables without end
                topic = b"@%032d" % number
                data = chance.choice(
                    (
                        b"\x01" + topic,
                        b"\x01" + topic * 9,
                        b'{"livetable":1,"want":1,"topic":"@%032d","table":"t%d"}'
                        % (number, number),
                    )
                )
            liars[number % 8].send_multipart([data] if chance.random() < 0.97 else [data, data])
            if number % 2000 == 0:
                reader.get()
        took = time.monotonic() - began
        newest = int(reader.get()["turn"].iloc[0])
        for liar in liars:
            liar.close()
        context.term()
        grown = (watched.memory_info().rss - before) / 1e6
        assert feed.poll() is None
        pace = (newest - turn) / took
        assert grown < 300, grown
        assert reader.get()["turn"].iloc[0] > newest
    return f"feed: went on at {pace:.0f} sends a second (100 asked); grown {grown:.0f} MB"


@contextmanager
def reader_of(feed: subprocess.Popen[str]) -> Iterator[tuple[str, Script]]:
    """Give a feed's endpoint, and a reader of its table."""
    assert feed.stdout is not None
    endpoint = feed.stdout.readline().strip()
    with Script(f"{endpoint}#orders", timeout=20) as reader:
        yield endpoint, reader


def lying_publisher(messages: int) -> str:
    """Publish damaged messages of all forms; return what the feed that reads them came to."""
    chance = random.Random(3)
    good = corpus.foreign() + corpus.pickles()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher = context.socket(zmq.PUSH)
    publisher.setsockopt(zmq.LINGER, 0)
    publisher.setsockopt(zmq.SNDHWM, 100)
    port = publisher.bind_to_random_port("tcp://127.0.0.1")
    command = (
        "-m",
        "livetable.feed",
        f"tcp://127.0.0.1:{port}",
        "--pull",
        "--name=orders",
        "--pickle",
    )
    with _process(*command) as feed, Script("orders", timeout=30) as reader:
        whole = GOOD.to_json(orient="records").encode()
        publisher.send(whole)
        assert reader.get().shape == (3, 2)
        before = psutil.Process(feed.pid).memory_info().rss
        for number in range(messages):
            data = corpus.damaged(chance.choice(good), chance.choice(good), chance)
            parts = (
                [data] if chance.random() < 0.8 else [corpus.damaged(b"topic", b"", chance), data]
            )
            publisher.send_multipart(parts)
            assert number % 1000 or feed.poll() is None, "the feed died"

        def is_good_again() -> bool:
            publisher.send(whole)
            return bool(reader.get().shape == (3, 2))

        wait_for(is_good_again, 60, "a good table")
        grown = (psutil.Process(feed.pid).memory_info().rss - before) / 1e6
        assert feed.poll() is None
        assert grown < 1000, grown
    publisher.close()
    context.term()
    return f"reader of others: lives, good table shown after; grown {grown:.0f} MB"


PARTS: dict[str, Callable[[int], str]] = {
    "downstream": lying_feed,
    "upstream": lying_viewers,
    "other publishers": lying_publisher,
}


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--messages", type=int, default=100_000, help="default: %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.environ["XDG_RUNTIME_DIR"] = os.environ["XDG_CONFIG_HOME"] = folder
        print("| messages | socket | what became of it |\n|---|---|---|")
        for name in options.parts or PARTS:
            print(
                f"| {options.messages:,} | {name} | {PARTS[name](options.messages)} |", flush=True
            )


if __name__ == "__main__":
    main()
