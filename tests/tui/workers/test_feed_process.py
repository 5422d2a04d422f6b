"""tui.workers.feed_process: a feed of the viewer's own ends with it, and says why it can't be."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from livetable.feed.curve import keys
from livetable.feed.errors import BadKey
from livetable.tui.text import places
from livetable.tui.workers import feed_process
from livetable.tui.workers.feed_process import FeedProcess, NotReady, foreign_feed
from tests.waiting import wait_for


def sockets(runtime_folder: Path) -> list[str]:
    return [path.name for path in runtime_folder.rglob(".viewer-*")]


def test_it_serves_a_file_until_it_is_closed_and_leaves_nothing(
    tmp_path: Path, runtime_folder: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a\n1\n")
    with FeedProcess(str(path), "orders") as feed:
        assert feed.target.endpoint is not None
        assert feed.target.table == "orders"
        assert places.place(feed.target.endpoint) == "orders.csv"
        assert feed.awaits == "rows of orders.csv"
        wait_for(lambda: len(sockets(runtime_folder)) == 1)
        first = feed._process
        os.kill(first.pid, signal.SIGKILL)  # as what a stranger sent may have it
        wait_for(lambda: feed._process is not first)  # it is started again
        assert (feed.failure, feed.over) == (None, False)
        assert first.stdin is not None
        pipe = first.stdin
        wait_for(lambda: pipe.closed)
    assert feed._process.poll() is not None
    assert places.started(feed.target.endpoint) is None
    assert sockets(runtime_folder) == []
    feed.close()


def test_what_can_not_be_served_is_told_in_the_feeds_own_sentence(runtime_folder: Path) -> None:
    with pytest.raises(NotReady) as caught:
        FeedProcess("nats://127.0.0.1:1/x/y z", None, waits=True)
    said = str(caught.value)
    assert said
    assert "\n" not in said
    assert not said.startswith("livetable-feed:")
    assert ".viewer-" not in said


def test_who_listens_is_told_of_a_failure_once_and_at_once_if_it_is_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[int] = []
    read, write = os.pipe()
    with FeedProcess("-", "stdin", data=read) as feed:
        feed.listen(lambda: told.append(1))
        end = feed.listen(lambda: told.append(9))
        end()
        end()  # a second time does nothing
        os.kill(feed._process.pid, signal.SIGKILL)  # its pipe is gone with it
        wait_for(lambda: feed.failure)
        assert feed.failure == "The process that reads standard input was killed by signal 9"
        wait_for(lambda: told)
        assert feed.over
        feed.listen(lambda: told.append(2))
        assert told == [1, 2]
    os.close(write)


def test_a_folder_that_is_too_long_for_a_socket_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path("/tmp") / ("x" * 120)
    monkeypatch.setattr(feed_process, "own_folder", lambda: folder)
    monkeypatch.setattr(feed_process, "sweep", lambda: None)
    with pytest.raises(NotReady, match="Use a shorter XDG_RUNTIME_DIR"):
        FeedProcess("processes", "processes")


def test_a_feed_with_a_key_is_not_read_without_it() -> None:
    keys.trust("tcp://feed.example:5555", bytes(range(32)))
    with pytest.raises(BadKey):
        foreign_feed("tcp://feed.example:5555", ())


@pytest.mark.parametrize(
    ("source", "command", "title", "awaits"),
    [
        ("-", (), "standard input", "rows on standard input"),
        ("/a/b/orders.csv", (), "orders.csv", "rows of orders.csv"),
        ("/a/b/", (), "b", "rows of b"),
        ("/", (), "/", "rows of /"),
        ("processes", (), "processes", "the processes of this machine"),
        ("tcp://h:1", (), "tcp://h:1", "a frame from tcp://h:1"),
        ("command", ("/usr/bin/kubectl", "get", "pods"), "kubectl", "rows of kubectl"),
    ],
)
def test_what_a_feed_is_called(
    source: str, command: tuple[str, ...], title: str, awaits: str
) -> None:
    assert feed_process._title_of(source, command) == title
    assert feed_process._awaited(source, title) == awaits


def test_a_password_is_in_no_title() -> None:
    title = feed_process._title_of("nats://me:geheim@h:4222/x", ())
    assert "geheim" not in title
    assert title.startswith("nats://")


@pytest.fixture
def said() -> Callable[..., feed_process._Said]:
    def of(*lines: bytes) -> feed_process._Said:
        read, write = os.pipe()
        os.write(write, b"".join(lines))
        os.close(write)
        return feed_process._Said(os.fdopen(read, "rb"))

    return of


def test_what_a_process_says(said: Callable[..., feed_process._Said]) -> None:
    for lines, first, last in (
        ((b"ready\n", b"\n", b"  later \n"), "ready", "later"),
        ((), "", ""),
        ((b"\xff\xfe\n",), "\ufffd\ufffd", "\ufffd\ufffd"),
        ((b"no end",), "no end", "no end"),
    ):
        one = said(*lines)
        assert (one.first(20), one.last(), one.newest) == (first, last, last)
    endless = said(b"x" * 10_000)
    assert len(endless.first(20) or "") == feed_process._SAID_BYTES


def test_nobody_waits_for_a_line_that_does_not_come() -> None:
    read, write = os.pipe()
    one = feed_process._Said(os.fdopen(read, "rb"))
    assert one.first(0.01) is None
    os.close(write)
    assert one.first(20) == ""
