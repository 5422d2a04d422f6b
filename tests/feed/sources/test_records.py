"""livetable.feed.sources.records: where records end, and their fields, as Python's csv has them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livetable.feed.sources.records import Records, separator_of, texts_of

TEXTS = st.text(st.sampled_from('ab,,"""\n\r'), max_size=24)


def ends(text: str) -> int:
    """Return where the last whole record of a text ends, character by character."""
    state, end, at = "start", 0, 0
    while at < len(text):
        one = text[at]
        if state == "quoted":
            if one == '"':
                if text[at + 1 : at + 2] == '"':
                    at += 1
                else:
                    state = "field"
        elif state == "start" and one == '"':
            state = "quoted"
        elif one in "\r\n":
            state, end = "start", at + 1
        else:
            state = "start" if one == "," else "field"
        at += 1
    return end


@given(TEXTS, st.lists(st.integers(0, 24), max_size=4))
@example('"""\n\r\r""\r""b"bb', [4, 7])
@example('",""\n', [1])
def test_records_end_where_no_quote_is_open(text: str, cuts: list[int]) -> None:
    records = Records(",")
    whole, start = b"", 0
    for cut in [*sorted(min(cut, len(text)) for cut in cuts), len(text)]:
        whole += records.add(text[start:cut].encode())
        start = cut
    assert whole.decode() == text[: ends(text)]
    assert whole + records.rest == text.encode()


@given(TEXTS)
def test_fields_are_those_of_csv(text: str) -> None:
    text += "\n"
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    arrays, bad = texts_of(text.encode(), 2, ",")
    found = list(zip(*(array.to_pylist() for array in arrays), strict=True))
    assert found == [tuple(row) for row in rows if len(row) == 2]
    assert len(bad) <= sum(len(row) != 2 for row in rows)


def test_bad_records_have_their_lines() -> None:
    _, bad = texts_of(b"1,2\n3\n4,5\n3\n\n6,7,8\n", 2, ",")
    assert [(one.line, one.text, one.fields) for one in bad] == [
        (1, "3", 1),
        (3, "3", 1),
        (5, "6,7,8", 3),
    ]


def test_a_quote_that_nothing_closes_is_text() -> None:
    records = Records(",")
    assert records.add(b'a,"open\n1,2\n3,"x"\n4') == b'a,"open\n1,2\n3,"x"\n' or records.rest
    records = Records(",")
    assert records.add(b'a,"open\n1,2\n') == b""
    assert records.open_quote == 2
    assert records.read_as_text() == b'a,"""open"\n1,2\n'
    assert records.open_quote is None


def test_long_text_with_many_quotes_is_looked_at_once() -> None:
    records = Records(",")
    piece = b'x,"a ""b"" c",1\n' * 1000
    assert records.add(b'in,5" wide\n' + piece) == b'in,5" wide\n' + piece
    records.add(b'y,"open\n')
    for _ in range(200):
        assert records.add(piece.replace(b'"', b"")) == b""


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        ([b"a,b", b"1,2"], ","), ([b"a;b", b"1,5;2"], ";"), ([b"a|b", b"1|2"], "|"),
        ([b"a\tb", b"1\t2"], "\t"), ([b"a"], ","), ([b'"a;b",c', b"1,2"], ","),
        ([b"a;b,c", b"1;2"], ";"), ([], ","),
    ],
)  # fmt: skip
def test_separators_are_found(lines: list[bytes], separator: str) -> None:
    assert separator_of(lines, ",") == separator
