"""tui.query.column_choice, columnstyle and computed: which columns, how written, worked out how."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.model.history import History
from livetable.tui.model.table import Table
from livetable.tui.pane.time_travel import TimedPane
from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.query.column_choice import (
    AS_IT_CAME,
    ColumnChoice,
    Computed,
    dressed,
    free_title,
    freezing,
    in_order,
    moved,
    problems_of,
    troubles_of,
    with_computed,
    without_computed,
)
from livetable.tui.query.row_match import changed_rows
from livetable.tui.text.column_format import ColumnFormat
from livetable.tui.text.column_style import (
    PLAIN_STYLE,
    ColumnStyle,
    NumberForm,
    Shade,
    bar,
    bytes_text,
    number_writer,
    seconds_text,
    si_text,
)
from tests.tui.tables import table_of

FRAME = pd.DataFrame({"id": list("xyz"), "bid": [1.0, 2.0, 3.0], "ask": [2.0, 4.0, 8.0]})
TABLE = table_of(FRAME, "id")


def values(table: Table, title: str) -> list[Any]:
    at = table.column_at((title, 0))
    assert at is not None
    assert table.values_at(at).to_pylist() == table.window(at, 0, table.rows).to_pylist()
    found: list[Any] = table.window(at, 0, table.rows).to_pylist()
    return found


def computed(*columns: tuple[str, str]) -> Any:
    return replace(AS_IT_CAME, computed=tuple(Computed(*one) for one in columns))


def test_hidden_columns_are_still_known_to_expressions() -> None:
    choice = computed(("mid", "(bid + ask) / 2"), ("twice", "mid * 2"))
    table = with_computed(TABLE, choice)
    assert table.titles == ("id", "bid", "ask", "mid", "twice")
    choice = replace(choice, hidden=frozenset({("bid", 0), ("mid", 0)}))
    shown = dressed(table, choice)
    assert shown.titles == ("id", "ask", "twice")
    assert values(shown, "twice") == [3.0, 6.0, 11.0]
    assert dressed(table, AS_IT_CAME) is table
    done = arrange(table, Arrangement(filters=("mid > 2",), sort=(SortKey(("mid", 0), True),)))
    assert dressed(done.table, choice).window(1, 0, 2).to_pylist() == [8.0, 4.0]
    assert done.table.window(0, 0, 2).to_pylist() == ["z", "y"]
    assert without_computed(table).titles == TABLE.titles
    assert without_computed(shown).undressed.titles == TABLE.titles


def test_a_selected_table_knows_the_others_too() -> None:
    few = TABLE.select(["ask"])
    table = with_computed(few, computed(("half", "bid / 2")))
    assert table.titles == ("id", "ask", "half")
    assert values(table, "half") == [0.5, 1.0, 1.5]
    assert arrange(few, Arrangement(filters=("bid > 1",))).table.rows == 2
    assert without_computed(table).whole is not None


def test_what_cant_be_worked_out_is_told_and_left_out() -> None:
    choice = computed(("x", "gone + 1"), ("y", "bid +"), ("five", "5"), ("bad", "id * 2"))
    table = with_computed(TABLE, choice)
    assert table.titles == ("id", "bid", "ask", "five", "bad")
    assert values(table, "five") == [5, 5, 5]
    assert values(table, "bad") == [None, None, None]
    problems = problems_of(table.select(["id"]).undressed, choice)
    assert problems[0] == "x: there is no column 'gone'"
    assert len(problems) == 2
    assert with_computed(TABLE, AS_IT_CAME) is TABLE


def test_what_a_view_file_says_is_harmless() -> None:
    table = with_computed(TABLE, computed(("\x1b]0;owned\x07 t", "bid * 2")))
    assert table.titles[-1] == "␛]0;owned␇ t"
    style = ColumnStyle(unit="\x1b[8mx")
    assert number_writer(style, str)(1) == "1 ␛[8mx"


def test_a_column_keeps_its_type_without_what_it_is_made_of() -> None:
    choice = replace(computed(("twice", "bid * 2")), hidden=frozenset({("bid", 0)}))
    table = dressed(with_computed(TABLE, choice), choice)
    assert str(table.types[table.refs.index(("twice", 0))]) == "double"
    few = with_computed(TABLE.select(["ask"]), choice)
    assert str(few.types[-1]) == "double"


def test_the_last_column_is_never_hidden() -> None:
    everything = frozenset(TABLE.refs)
    assert dressed(TABLE, replace(AS_IT_CAME, hidden=everything)).titles == ("id",)
    assert dressed(table_of(pd.DataFrame()), replace(AS_IT_CAME, hidden=everything)).titles == ("",)


def test_columns_move_past_their_neighbours() -> None:
    choice = moved(AS_IT_CAME, TABLE, ("bid", 0), 1, TABLE)
    table = dressed(TABLE, choice)
    assert table.titles == ("id", "ask", "bid")
    assert dressed(TABLE, moved(choice, table, ("bid", 0), -1, TABLE)).titles == TABLE.titles
    for column, step in (("bid", 1), ("id", -1), ("id", 1), ("ask", -1), ("none", 1)):
        assert moved(choice, table, (column, 0), step, TABLE) == choice
    hidden = replace(AS_IT_CAME, hidden=frozenset({("bid", 0)}))
    wide = table_of(FRAME.assign(last=1), "id")
    choice = moved(hidden, dressed(wide, hidden), ("last", 0), -1, wide)
    assert dressed(wide, choice).titles == ("id", "last", "ask")


def test_columns_stay_at_the_left_or_no_longer() -> None:
    choice = freezing(AS_IT_CAME, TABLE, 2)
    table = dressed(TABLE, choice)
    assert (table.titles, table.fixed) == (("id", "ask", "bid"), 2)
    choice = freezing(choice, table, 0)
    table = dressed(TABLE, choice)
    assert (table.titles, table.fixed) == (("ask", "id", "bid"), 1)
    table = dressed(TABLE, freezing(choice, table, 0))
    assert (table.titles, table.fixed) == (("id", "bid", "ask"), 0)


@given(
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.lists(st.sampled_from("abcdef"), unique=True),
)
def test_columns_of_an_order_come_first_and_the_others_as_they_came(
    came: list[str], order: list[str]
) -> None:
    columns = [(one, 0) for one in came]
    placed = in_order(columns, [(one, 0) for one in order])
    assert sorted(placed) == sorted(columns)
    known = [(one, 0) for one in order if one in came]
    assert placed[: len(known)] == known
    assert placed[len(known) :] == [one for one in columns if one[0] not in order]


def test_free_titles() -> None:
    assert free_title("a", ["b"]) == "a"
    assert free_title("a", ["a", "a 2"]) == "a 3"


# -- changes -----------------------------------------------------------------------------------


def past_of(*frames: pd.DataFrame, key: str | None = "id", mark: int | None = None) -> Table:
    history = History()
    for second, frame in enumerate(frames):
        table = table_of(frame, key) if key else table_of(frame)
        history.add(replace(table, sent=second * 2.0, past=history))
    if mark is not None:
        history.marked = history.at(mark)
    return history.at(history.last)


def change(text: str, *frames: pd.DataFrame, **how: Any) -> list[Any]:
    return values(with_computed(past_of(*frames, **how), computed(("x", text))), "x")


def test_changes_are_told_by_row() -> None:
    then = pd.DataFrame({"id": ["a", "b", "c"], "v": [1, 2, 4]})
    now = pd.DataFrame({"id": ["c", "a", "d"], "v": [5, 1, 9]})
    assert change("d(v)", then, now) == [1, 0, None]
    assert change("was(v)", then, now) == [4, 1, None]
    assert change("pct(v)", then, now) == [0.25, 0.0, None]
    assert change("rate(v)", then, now) == [0.5, 0.0, None]
    assert change("d(v) > 0 or v == 9", then, now) == [True, False, True]
    assert change("d(v)", now) == [None, None, None]
    assert change("d(v)", then, then) == [0, 0, 0]
    assert change("d(v)", then.drop(columns="v"), then) == [None] * 3
    assert change("d(v)", then.assign(v="x"), then) == [None] * 3
    assert change("d(v)", then.assign(id=[1, 2, 3]), then) == [None] * 3


D = Decimal


@pytest.mark.parametrize(
    ("then", "now", "d", "pct"),
    [
        ([D("9.99")], [D("10.01")], D("0.02"), 0.02 / 9.99),
        ([D("10.01")], [D("9.99")], D("-0.02"), -0.02 / 10.01),
        ([D("9.9")], [D("10.01")], D("0.11"), 0.11 / 9.9),
        ([5], [5.5], 0.5, 0.1),
        ([5.5], [6], 0.5, 0.5 / 5.5),
        (np.array([1 << 30], "int32"), np.array([1 << 40]), (1 << 40) - (1 << 30), 1023.0),
        (np.array([1 << 40]), np.array([1], "int8"), 1 - (1 << 40), (1 - 2**40) / 2**40),
        ([1 << 62], [1 << 64], 3 << 62, 3.0),
        ([1 << 64], [1 << 62], -(3 << 62), -0.75),
        (np.array([5], "uint8"), np.array([3], "float32"), -2.0, -0.4),
    ],
)
def test_changes_between_types(then: Any, now: Any, d: Any, pct: float) -> None:
    frames = [pd.DataFrame({"id": ["a"], "v": one}) for one in (then, now)]
    if isinstance(then, list) and isinstance(d, int):
        frames = [frame.astype({"v": object}) for frame in frames]
    assert change("d(v)", *frames) == [d]
    assert change("was(v)", *frames) == [then[0]]
    assert change("pct(v)", *frames) == [pytest.approx(pct)]
    assert change("d(v) == 0", *frames) == [False]
    assert changed_rows(past_of(*frames[::-1]), past_of(*frames)).tolist() == [0]
    assert changed_rows(past_of(frames[0]), past_of(frames[0])).tolist() == []


def test_changes_between_units_of_time_and_kinds_of_text() -> None:
    moments = pd.Series(pd.to_datetime(["2026-01-01 00:00:01"]))
    seconds = pd.DataFrame({"v": moments.astype("datetime64[s]")})
    nanos = pd.DataFrame({"v": (moments + pd.Timedelta("1ns")).astype("datetime64[ns]")})
    for then, now, size in ((seconds, nanos, 1), (nanos, seconds, -1)):
        found = change("d(v)", then, now, key=None)
        assert [one.value for one in found] == [size]
        assert change("d(v) == '0s'", then, now, key=None) == [False]
        assert change("was(v) == v", then, now, key=None) == [False]
    same = nanos.assign(v=moments.astype("datetime64[ns]"))
    assert changed_rows(past_of(same, key=None), past_of(seconds, key=None)).tolist() == []
    text, kind = pd.DataFrame({"v": ["a"]}), pd.DataFrame({"v": pd.Categorical(["b"])})
    assert change("was(v)", text, kind, key=None) == ["a"]
    assert change("was(v)", kind, text, key=None) == ["b"]


def test_changes_since_some_time_and_since_the_mark() -> None:
    frames = [pd.DataFrame({"id": ["a"], "v": [value]}) for value in (1, 10, 100)]
    assert change("d(v, 2)", *frames) == [90]
    assert change("d(v, 4)", *frames) == [99]
    assert change("d(v, 3)", *frames) == [99]
    assert change("rate(v, 4)", *frames) == [99 / 4]
    assert change("d(v, 5)", *frames) == [None]
    assert change("d(v, mark)", *frames) == [None]
    assert change("d(v, mark)", *frames, mark=0) == [99]


def test_changes_by_position_and_of_times() -> None:
    then = pd.DataFrame({"v": [1.5, 2.0], "t": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    now = pd.DataFrame(
        {"v": [2.0, 2.0, 7.0], "t": pd.to_datetime(["2026-01-03", "2026-01-02", "2026-01-02"])}
    )
    assert change("d(v)", then, now, key=None) == [0.5, 0.0, None]
    days = change("d(t)", then, now, key=None)
    assert [None if one is None else one.days for one in days] == [2, 0, None]
    unsigned = pd.DataFrame({"v": pd.Series([3, 5], dtype="uint8")})
    lower = pd.DataFrame({"v": pd.Series([1, 7], dtype="uint8")})
    assert change("d(v)", unsigned, lower, key=None) == [-2, 2]


@pytest.mark.parametrize("text", ["pct(t)", "rate(t)", "d(s)", "d(d(v))"])
def test_changes_that_mean_nothing(text: str) -> None:
    frame = pd.DataFrame({"v": [1], "s": ["x"], "t": pd.to_datetime(["2026-01-01"])})
    assert change(text, frame, frame, key=None) == [None]


# -- how they are written ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        (ColumnStyle(), 0.5, "0.5"),
        (ColumnStyle(digits=2), 1.005, "1.00"),
        (ColumnStyle(digits=1), 0.01, "≈0.0"),
        (ColumnStyle(digits=1), 0.0, "0.0"),
        (ColumnStyle(digits=1), math.nan, "nan"),
        (ColumnStyle(digits=1), math.inf, "inf"),
        (ColumnStyle(form=NumberForm.THOUSANDS), 1234567, "1,234,567"),
        (ColumnStyle(form=NumberForm.THOUSANDS), 1234.5, "1,234.50"),
        (ColumnStyle(form=NumberForm.THOUSANDS, digits=0), -1234.5, "-1,234"),
        (ColumnStyle(form=NumberForm.PERCENT), 0.1234, "12.3 %"),
        (ColumnStyle(form=NumberForm.PERCENT, digits=0), 0.5, "50 %"),
        (ColumnStyle(form=NumberForm.PERCENT), 1.5 * 2.0**1023, f"{15 * 2**1023 * 10}.0 %"),
        (ColumnStyle(form=NumberForm.SI), 12345, "12.3 k"),
        (ColumnStyle(form=NumberForm.BYTES), 1536, "1.5 KiB"),
        (ColumnStyle(form=NumberForm.DURATION), 93784, "1d 02:03:04"),
        (
            ColumnStyle(form=NumberForm.DURATION, digits=1),
            2.0**1023,
            f"{2**1023 // 86_400}d 23:30:08.0",
        ),
        (ColumnStyle(form=NumberForm.HEX), 255, "0xff"),
        (ColumnStyle(form=NumberForm.HEX), 0.5, "0x1.0000000000000p-1"),
        (ColumnStyle(form=NumberForm.HEX), Decimal("0.5"), "0x1.0000000000000p-1"),
        (ColumnStyle(form=NumberForm.THOUSANDS), 2**53 + 1, "9,007,199,254,740,993"),
        (ColumnStyle(digits=1), 2**53 + 1, "9007199254740993.0"),
        (ColumnStyle(unit="ms"), 3, "3 ms"),
        (ColumnStyle(digits=0, unit="€"), 3.0, "3 €"),
    ],
)
def test_numbers(style: ColumnStyle, value: Any, text: str) -> None:
    assert number_writer(style, str)(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999.9, "1 k"), (0.0015, "1.5 m"), (-2.5e9, "-2.5 G"), (1e30, "1e+12 E"),
     (1e-30, "1e-12 a"), (12, "12")],
)  # fmt: skip
def test_si(value: float, text: str) -> None:
    assert si_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_si_is_near(value: float) -> None:
    number, _, prefix = si_text(value).partition(" ")
    scale = dict(zip(["", *"kMGTPE", *"mµnpfa"], [*range(7), *range(-1, -7, -1)], strict=True))
    assert float(number) * 1000.0 ** scale[prefix] == pytest.approx(value, rel=0.01)


def test_bytes_and_seconds() -> None:
    assert [bytes_text(value) for value in (0, 1023, -1024, 1 << 70)] == [
        "0 B", "1023 B", "-1.0 KiB", "1024.0 EiB",
    ]  # fmt: skip
    assert [seconds_text(value, 1) for value in (-0.05, 59.96, 86_400)] == [
        "-00:00:00.0", "00:01:00.0", "1d 00:00:00.0",
    ]  # fmt: skip


def test_bars() -> None:
    assert [bar(share, 4) for share in (0, 0.5, 1, 0.03125)] == ["    ", "██  ", "████", "▏   "]


def test_a_format_with_a_style() -> None:
    kind = TABLE.types[1]
    form = ColumnFormat(kind, ColumnStyle(width=6, digits=3, left=True))
    form.measure([1.0, 2000.5])
    assert (form.width, form.right, form.text(2.0)) == (6, False, "2.000")
    assert form.needs_measure([0.123456])
    form.measure([0.123456])
    assert (form.width, form.text(2.0), form.rounds) == (6, "2.000", True)
    assert not form.needs_measure([0.123456])
    assert not form.grow(["1234567890"])
    barred = ColumnFormat(kind, ColumnStyle(shade=Shade.BAR))
    barred.measure([1.0, 4.0])
    assert barred.stretch([1.0, None, 4.0, math.inf])
    assert not barred.stretch([2.0])
    assert barred.barred(2.0, "2.0") == "████     2.0"
    assert [barred.share(value) for value in (None, math.nan, 9.0)] == [0, 0, 1]
    heat = ColumnFormat(kind, ColumnStyle(shade=Shade.HEAT))
    assert heat.share(1.0) == 0
    heat.stretch([1.0, 3.0])
    assert [heat.share(value) for value in (1.0, 2.0, 3.0)] == [0, 0.5, 1]
    heat.stretch([-1.7e308, 1.7e308])
    assert heat.share(0.0) == 0.5


def test_styles_that_say_nothing_are_forgotten() -> None:
    choice = AS_IT_CAME.styled(("bid", 0), ColumnStyle(digits=1))
    assert choice.style_of[("bid", 0)].digits == 1
    assert choice.styled(("bid", 0), PLAIN_STYLE) == AS_IT_CAME


def test_frames_of_one_moment_and_of_clocks_that_go_back() -> None:
    history = History()
    pane = TimedPane()
    pane.history = history
    for value, sent in ((10, 100.0), (20, 100.5), (30, 100.4), (40, 100.4)):
        frame = pd.DataFrame({"id": ["a"], "v": [value]})
        pane.keep(replace(table_of(frame, "id"), sent=sent))
    changes = [
        values(with_computed(history.at(number), computed(("x", "d(v)"))), "x")
        for number in range(4)
    ]
    assert changes == [[None], [10], [10], [10]]


def test_what_cant_be_worked_out_of_some_numbers_is_told() -> None:
    table = table_of(pd.DataFrame({"n": [10, 2**53 + 2, 2**62]}))
    choice = ColumnChoice(computed=(Computed("half", "n / 2"), Computed("many", "n * 2000")))
    shown = dressed(with_computed(table, choice), choice)
    half, many = (shown.titles.index(title) for title in ("half", "many"))
    assert shown.window(half, 0, 3).to_pylist() == [5.0, 2.0**52 + 1, 2.0**61]
    assert shown.window(many, 0, 1).to_pylist() == [20_000]
    assert shown.window(many, 0, 3).to_pylist() == [20_000, None, None]
    assert [one.partition(":")[0] for one in troubles_of(shown)] == ["many"]
    assert shown.window(many, 0, 1).to_pylist() == [20_000]
    assert troubles_of(shown) == []
