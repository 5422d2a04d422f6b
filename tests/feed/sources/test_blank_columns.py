"""livetable.feed.sources.blank_columns: columns between blanks, or below their headings."""

from __future__ import annotations

import pytest

from livetable.feed.sources.blank_columns import best_spans, by_blanks, is_wide


def table(text: str) -> tuple[list[str], list[list[str]]] | None:
    found = by_blanks([line.rstrip() for line in text.strip("\n").split("\n")], 1)
    return None if found is None else (found.names, found.rows)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("NAME    READY\nweb-1   1/1\ndb      0/1\n", ["NAME", "READY"],
         [["web-1", "1/1"], ["db", "0/1"]]),
        ("PID  COMMAND\n  1  init\n 20  vim my notes\n", ["PID", "COMMAND"],
         [["1", "init"], ["20", "vim my notes"]]),
        ("Local Address  Peer Address\n127.0.0.1:80   10.0.0.1:9\n0.0.0.0:22     10.0.0.2:8\n",
         ["Local Address", "Peer Address"],
         [["127.0.0.1:80", "10.0.0.1:9"], ["0.0.0.0:22", "10.0.0.2:8"]]),
        ("USER  PCPU WHAT\nada  0.00s vim x\nbob  0.10s top -d\n", ["USER", "PCPU", "WHAT"],
         [["ada", "0.00s", "vim x"], ["bob", "0.10s", "top -d"]]),
    ],
    ids=["by headings", "right-aligned", "two words", "two headings in one place"],
)  # fmt: skip
def test_columns_below_their_headings(text: str, names: list[str], rows: list[list[str]]) -> None:
    assert table(text) == (names, rows)


def test_rows_without_a_header_are_numbered() -> None:
    assert table("1  a\n2  b\n") == (["1", "2"], [["1", "a"], ["2", "b"]])


def test_a_header_without_rows_is_columns() -> None:
    assert table("CONTAINER ID   IMAGE   NAMES\n") == (["CONTAINER ID", "IMAGE", "NAMES"], [])
    assert table("just a line of text\n") is None
    assert table("Word\n") is None
    assert by_blanks([], 1) is None


@pytest.mark.parametrize(
    "text",
    [
        "total 12\nNAME  SIZE\na     1\nb     2\n",
        "---all---  ---sizes---\nNAME  SIZE\na     1\nb     2\n",
        "10:00:01 up 1 day,  1 user\nNAME  SIZE\na     1\nb     2\n",
    ],
    ids=["a sum", "groups", "a title"],
)
def test_a_title_above_the_header_is_left_out(text: str) -> None:
    assert table(text) == (["NAME", "SIZE"], [["a", "1"], ["b", "2"]])


def test_a_title_alone_is_no_table() -> None:
    assert table("total 12\nNAME  SIZE\n") is None


def test_a_line_that_fits_no_column_is_told() -> None:
    found = by_blanks(["ID    NAME", "1     ab", "22222222222", "2     cd"], 4)
    assert found is not None
    assert found.rows == [["1", "ab"], ["2", "cd"]]
    assert [(line.number, line.text) for line in found.unreadable] == [(6, "22222222222")]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Name Size\nalpha 1\nb 22\n", None),
        ("Name What\na long text here\nbb other\nccc 1\n",
         "1 lines have more values than the header: the last column has the rest"),
    ],
)  # fmt: skip
def test_words_are_columns_where_no_blanks_are_in_line(text: str, note: str | None) -> None:
    found = by_blanks(text.strip().split("\n"), 1)
    assert found is not None
    assert found.note == note
    assert found.names == text.split("\n")[0].split()


def test_lines_of_other_counts_than_the_header_are_told_or_no_table() -> None:
    found = by_blanks(["Name What More", "a long text here", "bb other things 5", "x"], 1)
    assert found is not None
    assert [line.reason for line in found.unreadable] == ["has 1 of 3 values"]
    assert by_blanks(["Name What More", "alpha", "bb", "longer words 2"], 1) is None


def test_lines_that_begin_with_a_name_have_a_column_for_it() -> None:
    assert table("CPU0 CPU1\n0: 10 7\nNMI: 1 22\n") == (
        ["", "CPU0", "CPU1"], [["0:", "10", "7"], ["NMI:", "1", "22"]]
    )  # fmt: skip


@pytest.mark.parametrize("text", ["this is a\nsentence of words\n", "Hello, world.\nIt goes on\n"])
def test_text_is_no_table(text: str) -> None:
    assert table(text) is None


@pytest.mark.parametrize(
    "lines",
    [
        ["名前  X", "a  b"],  # one character, two places
        ["one", "two"],
        ["AA  BB", "xxxxxxx"],
    ],
)
def test_lines_without_columns_of_blanks(lines: list[str]) -> None:
    assert best_spans(lines) is None


def test_wide_characters() -> None:
    assert is_wide("日本")
    assert is_wide("e\u0301")
    assert not is_wide("é ascii")
