"""livetable.feed.sources.printed_forms: tabs, listings, rules, boxes and Prometheus' metrics."""

from __future__ import annotations

import pytest

from livetable.feed.sources.printed_forms import (
    read_box,
    read_listing,
    read_prometheus,
    read_ruled,
    read_tabbed,
)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("a\tb\n1\t x \n", ["a", "b"], [["1", "x"]]),
        ("4.0K\t./a\n8.0K\t./b\n", ["1", "2"], [["4.0K", "./a"], ["8.0K", "./b"]]),
    ],
    ids=["header", "values only"],
)
def test_tabs(text: str, names: list[str], rows: list[list[str]]) -> None:
    found = read_tabbed(text)
    assert found is not None
    assert (found.names, found.rows) == (names, rows)


@pytest.mark.parametrize("text", ["", "a b\nc d\n", "a\tb\nc\n"])
def test_what_has_not_the_same_tabs_is_no_table(text: str) -> None:
    assert read_tabbed(text) is None


def test_a_listing_has_names_with_blanks() -> None:
    lines = [
        "total 8",
        "-rw-r--r-- 1 ada staff  120 Nov 27 10:32 my notes.txt",
        "drwxr-xr-x  2 ada staff 4096 2026-11-27 10:32:00.1 +0100 src",
        "crw-rw---- 1 root tty 4, 64 11-27 10:32 ttyS0",
    ]
    found = read_listing(lines)
    assert found is not None
    assert [row[-1] for row in found.rows] == ["my notes.txt", "src", "ttyS0"]
    assert [row[4] for row in found.rows] == ["120", "4096", "4, 64"]
    assert found.rows[1][5] == "2026-11-27 10:32:00.1 +0100"


@pytest.mark.parametrize(
    "lines", [[], ["total 0"], ["a b"], ["-rw-r--r-- what is this"]], ids=range(4)
)
def test_what_is_no_listing(lines: list[str]) -> None:
    assert read_listing(lines) is None


def test_a_rule_says_where_columns_are() -> None:
    found = read_ruled(["Name  Size", "----- ----", "a b      1", "c        2", "x" * 9], 1)
    assert found is not None
    assert (found.names, found.rows) == (["Name", "Size"], [["a b", "1"], ["c", "2"]])
    assert [(line.number, line.text) for line in found.unreadable] == [(5, "x" * 9)]
    assert found.layout is not None
    assert found.layout.cut("d        3") == ["d", "3"]


@pytest.mark.parametrize(
    "lines",
    [
        [" id | name ", "----+------", "  1 | x|y  ", "  2 | z    ", "(2 rows)"],
        ["| id | name |", "|----|------|", "|  1 | x|y  |", "|  2 | z    |"],
    ],
    ids=["psql", "markdown"],
)
def test_a_rule_with_crossings_is_a_frame(lines: list[str]) -> None:
    found = read_ruled(lines, 1)
    assert found is not None
    assert (found.names, found.rows) == (["id", "name"], [["1", "x|y"], ["2", "z"]])
    assert found.unreadable == []


def test_a_line_that_does_not_fit_the_frame_is_told() -> None:
    found = read_ruled([" id | name", "----+-----", " 12345 | x", "  1 | y"], 3)
    assert found is not None
    assert found.rows == [["1", "y"]]
    assert [line.number for line in found.unreadable] == [5]


def test_packages_are_listed_below_runs_of_equals_signs() -> None:
    found = read_ruled(["||/ Name  Version", "+++-=====-=======", "ii  bash  5.2    "], 1)
    assert found is not None
    assert found.rows == [["ii", "bash", "5.2"]]


@pytest.mark.parametrize("lines", [["a", "b"], ["title", "-----", "text"]])
def test_a_rule_below_one_column_is_none(lines: list[str]) -> None:
    assert read_ruled(lines, 1) is None


BOX = ["+----+------+", "| id | name |", "+----+------+", "|  1 | a|b  |", "|  2 |      |"]


def test_a_box_is_cut_below_its_corners() -> None:
    found = read_box([*BOX, "+----+------+", "2 rows in set"])
    assert found is not None
    assert (found.names, found.rows) == (["id", "name"], [["1", "a|b"], ["2", ""]])


def test_a_box_of_wide_characters_is_cut_at_its_sides() -> None:
    found = read_box(
        ["┌────┬──────┐", "│ id │ name │", "├────┼──────┤", "│ 1  │ 日本 │", "└────┴──────┘"]
    )
    assert found is not None
    assert found.rows == [["1", "日本"]]


def test_a_border_that_is_narrower_than_its_rows_hides_no_column() -> None:
    found = read_box(
        ["+---+---+", "|title |", "| x | y | z |", "+---+---+", "| 1 | 2 | 3 |", "+---+---+"]
    )
    assert found is not None
    assert (found.names, found.rows) == (["x", "y", "z"], [["1", "2", "3"]])


@pytest.mark.parametrize(
    "lines",
    [
        BOX[:2],  # one border
        ["+----+", "+----+"],  # nothing inside
        ["+----+", "| id |", "+----+"],  # a word in a box
        [*BOX, "no side", "+----+------+"],
        [*BOX, "| 3 |", "+----+------+"],  # another number of cells
        ["+---+---+", "| a | b |", "| c | d |", "+---+---+", "| 1 | 2 |", "+---+---+"],
    ],
    ids=range(6),
)
def test_what_is_no_table_in_a_box(lines: list[str]) -> None:
    assert read_box(lines) is None


def test_metrics_are_a_row_a_sample() -> None:
    found = read_prometheus(
        "# HELP up whether it is\n# TYPE up gauge\n"
        'up{job="a",path="x\\"y\\\\z\\nw"} 1 1700000000\n\nup{job="b",} 0 # {trace="1"}\n'
    )
    assert found is not None
    assert found.names == ["metric", "job", "path", "value", "timestamp"]
    assert found.rows == [
        ["up", "a", 'x"y\\z\nw', "1", "1700000000"], ["up", "b", "", "0", ""]
    ]  # fmt: skip


def test_metrics_without_labels_or_times() -> None:
    found = read_prometheus("# TYPE a counter\na 1\nb NaN\n")
    assert found is not None
    assert (found.names, found.rows) == (["metric", "value"], [["a", "1"], ["b", "NaN"]])


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n", "load 1\nother 2\n", "# TYPE a gauge\nnot a sample\n", "# EOF\n",
        "# TYPE a gauge\na{b} 1\n",
    ],
)  # fmt: skip
def test_what_are_no_metrics(text: str) -> None:
    assert read_prometheus(text) is None
