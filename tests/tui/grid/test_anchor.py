"""The view never moves under the person: a state machine of all that can happen to a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from livetable.tui.grid.anchor import View, follow, move, show
from livetable.tui.model.table import Table
from livetable.tui.query.arrange import Arranged, Mode, arrange, sorted_by, with_filter
from livetable.tui.query.column_choice import (
    AS_IT_CAME,
    Computed,
    dressed,
    freezing,
    moved,
    with_computed,
)
from tests.tui.tables import Line, table_of

HEIGHT = 5
TITLES = ("a", "b", "c", "d")


def held(table: Table, other: Table) -> list[Any]:
    """Return what rows are held by between two states: of two lines without a key by position."""
    if table.is_keyed or table.line is other.line:
        return table.identities(0, table.rows)
    return list(table.frame_rows_of(0, table.rows).tolist())


class Screen(RuleBasedStateMachine):
    """A table, what the person chose, and where the person is."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, list[float]] = {}
        self.titles: list[str] = []
        self.as_text: set[str] = set()
        self.held_by = "key"
        self.line: Line | None = None
        self.next_id = 0
        self.choice = AS_IT_CAME
        self.done: Arranged | None = None
        self.chosen = arrange(table_of(pd.DataFrame({"x": [1]})), replace(_plain())).arrangement
        self.base: Table | None = None
        self.shown: Table | None = None
        self.view = View()

    # -- the producer ------------------------------------------------------------------------------

    @initialize(
        count=st.integers(0, 12),
        held_by=st.sampled_from(["key", "index", "position"]),
        values=st.lists(st.integers(0, 3), min_size=1),
        by_deltas=st.booleans(),
    )
    def begin(self, count: int, held_by: str, values: list[int], by_deltas: bool) -> None:
        self.held_by = held_by
        if by_deltas:
            self.line = Line("id") if held_by == "key" else Line()
        self.titles = list(TITLES[:3])
        self.insert(count, 0, values)

    def make(self) -> Table:
        ids = list(self.rows)
        data: dict[str, Any] = {"id": ids} if self.held_by == "key" else {}
        for at, title in enumerate(TITLES):
            if title in self.titles:
                values = [self.rows[one][at] for one in ids]
                data[title] = [f"t{value}" for value in values] if title in self.as_text else values
        data = {title: data[title] for title in (*data,) if title == "id"} | {
            title: data[title] for title in self.titles
        }
        index = pd.Index(ids, name="id") if self.held_by == "index" else pd.RangeIndex(len(ids))
        frame = pd.DataFrame(data, index=index)
        if self.line is not None:
            return self.line.table(frame, ids)
        return table_of(frame, "id") if self.held_by == "key" else table_of(frame)

    def paint(self) -> None:
        """Do what the pane does with a table: work out, arrange, dress, follow."""
        self.base = with_computed(self.make(), self.choice)
        self.done = arrange(self.base, self.chosen, self.done)
        after = dressed(self.done.table, self.choice)
        before, view = self.shown, self.view
        if before is None:
            self.view = View(0, 0, min(after.fixed, len(after.titles) - 1))
        else:
            self.view = follow(view, before, after, HEIGHT)
            self.check(before, view, after)
        self.shown = after

    def check(self, before: Table, view: View, after: Table) -> None:
        now = self.view
        assert 0 <= now.row < max(1, after.rows)
        assert 0 <= now.top <= max(0, after.rows - HEIGHT)
        if view.column < len(before.refs):
            kept = after.column_at(before.refs[view.column])
            assert kept is None or now.column == kept
        first = view.top == 0 and view.row == 0
        last = view.row >= before.rows - 1 and view.top + HEIGHT >= before.rows
        if first:
            assert (now.top, now.row) == (0, 0)
        elif last and before.rows:
            assert now.row == max(0, after.rows - 1)
        elif view.row < before.rows:
            ids = held(after, before)
            mine = held(before, after)[view.row]
            if mine in ids:
                assert ids[now.row] == mine
            lines = held(before, after)[view.top : view.top + HEIGHT]
            there = [(line, one) for line, one in enumerate(lines) if one in ids]
            if there:  # the topmost row that is still there is on its line, if lines allow it
                line, one = there[0]
                at = ids.index(one) - line
                assert now.top == min(max(0, at), max(0, after.rows - HEIGHT))

    @rule(
        count=st.integers(1, 3),
        where=st.integers(0, 12),
        values=st.lists(st.integers(0, 3), min_size=1),
    )
    def insert(self, count: int, where: int, values: list[int]) -> None:
        ids = list(self.rows)
        new = []
        for number in range(count):
            new.append(self.next_id)
            self.rows[self.next_id] = [
                float(values[(number + at) % len(values)]) for at in range(len(TITLES))
            ]
            self.next_id += 1
        where = min(where, len(ids))
        self.rows = {one: self.rows[one] for one in (*ids[:where], *new, *ids[where:])}
        self.paint()

    @rule(which=st.sets(st.integers(0, 12), max_size=4))
    def delete(self, which: set[int]) -> None:
        ids = list(self.rows)
        self.rows = {one: self.rows[one] for at, one in enumerate(ids) if at not in which}
        self.paint()

    @rule(random=st.randoms(use_true_random=False))
    def change(self, random: Any) -> None:
        for values in self.rows.values():
            if random.random() < 0.4:
                values[random.randrange(len(TITLES))] = float(random.randrange(4))
        self.paint()

    @rule(random=st.randoms(use_true_random=False))
    def reorder(self, random: Any) -> None:
        ids = list(self.rows)
        random.shuffle(ids)
        self.rows = {one: self.rows[one] for one in ids}
        self.paint()

    @rule(title=st.sampled_from(TITLES), at=st.integers(0, 3))
    def come_or_go(self, title: str, at: int) -> None:
        if title in self.titles:
            if len(self.titles) > 1:
                self.titles.remove(title)
        else:
            self.titles.insert(at, title)
        self.paint()

    @rule(title=st.sampled_from(TITLES))
    def retype(self, title: str) -> None:
        self.as_text ^= {title}
        self.paint()

    @rule()
    def new_life(self) -> None:
        """The feed dies and comes again: nothing but the frame's position tells."""
        self.paint()

    # -- the person --------------------------------------------------------------------------------

    @rule(column=st.integers(0, 5), further=st.booleans())
    def sort(self, column: int, further: bool) -> None:
        assert self.shown is not None
        if column < len(self.shown.refs):
            self.chosen = sorted_by(self.chosen, self.shown.refs[column], further=further)
            self.paint()

    @rule(mode=st.sampled_from(Mode))
    def mode(self, mode: Mode) -> None:
        asked = self.chosen.asked + (mode is Mode.ONCE)
        self.chosen = replace(self.chosen, mode=mode, asked=asked)
        self.paint()

    @rule(text=st.sampled_from(["a > 0", "b != 2", "t1", "c < 3 or a == 1", ""]))
    def filter(self, text: str) -> None:
        self.chosen = with_filter(self.chosen, text) if text else replace(self.chosen, filters=())
        self.paint()

    @rule(column=st.integers(0, 5))
    def hide(self, column: int) -> None:
        assert self.shown is not None
        if column < len(self.shown.refs) and len(self.shown.refs) > 1:
            hidden = self.choice.hidden | {self.shown.refs[column]}
            self.choice = replace(self.choice, hidden=hidden)
            self.paint()

    @rule()
    def show_all(self) -> None:
        self.choice = AS_IT_CAME
        self.paint()

    @rule(column=st.integers(0, 5), step=st.sampled_from([-1, 1]))
    def move_column(self, column: int, step: int) -> None:
        assert self.shown is not None
        assert self.base is not None
        if column < len(self.shown.refs):
            ref = self.shown.refs[column]
            self.choice = moved(self.choice, self.shown, ref, step, self.base)
            self.paint()

    @rule(column=st.integers(0, 5))
    def freeze(self, column: int) -> None:
        assert self.shown is not None
        if column < len(self.shown.refs):
            self.choice = freezing(self.choice, self.shown, column)
            self.paint()

    @rule(text=st.sampled_from(["a + 1", "a * b", "d(a)"]))
    def compute(self, text: str) -> None:
        self.choice = replace(self.choice, computed=(Computed("new", text),))
        self.paint()

    @rule(rows=st.integers(-6, 6), columns=st.integers(-2, 2))
    def step(self, rows: int, columns: int) -> None:
        assert self.shown is not None
        self.view = move(self.view, self.shown, HEIGHT, rows, columns)

    # -- what always holds -------------------------------------------------------------------------

    @invariant()
    def order_is_right(self) -> None:
        if self.shown is None or self.done is None or self.base is None:
            return
        shown = self.done.table
        if self.chosen.mode is Mode.LIVE and len(self.chosen.sort) == 1:
            (key,) = self.chosen.sort
            at = shown.column_at(key.column)
            if at is not None and not self.done.problems:
                ids = shown.identities(0, shown.rows)
                values = shown.window(at, 0, shown.rows).to_pylist()
                frame = {
                    one: place for place, one in enumerate(self.base.identities(0, self.base.rows))
                }
                sign = -1 if key.descending else 1
                ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
                expected = sorted(
                    range(len(ids)),
                    key=lambda row: (sign * ranks[values[row]], frame[ids[row]]),
                )
                assert expected == list(range(len(ids)))

    @invariant()
    def nothing_is_lost(self) -> None:
        if self.done is not None and not self.chosen.filters:
            assert sorted(self.done.table.identities(0, self.done.table.rows)) == sorted(
                self.make().identities(0, len(self.rows))
            )


