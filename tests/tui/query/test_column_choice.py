"""tui.query.column_choice: which columns are shown, in which order, and which are worked out."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.arrange import Arrangement, SortKey, arrange
from livetable.tui.query.column_choice import (
    AS_IT_CAME,
    dressed,
    free_title,
    freezing,
    in_order,
    moved,
    with_computed,
    without_computed,
)
from livetable.tui.text.column_style import (
    PLAIN_STYLE,
    ColumnStyle,
    number_writer,
)
from tests.tui.query.tables import QUOTE_TABLE as TABLE
from tests.tui.query.tables import QUOTES as FRAME
from tests.tui.query.tables import computed, values
from tests.tui.tables import table_of


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


def test_what_a_view_file_says_is_harmless() -> None:
    table = with_computed(TABLE, computed(("\x1b]0;owned\x07 t", "bid * 2")))
    assert table.titles[-1] == "␛]0;owned␇ t"
    style = ColumnStyle(unit="\x1b[8mx")
    assert number_writer(style, str)(1) == "1 ␛[8mx"


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


def test_styles_that_say_nothing_are_forgotten() -> None:
    choice = AS_IT_CAME.styled(("bid", 0), ColumnStyle(digits=1))
    assert choice.style_of[("bid", 0)].digits == 1
    assert choice.styled(("bid", 0), PLAIN_STYLE) == AS_IT_CAME
