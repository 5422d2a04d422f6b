"""livetable.feed.base.addresses: read as they are written, and shown without secrets."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed import Publisher
from livetable.feed.base.addresses import read_address, shown, shown_command, without_secrets
from livetable.feed.errors import BadEndpoint
from livetable.feed.local.endpoints import check_address

SECRET = "s3cretPW"


@pytest.mark.parametrize(
    ("address", "as_seen"),
    [
        ("nats://ann:s3cretPW@host:4222?replicas=3", "nats://ann:***@host:4222?replicas=3"),
        ("nats://s3cretPW@host", "nats://***@host"),
        ("nats://ann:s3cretPW@a,ann:s3cretPW@b:1", "nats://ann:***@a,ann:***@b:1"),
        ("redis://:s3cretPW@host/0", "redis://:***@host/0"),
        ("rediss://host/0?password=s3cretPW&db=2", "rediss://host/0?password=***&db=2"),
        ("nats://ann:x/s3cretPW#y@host", "nats://ann:***@host"),
        ("nats://ann:x@s3cretPW@host", "nats://ann:***@host"),
        ("nats://a:s3cretPW,s3cretPW@host", "nats://a:***@host"),
        ("http://host:1/rows?s3cretPW", "http://host:1/rows?***"),
        (
            "https://ann:s3cretPW@host/rows?token=s3cretPW#a",
            "https://ann:***@host/rows?token=***#a",
        ),
        ("tcp://ann:s3cretPW@host:1", "tcp://ann:***@host:1"),
        ("ipc:///run/x@y?z=1", "ipc:///run/x@y?z=1"),
        ("orders", "orders"),
    ],
)
def test_addresses_as_they_are_seen(address: str, as_seen: str) -> None:
    assert shown(address) == shown(as_seen) == as_seen
    assert without_secrets(f"({address!r}: no) {address}: no") == f"({as_seen!r}: no) {as_seen}: no"


@pytest.mark.parametrize(
    ("address", "as_seen"),
    [
        ("nats://ann:s3cretPW", "nats://ann:***"),  # the server was forgotten
        ("redis://:s3cretPW", "redis://:***"),
        ("nats://ann:s3 cret'PW@host:1", "nats://ann:***@host:1"),
        ("ann:s3cretPW@host:4222", "ann:***@host:4222"),  # the scheme was
        ("nats:/ann:s3cretPW@host", "nats:/ann:***@host"),
        ("//ann:s3cretPW@host", "//ann:***@host"),
        ("https://host/rows;token=s3cretPW", "https://host/rows;token=***"),
        ("https://host/rows#access_token=s3cretPW", "https://host/rows#access_token=***"),
        ("user=ann password=s3cretPW host=x", "user=ann password=*** host=x"),
        ("Authorization: Bearer s3cretPW", "Authorization: Bearer ***"),
        ("tcp://localhost:541x", "tcp://localhost:541x"),
        ("tcp://HOST:PORT", "tcp://HOST:PORT"),
        ("redis://host/0?password_file=/x", "redis://host/0?password_file=/x"),
        ("git@github.com:a/b", "git@github.com:a/b"),
        ("Authorization: Bearer WORD", "Authorization: Bearer WORD"),
    ],
)
def test_what_is_typed_amiss_in_a_sentence(address: str, as_seen: str) -> None:
    assert without_secrets(f"unknown: {address} (see --help)") == f"unknown: {as_seen} (see --help)"
    assert without_secrets(as_seen) == as_seen


def test_a_command_as_it_is_seen() -> None:
    command = [
        "curl", "-s", "-u", "ann:s3cretPW", "-H", "Authorization: Bearer s3cretPW", "--token",
        "s3cretPW", "--api-key=s3cretPW", "https://ann:s3cretPW@host/rows?key=s3cretPW",
    ]  # fmt: skip
    seen = shown_command(command)
    assert shown_command(seen) == seen
    assert " ".join(seen) == (
        "curl -s -u ann:*** -H Authorization: Bearer *** --token *** --api-key=*** "
        "https://ann:***@host/rows?key=***"
    )
    plain = ["kubectl", "get", "pods", "-u", "me", "--token", "-o", "wide", "a@b:1"]
    assert shown_command(plain) == plain


@given(st.text(min_size=1), st.sampled_from(["nats", "redis"]))
def test_any_password_is_read_when_it_is_percent_encoded(password: str, scheme: str) -> None:
    password = password.encode("utf-8", "replace").decode()
    address = f"{scheme}://ann:{quote(password, safe='')}@host:1"
    read = read_address(address)
    assert (read.user, read.password, read.servers) == ("ann", password, ("host:1",))
    assert shown(address) == f"{scheme}://ann:***@host:1"
    assert repr(password)[1:-1] not in repr(read) or len(password) < 5


@pytest.mark.parametrize(
    "address",
    [
        "nats://ann:s3cretPW", "nats://ann:x/s3cretPW@host", "nats://ann:x#s3cretPW@host",
        "redis://ann:s3cretPW?x@host", "nats://", "nats://host:99999", "nats://a:s3cretPW,b@host",
        "http://ann:s3cretPW@127.0.0.1:5000", "tcp://ann:s3cretPW@127.0.0.1:5000",
        "http://ann:s3cretPW@127.0.0.1:x",
    ],
)  # fmt: skip
def test_what_can_be_no_address_is_refused_without_its_secrets(address: str) -> None:
    with pytest.raises(BadEndpoint) as refused:
        check_address(address)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("slip", "seen"),
    [
        ("nats:ann:s3cr3t@h", "nats:***@h"),
        ("nats:/ann:s3cr3t@h:4222", "nats:***@h:4222"),
        ("nats//ann:s3cr3t@h", "***@h"),
        ("ann:s3/cr:3t@h", "ann:***@h"),
        ("ann:s3@cr3t@h", "ann:***@h"),
        ("some@file.csv", "some@file.csv"),
        ("127.0.0.1:5411", "127.0.0.1:5411"),
    ],
)
def test_a_slip_of_the_pen_shows_no_password(slip: str, seen: str) -> None:
    assert shown(slip) == seen
    with pytest.raises(BadEndpoint) as refused:
        Publisher("x", endpoint=slip)
    assert "s3" not in str(refused.value)
