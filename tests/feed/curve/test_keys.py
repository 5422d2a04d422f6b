"""livetable.feed.curve.keys, doorkeeper, introducing: who may come in, and whom a viewer trusts."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
import zmq

from livetable.feed import Publisher, Subscriber
from livetable.feed.client.connection import Client
from livetable.feed.client.events import Barred
from livetable.feed.client.requests import News
from livetable.feed.curve import introduction, keys
from livetable.feed.errors import BadEndpoint, BadKey
from livetable.feed.server.bound_socket import KeyedSocket
from livetable.feed.server.process_hub import get_hub
from tests.waiting import wait_for

FRAME = pd.DataFrame({"id": [1, 2], "price": [1.5, 2.5]})


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    """Become somebody with a folder of settings of their own."""

    def become(name: str) -> Path:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / name))
        return tmp_path / name / "livetable"

    return become


@pytest.fixture
def feed(as_user: Callable[[str], Path]) -> Iterator[Publisher]:
    """Publish with keys, as `feed`; the test goes on as `viewer`."""
    as_user("feed")
    keys.keygen()
    with Publisher("orders", endpoint="tcp://127.0.0.1:0", secure=True) as orders:
        orders.send(FRAME)
        as_user("viewer")
        yield orders
        as_user("feed")  # the doorkeeper reads the folder of who is asked


def barred(endpoint: str, seconds: float = 10) -> str:
    client = Client(endpoint)
    client.ask("orders")
    try:
        for event in client.events(seconds):
            assert not isinstance(event, News)
            if isinstance(event, Barred):
                return event.reason
    finally:
        client.close()
        list(client.events())
    raise AssertionError("it was not barred")


def feed_key(as_user: Callable[[str], Path]) -> bytes:
    as_user("feed")
    pair = keys.own_pair()
    as_user("viewer")
    assert pair is not None
    return pair.public


def test_a_key_is_made_once_and_its_secret_half_is_closed(as_user: Callable[[str], Path]) -> None:
    folder = as_user("somebody")
    assert keys.own_pair() is None
    public = keys.keygen()
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    pair = keys.own_pair()
    assert pair is not None
    assert keys.read_key(public.read_text()) == pair.public
    assert repr(pair) == f"KeyPair('{keys.key_text(pair.public)}')"
    with pytest.raises(BadKey, match="there already"):
        keys.keygen()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_not_used(as_user: Callable[[str], Path], mode: int) -> None:
    folder = as_user("somebody")
    keys.keygen()
    (folder / "key").chmod(mode)
    with pytest.raises(BadKey, match="chmod 600"):
        keys.own_pair()
    with pytest.raises(BadKey, match="chmod 600"):
        Publisher("orders", endpoint="tcp://127.0.0.1:0", secure=True)


def test_files_that_others_can_write_are_not_believed(as_user: Callable[[str], Path]) -> None:
    folder = as_user("somebody")
    folder.mkdir(parents=True)
    for name in ("authorized_viewers", "known_feeds"):
        (folder / name).write_text("")
        (folder / name).chmod(0o622)
    with pytest.raises(BadKey, match="chmod go-w"):
        keys.authorized_viewers()
    with pytest.raises(BadKey, match="chmod go-w"):
        Client("tcp://127.0.0.1:5411")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_files_of_somebody_else_are_not_believed(as_user: Callable[[str], Path]) -> None:
    folder = as_user("somebody")
    keys.keygen()
    os.chown(folder / "key", 12345, 12345)
    with pytest.raises(BadKey, match="belongs to user 12345"):
        keys.own_pair()


@pytest.mark.parametrize("text", ["", "curve25519", "curve25519 abc", "a" * 44, "ssh-rsa AAAA"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadKey, match="is no key"):
        keys.read_key(text)


def test_lines_that_are_no_keys_are_passed_over(as_user: Callable[[str], Path]) -> None:
    folder = as_user("somebody")
    folder.mkdir(parents=True)
    one = keys.new_pair().public
    (folder / "authorized_viewers").write_text(
        f"# friends\n\n{keys.key_text(one)} me@there\ncurve25519 nonsense\n"
    )
    assert keys.authorized_viewers() == {one}


@pytest.mark.parametrize(
    ("endpoint", "only_here"),
    [
        ("tcp://127.0.0.1:1", True), ("tcp://127.8.8.8:1", True), ("tcp://localhost:1", True),
        ("tcp://[::1]:1", True), ("tcp://lo:1", True), ("tcp://*:1", False),
        ("tcp://0.0.0.0:1", False), ("tcp://[::]:1", False), ("tcp://eth0:1", False),
        ("tcp://127.0.0.1.example.com:1", False), ("tcp://10.0.0.1:1", False),
    ],
)  # fmt: skip
def test_what_others_can_connect_to_takes_a_key(
    endpoint: str, only_here: bool, as_user: Callable[[str], Path]
) -> None:
    as_user("somebody")
    assert keys.is_loopback(endpoint) is only_here
    if only_here:
        assert keys.pair_for(endpoint, None) is None
    else:
        with pytest.raises(BadEndpoint, match="livetable-feed keygen"):
            keys.pair_for(endpoint, None)
    assert keys.pair_for(endpoint, False) is None
    keys.keygen()
    assert keys.pair_for(endpoint, True) == keys.own_pair()
    assert keys.pair_for("ipc:///tmp/x", True) is None


def test_one_whose_key_is_known_comes_in_at_once(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    keys.keygen()
    mine = keys.own_pair()
    assert mine is not None
    shown = introduction.ask(feed.endpoint)
    assert shown == feed_key(as_user)
    keys.trust(feed.endpoint, shown)
    assert "does not know your key" in barred(feed.endpoint)
    with pytest.raises(BadKey, match="does not know your key"):
        Subscriber(f"{feed.endpoint}#orders").get(timeout=10)
    # The doorkeeper looks at the file at each handshake; here both are one process.
    folder = as_user("viewer")
    (folder / "authorized_viewers").write_text(keys.key_text(mine.public))
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert list(orders.get()["price"]) == [1.5, 2.5]


def test_a_key_that_is_taken_out_loses_its_connection(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    keys.keygen()
    mine = keys.own_pair()
    assert mine is not None
    keys.trust(feed.endpoint, feed_key(as_user))
    allowed = as_user("viewer") / "authorized_viewers"
    other = keys.key_text(keys.new_pair().public)
    allowed.write_text(f"{other}\n{keys.key_text(mine.public)}\n")
    client, told, came = Client(feed.endpoint), list[str](), 0.0
    client.ask("orders")
    try:
        for event in client.events(20):
            if isinstance(event, Barred):
                told.append(event.reason)
                break
            if isinstance(event, News) and event.body is not None:
                came = came or time.monotonic()
                allowed.write_text(f"{other}\n")
            if isinstance(event, News):
                client.ask("orders")
        assert came
        assert told
        assert time.monotonic() - came < 5
        assert "does not know your key" in told[0]
        # Who is let in again reads on, without another start of the feed.
        allowed.write_text(f"{keys.key_text(mine.public)}\n")
        feed.send(FRAME * 2)
        assert any(isinstance(one, News) and one.body for one in client.events(10))
    finally:
        client.close()
        list(client.events())


def be_its_own_viewer(feed: Publisher, as_user: Callable[[str], Path]) -> None:
    """Be the user whose feed it is, who knows its key."""
    as_user("feed")
    mine = keys.own_pair()
    assert mine is not None
    keys.trust(feed.endpoint, mine.public)


def test_who_is_still_let_in_stays_when_another_is_not(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    be_its_own_viewer(feed, as_user)
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert orders.get().shape == (2, 2)
        hub = get_hub()
        keyed = [one for one in hub.sockets if isinstance(one, KeyedSocket)]
        hub._mailbox.call(lambda: hub.sockets._to_renew.update(keyed))
        wait_for(lambda: not hub.sockets._to_renew)
        feed.send(FRAME * 3)
        assert orders.get()["id"].tolist() == [3, 6]


def test_ones_own_key_always_comes_in(feed: Publisher, as_user: Callable[[str], Path]) -> None:
    as_user("feed")
    shown = introduction.ask(feed.endpoint)
    assert shown is not None
    keys.trust(feed.endpoint, shown)
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert orders.get().shape == (2, 2)


def test_who_does_not_know_the_feed_is_told_how(feed: Publisher) -> None:
    assert "--feed-key" in barred(feed.endpoint)


def test_who_has_no_key_is_told_to_make_one(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    keys.trust(feed.endpoint, feed_key(as_user))
    assert "livetable-feed keygen" in barred(feed.endpoint)


def test_a_changed_key_is_a_loud_warning(feed: Publisher, as_user: Callable[[str], Path]) -> None:
    keys.trust(feed.endpoint, keys.new_pair().public)
    said = barred(feed.endpoint)
    assert "HAS CHANGED" in said
    assert keys.key_text(feed_key(as_user)) in said
    with pytest.raises(BadKey, match="HAS CHANGED"):
        keys.trust(feed.endpoint, feed_key(as_user))


def test_a_known_feed_that_drops_its_key_is_not_read(as_user: Callable[[str], Path]) -> None:
    as_user("viewer")
    with Publisher("orders", endpoint="tcp://127.0.0.1:0") as orders:
        orders.send(FRAME)
        keys.trust(orders.endpoint, keys.new_pair().public)
        assert "WARNING" in barred(orders.endpoint)


def test_one_endpoint_has_keys_or_has_not(feed: Publisher, as_user: Callable[[str], Path]) -> None:
    as_user("feed")
    with pytest.raises(BadEndpoint, match="is published with keys"):
        Publisher("others", endpoint=feed.endpoint)
    with Publisher("others", endpoint=feed.endpoint, secure=True) as others:
        assert others.endpoint == feed.endpoint


def test_plain_subscribers_hear_nothing(feed: Publisher) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context.socket(zmq.SUB) as one:
        one.subscribe(b"")
        one.connect(feed.endpoint)
        feed.send(FRAME)
        assert not one.poll(300)
    context.destroy(0)


def test_an_introducer_answers_questions_and_nothing_else(feed: Publisher) -> None:
    port = int(feed.endpoint.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(0.3)
        question = (b"livetable: whose key? " + b"n" * 16).ljust(128, b"\0")
        for wrong in (b"", question[:-1], question + b"\0", b"x" * 128, b"\0" * 60_000):
            one.sendto(wrong, ("127.0.0.1", port))
        with pytest.raises(TimeoutError):
            one.recv(1000)
        one.sendto(question, ("127.0.0.1", port))
        answer = one.recv(1000)
    assert answer.startswith(b"livetable: this key: " + b"n" * 16)
    assert len(answer) < len(question)
    assert introduction.ask("tcp://127.0.0.1:9") is None
    assert introduction.ask("tcp://no.such.host.invalid:9") is None


def test_connections_that_never_speak_are_closed_and_the_feed_goes_on(
    feed: Publisher, as_user: Callable[[str], Path]
) -> None:
    be_its_own_viewer(feed, as_user)
    port = int(feed.endpoint.rpartition(":")[2])
    process = psutil.Process()
    before = process.num_fds()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))  # both ends are here
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
    half = socket.create_connection(("127.0.0.1", port))
    half.send(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0CURVE")  # a greeting that never ends
    began = time.monotonic()
    with Subscriber(f"{feed.endpoint}#orders", timeout=10) as orders:
        assert orders.get().shape == (2, 2)
    assert time.monotonic() - began < 5
    wait_for(lambda: process.num_fds() <= before + 1001 + 20, 20, "the feed to close them")
    for one in (*silent, half):
        one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("between", ["\u2028", "\x0b", "\x0c", "\x85", "\x1c", "\r"])
def test_a_line_of_a_file_is_a_line_of_an_editor(
    between: str, as_user: Callable[[str], Path]
) -> None:
    folder = as_user("viewer")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    one, other = (keys.new_pair().public for _ in range(2))
    file = folder / "authorized_viewers"
    file.write_bytes(
        f"# old: {between}{keys.key_text(other)}\r\n{keys.key_text(one)} me\r\n".encode()
    )
    file.chmod(0o600)
    assert keys.authorized_viewers() == {one}


def test_known_feeds_as_people_write_them(as_user: Callable[[str], Path]) -> None:
    folder = as_user("viewer")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = keys.new_pair().public
    file = folder / "known_feeds"
    file.write_text(f"# mine\n  tcp://Server:5411\t{keys.key_text(key)}\n")
    file.chmod(0o600)
    assert keys.known_feed("tcp://server:5411") == key
    keys.check_plain("tcp://server:5412")
    with pytest.raises(BadKey, match="IS KNOWN BY A KEY"):
        keys.check_plain("tcp://server:5411")


def test_a_folder_that_others_can_write_to_is_refused(as_user: Callable[[str], Path]) -> None:
    folder = as_user("viewer")
    keys.keygen()
    assert keys.own_pair() is not None
    folder.chmod(0o777)
    with pytest.raises(BadKey, match="chmod go-w"):
        keys.own_pair()
    folder.chmod(0o700)


def test_a_user_without_a_home_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(user: object) -> None:
        raise KeyError(user)

    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert not keys.config_folder().exists()
    assert keys.config_folder().is_absolute()
