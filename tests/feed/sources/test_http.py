"""livetable.feed.sources.http: tables by HTTP, each request whole or not at all."""

from __future__ import annotations

import errno
import io
import threading
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from livetable.feed import LivetableError, Subscriber
from livetable.feed.errors import BadEndpoint
from livetable.feed.sources import http
from tests.feed.sources.asking import ROWS, asked, options
from tests.feed.sources.published import Published

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(listen: Callable[..., str]) -> Ask:
    """Return what asks a server for something."""
    url = listen()
    return lambda *request, **more: asked(url, *request, **more)


def deep_json(levels: int) -> bytes:
    return b'[{"a":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}]"


def test_a_table_is_replaced_added_to_and_removed(ask: Ask) -> None:
    assert ask("GET", "/tables") == (200, [])
    made = {"table": "t", "replaced": 2, "rows": 2}
    assert ask("PUT", "/tables/t?key=id", ROWS) == (201, made)
    with Subscriber("t", timeout=20) as viewer:
        assert viewer.get()["x"].tolist() == [1.5, 2.5]
        added = {"table": "t", "added": 2, "rows": 3}
        assert ask("POST", "/tables/t", [{"id": 2, "x": 9.0}, {"id": 3, "x": 3.0}]) == (200, added)
        assert viewer.get()["x"].tolist() == [1.5, 9.0, 3.0]
        assert ask("DELETE", "/tables/t", [1, 7]) == (200, {"table": "t", "removed": 1, "rows": 2})
        assert ask("GET", "/tables/t")[1] == [{"id": 2, "x": 9.0}, {"id": 3, "x": 3.0}]
        assert ask("GET", "/tables") == (
            200, [{"table": "t", "rows": 2, "columns": 2, "key": ["id"]}]
        )  # fmt: skip
        assert ask("DELETE", "/tables/t") == (200, {"table": "t", "removed": True})
        viewer.get()
        assert list(viewer) == []
    status, sentence = ask("GET", "/tables/t")
    assert (status, sentence) == (404, "no table 't'; tables: none yet")


def test_values_come_back_exactly(ask: Ask) -> None:
    rows = [{"id": 1, "p": 0.30000000000000004, "t": ["x"], "n": None}]
    assert ask("PUT", "/tables/t?key=id", rows)[0] == 201
    assert ask("GET", "/tables/t")[1] == rows
    assert ask("PUT", "/tables/t", []) == (200, {"table": "t", "replaced": 0, "rows": 0})
    assert ask("GET", "/tables/t")[1] == []
    assert ask("POST", "/tables/t", rows)[1]["rows"] == 1
    assert ask("PUT", "/tables/t", rows, Origin="http://[x")[0] == 400


