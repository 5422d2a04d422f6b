"""livetable.feed.sources.printed: what programs print for people becomes rows."""

from __future__ import annotations

from livetable.feed.sources.printed import read_printed


def test_lines_that_fit_no_column_are_told() -> None:
    table = read_printed("ID    NAME   SIZE\n1     ab     3\n22222222222222 x y\n2     cd     4\n")
    rows = [*table.rows, *([text] for _, text, _ in table.unreadable)]
    assert ["1", "ab", "3"] in rows
    assert ["2", "cd", "4"] in rows
    assert len(rows) == 3