def _plain() -> Any:
    from livetable.tui.query.arrange import PLAIN

    return PLAIN


Screen.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestTheViewStays = Screen.TestCase


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_view_stays_for_tens_of_thousands_of_steps() -> None:
    thorough = settings(max_examples=1000, stateful_step_count=60, deadline=None)
    run_state_machine_as_test(Screen, settings=thorough)


def keyed(keys: list[int], seq: int = 1) -> Table:
    return table_of({"id": pd.Series(keys, dtype="int64"), "v": [0.0] * len(keys)}, "id", seq=seq)


keys = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(keys, keys, st.integers(0, 19), st.integers(0, 19), st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_the_view_never_moves_under_you(
    before: list[int], after: list[int], top: int, row: int, height: int
) -> None:
    old, new = keyed(before), keyed(after)
    top = min(top, max(0, len(before) - height))
    row = min(row, max(0, len(before) - 1))
    view = View(top, row, 1)
    now = follow(view, old, new, height)
    assert 0 <= now.top <= max(0, len(after) - height)
    assert 0 <= now.row <= max(0, len(after) - 1)
    at_top = top == 0 and row == 0
    at_end = bool(before) and row >= len(before) - 1 and top + height >= len(before)
    if at_top:
        assert (now.top, now.row) == (0, 0)
    elif at_end:
        assert now.row == max(0, len(after) - 1)
        assert now.top == max(0, len(after) - height)
    elif before and before[row] in after:
        assert after[now.row] == before[row]
    held = [key for key in before[top : top + height] if key in after]
    if held and not at_top and not at_end:
        line = before.index(held[0]) - top
        wanted = max(0, after.index(held[0]) - line)
        assert now.top == min(wanted, max(0, len(after) - height))


def test_columns_are_held_by_title() -> None:
    old = table_of(pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]))
    new = table_of(pd.DataFrame([[1, 2, 3, 4]], columns=["n", "a", "b", "a"]))
    places = [follow(View(0, 0, column), old, new, 5).column for column in range(4)]
    assert places == [0, 2, 3, 4]
    gone = table_of(pd.DataFrame([[1]], columns=["z"]))
    assert follow(View(0, 0, 3), old, gone, 5).column == 1


def test_moving() -> None:
    table = keyed(list(range(20)))
    assert move(View(), table, 5, rows=7) == View(3, 7, 0)
    assert move(View(3, 7, 0), table, 5, rows=-99) == View(0, 0, 0)
    assert move(View(), table, 5, rows=99, columns=99) == View(15, 19, 1)
    assert move(View(), keyed([]), 5, rows=1) == View()
    assert show(View(9, 2, 0), 5).top == 2
