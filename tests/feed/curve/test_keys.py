"""livetable.feed.curve.keys: files of keys, and whom a viewer trusts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from livetable.feed import Publisher
from livetable.feed.client.connection import Client
from livetable.feed.curve import keys
from livetable.feed.errors import BadEndpoint, BadKey
from tests.feed.curve.viewers import FRAME, barred, feed_key


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
    with pytest.raises(BadKey, match="already exists"):
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
    with pytest.raises(BadKey, match="is not a key"):
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
    with pytest.raises(BadEndpoint, match=r"already publishes .* with keys"):
        Publisher("others", endpoint=feed.endpoint)
    with Publisher("others", endpoint=feed.endpoint, secure=True) as others:
        assert others.endpoint == feed.endpoint


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
    with pytest.raises(BadKey, match="HAS A KEY in known_feeds"):
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
