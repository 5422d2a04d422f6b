"""livetable.feed.sources.streamed: text that comes in pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed import Publisher
from livetable.feed.errors import LivetableError
from livetable.feed.sources import delimited
from livetable.feed.sources.options import TextOptions
from livetable.feed.sources.streamed import Streamed

_COUNT = itertools.count()


class Sent:
    """What a text that comes in pieces makes of a table."""

    def __init__(self, **more: Any) -> None:
        self.options = TextOptions(**more)
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


@pytest.mark.parametrize(
    ("first", "then", "seen"),
    [
        ("1", "true", ["1", "true"]), ("true", "5", ["true", "5"]),
        ("1.5", "false", ["1.5", "false"]), ("1", '"1"', ["1", "1"]),
        ("true", '"true"', ["true", "true"]), ("1.5", '"NaN"', ["1.5", "NaN"]),
        ("9007199254740993", "1.5", ["9007199254740993", "1.5"]),
        ("9223372036854775808", "1.5", ["9223372036854775808", "1.5"]),
        ("9223372036854775808", '"1"', ["9223372036854775808", "1"]),
        ("[1]", "[true]", ["[1]", "[true]"]), ("[1]", '["1"]', ["[1]", '["1"]']),
        ('{"x": 1}', '{"x": true}', ['{"x": 1}', '{"x": true}']),
        ('{"x": 1}', '{"y": 1}', ['{"x": 1}', '{"y": 1}']), ('{"x": 1}', "{}", ['{"x": 1}', "{}"]),
        ("1", "1.5", [1.0, 1.5]), ("1.5", "1", [1.5, 1.0]), ("null", "true", [None, True]),
        ("1.5", "9007199254740993", ["1.5", "9007199254740993"]),
        ("[1]", "[1.5]", [[1.0], [1.5]]),
        ("9223372036854775808", "1", [Decimal(2**63), Decimal(1)]),
    ],
)  # fmt: skip
def test_no_value_of_a_later_line_becomes_another(
    sent: Any, first: str, then: str, seen: list[Any]
) -> None:
    one = sent()
    one.rows.add(f'{{"a": {first}}}\n'.encode())
    one.rows.add(f'{{"a": {then}}}\n'.encode())
    assert list(map(repr, one.table["a"])) == list(map(repr, seen))


def test_objects_with_nothing_in_them_are_rows_wherever_a_piece_ends(sent: Any) -> None:
    lines = [b"{}\n", b"{}\n", b'{"a": 1, "b": "x"}\n', b"{}\n", b'{"b": "y"}\n']
    whole, cut = sent(), sent()
    whole.rows.add(b"".join(lines))
    for line in lines:
        cut.rows.add(line)
    seen = {"a": [None, None, 1, None, None], "b": [None, None, "x", None, "y"]}
    assert whole.table == cut.table == seen


def test_half_a_character_is_shown_as_it_is_escaped(sent: Any) -> None:
    one = sent()
    one.rows.add(b'{"a": "\\ud800", "\\udfff": ["\\ud83d\\ude00"]}\n')
    assert one.table == {"a": ["\\ud800"], "\\udfff": [["\U0001f600"]]}


@pytest.mark.parametrize(
    ("kind", "value"),
    [(pa.int64(), "true"), (pa.bool_(), "5"), (pa.timestamp("us"), "1700000000"),
     (pa.int64(), "1.5"), (pa.float64(), "false")],
    ids=str,
)  # fmt: skip
def test_what_is_not_of_the_type_that_was_said_is_refused(
    sent: Any, kind: pa.DataType, value: str
) -> None:
    with pytest.raises(LivetableError, match="column 'a'"):
        sent(types={"a": kind}).rows.add(f'{{"a": {value}}}\n'.encode())


def test_what_is_of_the_type_that_was_said_is_taken(sent: Any) -> None:
    kinds = {"a": pa.int64(), "b": pa.float64(), "c": pa.string(), "d": pa.timestamp("us")}
    one = sent(types=kinds)
    one.rows.add(b'{"a": 2.0, "b": 1, "c": 501, "d": "2020-01-01"}\n{"a": 3, "c": true}\n')
    assert one.table == {
        "a": [2, 3], "b": [1.0, None], "c": ["501", "true"], "d": [datetime(2020, 1, 1), None],
    }  # fmt: skip


def test_rows_whose_text_is_let_go_keep_values_and_columns(
    sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "KEPT", 10)
    one = sent()
    one.rows.add(b'{"a": [1], "b": true, "c": 1.0, "d": 36893488147419103232}\n')
    one.rows.add(b'{"a": [2], "e": 1}\n')
    one.rows.add(b'{"a": "x", "b": 1, "c": "y", "d": "z"}\n')
    assert one.table == {
        "a": ["[1]", "[2]", "x"], "b": ["true", None, "1"], "c": ["1.0", None, "y"],
        "d": ["36893488147419103232", None, "z"], "e": [None, 1, None],
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("more", [{}, {"limit": 3}, {"key": "a"}], ids=str)
def test_rows_that_are_cut_are_the_same_read_again(
    sent: Any, monkeypatch: pytest.MonkeyPatch, encoding: str, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(delimited, "KEPT", 12)
    text = "a,b\n" + "".join(f"{n},{'é' if n < 110 else n}1\n" for n in range(100, 115))
    text += "".join(f"x{n},z\n" for n in range(115, 120))
    rows = [tuple(line.split(",")) for line in text.split()[1:]]
    data = text.encode(encoding)
    for size in (1, 2, 5, 7, 11):
        one = sent(**more)
        for at in range(0, len(data), size):
            one.rows.add(data[at : at + size])
        one.rows.finish()
        columns = one.table
        found = list(zip(columns["a"], columns["b"], strict=True))
        assert sorted(found) == rows[-3:] if "limit" in more else sorted(found) == rows


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
    with pytest.raises(LivetableError, match="no column 'id'"):
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
