"""tui.cli.checks: single values of options, read or refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livetable.tui.cli.checks import (
    check_condition,
    option_of,
    read_column_names,
    read_filters,
    read_moment_of,
    read_sort_keys,
    refuse,
    view_file_of,
)


def refusal(act: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the sentence that a value is refused with."""
    with pytest.raises(SystemExit) as ended:
        act()
    assert ended.value.code == 2
    return capsys.readouterr().err.removeprefix("livetable: ").rstrip("\n")


def test_options_that_were_not_given() -> None:
    assert read_column_names(None) is None
    assert read_sort_keys(None) == ()
    assert read_filters(["", "  "]) == ()
    assert check_condition("until", None) is None
    assert read_moment_of(None) is None
    assert view_file_of(None) is None


def test_names_of_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_column_names("a, `b,c` ,d e") == ("a", "b,c", "d e")
    assert (
        refusal(lambda: read_column_names("a,,b"), capsys) == "--columns has an empty name: 'a,,b'"
    )


def test_sort_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_sort_keys("a:desc,b:asc,c,`d,e`:desc,f:g") == (
        ("a", True), ("b", False), ("c", False), ("d,e", True), ("f:g", False),
    )  # fmt: skip
    for text in ("", "a,", ":desc"):
        assert refusal(lambda text=text: read_sort_keys(text), capsys).startswith(  # type: ignore[misc]
            "--sort has an empty name"
        )


def test_filters_are_parsed_and_words_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [" price > 1 ", "'x' and", "any words", "("]
    assert read_filters(texts[:1] + texts[2:3]) == ("price > 1", "any words")
    assert refusal(lambda: read_filters(["price >"]), capsys) == (
        "--where 'price >': Can't parse this. Example: price > 100 and name == 'x'"
    )


def test_conditions(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_condition("alert", "a > 1 until a < 0") == "a > 1 until a < 0"
    said = refusal(lambda: check_condition("alert", "a > 1 until a <"), capsys)
    assert said.startswith("--alert 'a > 1 until a <': Can't parse this")


@pytest.mark.parametrize("text", ["14:03", "14:03:07", "-30"])
def test_times(text: str) -> None:
    assert read_moment_of(text) == text


def test_a_time_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(lambda: read_moment_of("noon"), capsys) == (
        "Can't read --at 'noon' as a time. Use 14:03, 14:03:07 or -30"
    )


def test_the_file_of_a_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert view_file_of(f"{tmp_path}/v.toml") == tmp_path / "v.toml"
    assert refusal(lambda: view_file_of(f"{tmp_path}/none/v.toml"), capsys) == (
        f"--view: no folder {tmp_path}/none"
    )
    assert refusal(lambda: view_file_of(str(tmp_path)), capsys) == (
        f"--view {tmp_path} is a folder. Name a file in it"
    )


def test_refusals_name_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert option_of("stale_after") == "--stale-after"
    assert refusal(lambda: refuse("no"), capsys) == "no"