def test_rows_without_a_key_are_added_and_the_newest_stay(ask: Ask) -> None:
    for start in (0, 2):
        ask("POST", "/tables/log?limit=3", [{"n": start}, {"n": start + 1}])
    assert ask("GET", "/tables/log")[1] == [{"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
def test_what_is_given_back_can_be_sent_again(ask: Ask, form: str) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2**53 + 1], "s": ["a", None], "t": pd.to_datetime(["2026-01-01"] * 2)}
    )
    out = io.BytesIO()
    frame.to_parquet(out)
    assert ask("PUT", "/tables/t", out.getvalue())[0] == 201
    _, body = ask("GET", f"/tables/t?format={form}")
    assert ask("PUT", "/tables/again", body)[0] == 201
    _, records = ask("GET", "/tables/again")
    assert [one["id"] for one in records] == [1, 2**53 + 1]
    assert ask("GET", "/tables/t?format=xml")[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status", "says"),
    [
        ("POST", "/tables/t", [{"x": 1.0}], None, 422, "key"),
        ("POST", "/tables/t", [{"id": 3, "x": "text"}], None, 422, "column 'x'"),
        ("POST", "/tables/t", [{"id": 3, "x": 1.0}, {"id": 3, "x": 2.0}], None, 422, "twice"),
        ("POST", "/tables/t", b"", None, 422, "the body is empty"),
        ("POST", "/tables/t", b"[1, 2", None, 422, "can't read a message"),
        ("POST", "/tables/t", b"\x80\x05K\x01.", None, 422, "can't read pickles"),
        ("PUT", "/tables/t", b"ARROW1\0\0" + b"x" * 99, None, 422, "can't read a message"),
        ("PUT", "/tables/t", b"\0" * 99, "text/csv", 422, "NUL bytes"),
        ("PUT", "/tables/t", [{"y": 1}], None, 422, "no column 'id'"),
        ("PUT", "/tables/t?key=x", ROWS, None, 409, "the table's key is id"),
        ("PUT", "/tables/t", b"x" * (2 << 20), None, 413, "larger than 1 MB"),
        ("PUT", "/tables/a%2Fb", ROWS, None, 400, "name"),
        ("PUT", "/tables/new?limit=x", ROWS, None, 400, "limit=x is not a number of rows"),
        ("PUT", "/tables/new?limit=0", ROWS, None, 400, "limit=0 is not a number of rows"),
        ("PUT", "/tables/new?key=id&ttl=inf", ROWS, None, 400, "ttl=inf is not a number"),
        ("PUT", "/tables/new?key=id&ttl=nan", ROWS, None, 400, "ttl=nan is not a number"),
        ("PUT", "/tables/new?key=id&ttl=1e999", ROWS, None, 400, "more than 0"),
        ("PUT", "/tables/new?key=id&ttl=-1", ROWS, None, 400, "more than 0"),
        ("PUT", "/tables/new?key=id&ttl=soon", ROWS, None, 400, "ttl=soon is not a number"),
        ("PUT", "/tables/t", deep_json(100), None, 422, "nested too deeply"),
        ("PUT", "/tables/t", deep_json(450), "application/json", 422, "nested too deeply"),
        ("POST", "/tables/t", deep_json(100)[1:-1], "application/x-ndjson", 422, "too deeply"),
        ("POST", "/tables/t", deep_json(20_000)[1:-1], "application/x-ndjson", 422, "too deeply"),
        ("DELETE", "/tables/t", b"[1", None, 400, "as JSON"),
        ("PATCH", "/tables/t", b"", None, 405, "; use "),
        ("GET", "/nothing", None, None, 404, "shows how"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_one_sentence_and_changes_nothing(
    ask: Ask, method: str, path: str, body: Any, kind: str | None, status: int, says: str
) -> None:
    ask("PUT", "/tables/t?key=id", ROWS)
    code, sentence = ask(method, path, body, kind)
    assert (code, says in sentence) == (status, True), sentence
    assert "\n" not in sentence
    assert ask("GET", "/tables/t")[1] == ROWS
    assert [one["table"] for one in ask("GET", "/tables")[1]] == ["t"]


def test_who_may_write(
    listen: Callable[..., str], ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    assert ask("PUT", "/tables/t", ROWS, Origin="http://evil.example")[0] == 403
    assert ask("PUT", "/tables/t", ROWS, Host="evil.example")[0] == 403
    monkeypatch.setenv("LIVETABLE_TOKEN", "word")
    url = listen()
    assert asked(url, "GET", "/tables")[0] == 401
    assert asked(url, "GET", "/tables", Authorization="Bearer wort")[0] == 401
    assert asked(url, "GET", "/tables", Authorization="Bearer word") == (200, [])
    monkeypatch.delenv("LIVETABLE_TOKEN")
    stop = threading.Event()
    for given, says in (
        (options("http://0.0.0.0:0"), "lets anybody on the network write"),
        (options(token_file=str(tmp_path / "none")), "No such file"),
        (options("http://127.0.0.1:" + url.rpartition(":")[2]), "can't listen at"),
        (options("http://127.0.0.1:99999"), "write it as"),
    ):
        with pytest.raises(LivetableError, match=says):
            http.run(given, Published(), stop)


def test_no_descriptors_are_waited_for_in_silence(
    listen: Callable[..., str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import asyncio

    accept = asyncio.SelectorEventLoop.sock_accept
    failures: list[Any] = []

    async def refused(loop: Any, one: Any) -> Any:
        if len(failures) < 5:
            failures.append(one)
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(loop, one)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_accept", refused)
    url = listen()
    assert asked(url, "PUT", "/tables/t", ROWS)[0] == 201
    assert caplog.records == []
    with pytest.raises(BadEndpoint, match="can't listen at"):
        http.run(options(url), Published(), threading.Event())
