"""livetable.feed.sources.httpdoor: slow and silent connections keep nobody out."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from livetable.feed.sources import http, httpdoor
from tests.feed.sources.asking import ROWS, asked


def test_slow_ones_keep_nobody_out(
    listen: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpdoor, "MOST", 20)
    url = listen()
    host, port = url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        slow = []
        for _ in range(100):
            one = stack.enter_context(socket.create_connection((host, int(port))))
            one.sendall(b"PUT /tables/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            slow.append(one)
        assert asked(url, "PUT", "/tables/t", ROWS)[0] == 201
        assert asked(url, "GET", "/tables/t") == (200, ROWS)
        slow[0].settimeout(10)
        with suppress(ConnectionError):
            assert slow[0].recv(100) == b""  # it has waited longest


def test_headers_and_bodies_have_their_time(
    listen: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpdoor, "HEADER_SECONDS", 0.2)
    monkeypatch.setattr(http, "BODY_SECONDS", -0.7)
    url = listen()
    host, port = url.removeprefix("http://").split(":")
    begun = b"PUT /tables/slow HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with socket.create_connection((host, int(port)), 10) as one:
        one.sendall(begun)
        with suppress(ConnectionError):
            assert one.recv(100) == b""
    with socket.create_connection((host, int(port)), 10) as one:
        one.sendall(begun + b"Content-Length: 9\r\n\r\n")
        assert b"408" in one.recv(1000)
