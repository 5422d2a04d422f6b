"""The monkey, for three minutes: in `.ci/run`; `make monkey` takes any time and seed."""

from __future__ import annotations

import os

import pytest

from tests.monkey.__main__ import run
from tests.monkey.screen import differs, read

SCREEN = """\
 keyed   ● live               0/s  20 s ago  3 × 3
 filter price > 50  2 of 3 rows   sort price ↓ · live
 id        price↓ ≈name
 r000001  110.85▲  数据    ▁
 r000002   97.3    te…"""
PRINTED = "id,price,name\nr000001,110.851,数据\nr000002,97.27,tech\n"


def test_a_screen_is_read_and_compared() -> None:
    shown = read(SCREEN.split("\n"))
    assert (shown.is_live, shown.is_single, shown.is_grouped) == (True, True, False)
    assert (shown.filters, shown.sort) == (("price > 50",), "price:desc")
    assert shown.titles == ("id", "price", "name")
    assert differs(shown, PRINTED, 40) is None
    for wrong, says in (
        (PRINTED.replace("97.27", "97.2"), "price is '97.3'"),
        (PRINTED.replace("110.851", ""), "price is '110.85▲', not ''"),
        (PRINTED.replace("r000002", "r000003"), "row 1 is r000002, not r000003"),
        (PRINTED + "r000004,1,x\n", "only 2 of 3 rows"),
        ("id,price,name\n", "2 rows are shown, 0 are printed"),
    ):
        assert says in str(differs(shown, wrong, 40))
    assert not read(["", ""]).is_live
    paused = SCREEN.replace("● live", "‖ paused · 3 new frames  ● feed live")
    assert not read(paused.split("\n")).is_live


@pytest.mark.long
@pytest.mark.timeout(900)
def test_nothing_that_is_pressed_ends_it_or_shows_it_wrong() -> None:
    seed = int(os.environ.get("MONKEY_SEED", "15"))
    assert run(float(os.environ.get("MONKEY_MINUTES", "3")), seed) == 0
