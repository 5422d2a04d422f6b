"""livetable.feed.sources.streamed: text that comes in pieces."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.feed.errors import LivetableError
from livetable.feed.sources.streamed import Streamed, form_of

_COUNT = itertools.count()


class Sent:
    """What a text that comes in pieces makes of a table."""

    def __init__(self, **more: Any) -> None:
        defaults: dict[str, Any] = {
            "sep": None, "encoding": None, "types": None, "key": None, "limit": None,
        }  # fmt: skip
        self.options = argparse.Namespace(**defaults | more)
        self.publisher = Publisher(
            f"stream {next(_COUNT)}", key=self.options.key, limit=self.options.limit
        )
        self.rows = Streamed(self.options, self.publisher)

    @property
    def table(self) -> dict[str, Any]:
        with pa.ipc.open_stream(pa.py_buffer(self.publisher.snapshot())) as stream:
            found: dict[str, Any] = stream.read_all().to_pydict()
            return found


@pytest.fixture
def sent() -> Iterator[Any]:
    made: list[Sent] = []

    def make(**more: Any) -> Sent:
        made.append(Sent(**more))
        return made[-1]

    yield make
    for one in made:
        one.publisher.close()


def test_types_of_a_later_piece_give_the_earlier_texts_back(sent: Any) -> None:
    one = sent()
    one.rows.add(b"a,b,c\n1.50,007,NA\n")
    assert one.table == {"a": [1.5], "b": ["007"], "c": ["NA"]}
    one.rows.add(b"x,8,3\n")
    assert one.table == {"a": ["1.50", "x"], "b": ["007", "8"], "c": [None, 3]}
    one.rows.add(b"y,9")
    assert one.rows.finish()
    assert len(one.table["a"]) == 2
    assert one.publisher._state._source.unreadable == 1


def test_a_limit_forgets_what_is_gone(sent: Any) -> None:
    one = sent(limit=2)
    for at in range(50):
        one.rows.add(b"a\n1\n" if not at else b"%d\n" % (at + 1))
    assert one.table == {"a": [49, 50]}
    one.rows.add(b"x\n")
    assert one.table == {"a": ["50", "x"]}


def test_keys(sent: Any) -> None:
    one = sent(key="id")
    one.rows.add(b"id,x\n1,5\n2,6\n1,7\n")
    one.rows.add(b"2,z\n")
    assert one.table == {"id": [1, 2], "x": ["7", "z"]} or one.table["x"] == ["z", "7"]
    with pytest.raises(LivetableError, match="there is no column 'id'"):
        sent(key="id").rows.add(b"a,b\n1,2\n")


def test_json(sent: Any) -> None:
    one = sent()
    one.rows.add(b'[{"a":1}]\n')
    assert one.table == {"a": [1]}
    one.rows.add(b'[{"a":2},{"a":3}]\n')
    assert one.table == {"a": [2, 3]}
    one = sent()
    one.rows.add(b'{\n  "a": [1,\n')
    one.rows.add(b"2]}\n")
    assert one.table == {"a": [1, 2]}
    one = sent()
    one.rows.add(b'{"a":1}\n{"a":2}\n')
    assert one.table == {"a": [1, 2]}
    one = sent()
    one.rows.add(b'[{"a":1},\n')
    with pytest.raises(LivetableError, match="is not JSON"):
        one.rows.finish()


def test_printed_rows_go_below_their_headings(sent: Any) -> None:
    one = sent()
    one.rows.add(b"NAME    READY   AGE\nweb-1   1/1     5d\n")
    one.rows.pause()
    one.rows.add(b"web-2           7h\nweb-1   0/1     5d\n")
    one.rows.pause()
    assert one.table == {
        "NAME": ["web-1", "web-2", "web-1"], "READY": ["1/1", None, "0/1"],
        "AGE": ["5d", "7h", "5d"],
    }  # fmt: skip
    one.rows.add(b"a b c d e f g\n")
    one.rows.pause()
    assert one.publisher._state._source.unreadable in (0, 1)


def test_a_header_waits_for_a_line(sent: Any) -> None:
    one = sent()
    one.rows.add(b"NAME    READY\n")
    one.rows.pause()
    one.rows.add(b"web-1   1/1\n")
    one.rows.pause()
    assert one.table == {"NAME": ["web-1"], "READY": ["1/1"]}
    one = sent()
    one.rows.add(b"Fri Nov 28 10:00:00 UTC\n")
    one.rows.pause()
    assert one.rows.finish()
    assert one.table == {"line": ["Fri Nov 28 10:00:00 UTC"]}


def test_a_screen_that_is_cleared_begins_anew(sent: Any) -> None:
    one = sent()
    for at in range(3):
        one.rows.add(b"\x1b[2J\x1b[HID   CPU\na    %d%%\nb    7%%\n" % at)
        one.rows.pause()
        assert one.table == {"ID": ["a", "b"], "CPU": [f"{at}%", "7%"]}
    one.rows.add(b"\x1b[2J\x1b[HID   CPU\nb    9%\n")
    one.rows.pause()
    assert one.table == {"ID": ["b"], "CPU": ["9%"]}


def test_a_header_that_comes_again_begins_anew(sent: Any) -> None:
    one = sent()
    screen = (
        "top - 10:00:0{0} up 1 day,  2 users,  load average: 0.1\nTasks: 2 total\n\n"
        "  PID USER     CPU COMMAND\n    1 root     0.{0} init\n    2 ada      1.0 vim x\n\n"
    )
    for at in range(3):
        one.rows.add(screen.format(at).encode())
        one.rows.pause()
        assert one.table["CPU"] == [at / 10, 1.0]
        assert one.table["COMMAND"] == ["init", "vim x"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"a,b\n1,2\n", "csv"), (b"a;b\n1;2\n", "csv"), (b"a\tb\n1\t2\n", "tsv"),
        (b'{"a":1}\n', "jsonl"), (b"[1]\n", "json"), (b"{\n", "json"), (b"word\nx\n", "csv"),
        (b"A   B\n1   2\n", "printed"), (b"4.0K\t./x\n", "printed"), (b"7\n8\n", "printed"),
        (b"+---+---+\n| a | b |\n", "printed"), (b"# TYPE x gauge\nx 1\n", "printed"),
        (b" 10:00 up 1 day,  1 user\nUSER  TTY\na  b\n", "printed"), (b"\x1b[1mA B\n", "printed"),
    ],
)  # fmt: skip
def test_forms_are_told_by_the_beginning(text: bytes, form: str) -> None:
    options = argparse.Namespace(sep=None, encoding=None)
    assert form_of(text, options, last=False)[0] == form
