"""livetable.feed.sources.delimited: lines that come in pieces are shown, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.feed.sources import delimited
from livetable.feed.sources.delimited import Delimited
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.shown_table import ShownTable


class Read:
    """A text of one form, and the table that is made of it."""

    def __init__(self, form: str, number: int, **options: Any) -> None:
        given = TextOptions(**options)
        self.publisher = Publisher(f"delimited-{number}", key=given.key, limit=given.limit)
        self.reader = Delimited(form, given.sep, given, ShownTable(self.publisher, given.key))

    def add(self, *pieces: bytes, last: bool = False) -> dict[str, Any]:
        for piece in pieces:
            self.reader.add(piece, last=last)
        with pa.ipc.open_stream(pa.py_buffer(self.publisher.snapshot())) as stream:
            found: dict[str, Any] = stream.read_all().to_pydict()
            return found


@pytest.fixture
def text() -> Iterator[Callable[..., Read]]:
    made: list[Read] = []

    def make(form: str = "csv", **options: Any) -> Read:
        made.append(Read(form, len(made), **options))
        return made[-1]

    yield make
    for one in made:
        one.publisher.close()


def test_a_header_is_a_table_and_colours_are_no_text(text: Callable[..., Read]) -> None:
    one = text(sep=",")
    assert one.add(b"\x1b[1ma,b\x1b[0m\n") == {"a": [], "b": []}
    assert one.add(b"1,2\n") == {"a": [1], "b": [2]}


def test_rows_are_read_again_with_types_that_fit(text: Callable[..., Read]) -> None:
    one = text(sep=",")
    assert one.add(b"a\n007\n", b"1.50\n", b"x\n") == {"a": ["007", "1.50", "x"]}
    assert text("jsonl").add(b'{"a": 1}\n', b'{"a": "x"}\n') == {"a": ["1", "x"]}


@pytest.mark.parametrize(
    ("form", "pieces", "table"),
    [
        ("csv", [b"a,b\n1,2026-01-02\n", b"2,2026-01-03\n", b"x,y\n"],
         {"a": ["1", "2", "x"], "b": ["2026-01-02", "2026-01-03", "y"]}),
        ("csv", [b"a\n1\n", b"2\n", b"1.5\n"], {"a": [1.0, 2.0, 1.5]}),
        ("jsonl", [b'{"a": [1]}\n', b'{"b": 1}\n', b'{"a": "x"}\n'],
         {"a": ["[1]", None, "x"], "b": [None, 1, None]}),
    ],
)  # fmt: skip
def test_rows_whose_text_is_gone_get_the_types_of_those_behind(
    form: str, pieces: list[bytes], table: Any, text: Callable[..., Read],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(delimited, "KEPT", 6)
    assert text(form, sep="," if form == "csv" else None).add(*pieces) == table


def test_with_a_key_rows_whose_text_is_gone_keep_their_place(
    text: Callable[..., Read], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "KEPT", 6)
    one = text(sep=",", key="a")
    found = one.add(b"a,b\n1,5\n", b"2,6\n", b"1,7\n", b"3,x\n")
    assert sorted(zip(found["a"], found["b"], strict=True)) == [(1, "7"), (2, "6"), (3, "x")]


def test_of_a_limit_only_the_newest_text_is_kept(text: Callable[..., Read]) -> None:
    one = text(sep=",", limit=2)
    one.add(b"a\n", *(b"%d\n" % at for at in range(50)))
    assert len(one.reader._kept) <= 3
    assert one.add(b"x\n") == {"a": ["49", "x"]}


@pytest.mark.parametrize("then", [b"2,z\n", b"x,z\n"], ids=["fits", "other types"])
def test_a_quote_that_is_open_for_long_is_text(then: bytes, text: Callable[..., Read]) -> None:
    one = text(sep=",")
    one.reader.pause()  # nothing is open
    assert one.add(b"a,b\n1,y\n", b'3,"q\n' + then)["a"] == [1]
    one.reader.pause()
    found = one.add(b"")
    assert found["b"] == ["y", '"q', "z"]
    assert one.publisher._state.note == "a quote is never closed: it is shown as text"
