"""tui.target: what a SOURCE on the command line means, and which mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from livetable.feed import Publisher
from livetable.feed.errors import BadEndpoint, BadName
from livetable.tui.target import BadSource, Target, parse_target


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (None, Target()),
        ("orders", Target(None, "orders")),
        ("tcp://h:1", Target("tcp://h:1")),
        ("tcp://h:1#a b", Target("tcp://h:1", "a b")),
        ("ipc:///x/y", Target("ipc:///x/y")),
        ("x.PARQUET", Target(None, "x.PARQUET", file=Path("x.PARQUET"))),
        ("/tmp/-x.csv.gz", Target(None, "x.csv.gz", file=Path("/tmp/-x.csv.gz"))),
        ("x.TAPE", Target(None, "x", tape=Path("x.TAPE"))),
        ("-", Target(None, "stdin", piped=True)),
    ],
)
def test_targets(source: str | None, target: Target) -> None:
    assert parse_target(source) == target
    assert target.title


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("ftp://x", BadSource),
        ("no-such-folder/*.csv", BadSource),
        ("tcp://x", BadEndpoint),
        ("tcp://", BadEndpoint),
        ("none/x.PARQUET", BadSource),
        ("a/b", BadName),
        ("tcp://h:1#a/b", BadName),
    ],
)
def test_no_targets(source: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_target(source)


def test_names_of_files_that_look_like_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("~.csv", "./~.csv", "~nobodyhere.csv"):
        Path(name).write_text("a\n1\n")
        target = parse_target(name)
        assert target.file is not None
        assert target.file.exists()
    with pytest.raises(BadSource, match="no folder"):
        parse_target("~nobodyhere/x.csv")
    Path("trail.csv ").write_text("a\n1\n")
    with pytest.raises(BadSource, match=r"must end in one of \.csv"):
        parse_target("./trail.csv ")
    for name in ("orders", "flights.csv.zip"):
        Path(name).write_text("")
    assert parse_target("orders").table == "orders"
    with pytest.raises(BadSource, match="Can't tell the format of"):  # nobody waits for ever
        parse_target("flights.csv.zip")
    with Publisher("flights.csv.zip"):
        assert parse_target("flights.csv.zip").table == "flights.csv.zip"
