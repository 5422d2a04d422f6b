"""tui.model.headings: a table's columns, their order, identities and types."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from livetable.feed.frames.decoder import Labels
from livetable.feed.protocol.labels import to_json
from livetable.tui.model.headings import Heading, Headings, headings_of, selected


def labels(
    columns: tuple[Any, ...], *, index: tuple[Any, ...] = (None,), counted: bool = True, **more: Any
) -> Labels:
    values: dict[str, Any] = {
        "columns": columns, "column_names": (None,), "index": index,
        "range": (0, 1) if counted else None, "dtypes": ("",) * 9, "text": frozenset(), **more,
    }  # fmt: skip
    return Labels(**values)


def test_a_range_index_comes_first_and_has_no_values() -> None:
    headings, by_key = headings_of(labels(("a", "b")), "[]")
    assert (headings.titles, headings.fixed, by_key) == (("", "a", "b"), 1, ())
    assert [column.source for column in headings.columns] == [None, 0, 1]
    named, _ = headings_of(labels(("a",), index=("row",)), "[]")
    assert named.titles == ("row", "a")


def test_index_levels_come_first_then_the_key() -> None:
    frame = labels(("a", "b"), index=("x", "y"), counted=False)
    headings, _ = headings_of(frame, "[]")
    assert (headings.titles, headings.fixed) == (("x", "y", "a", "b"), 2)
    assert [column.source for column in headings.columns] == [0, 1, 2, 3]
    keyed, by_key = headings_of(frame, json.dumps(["b"]))
    assert (keyed.titles, keyed.fixed, by_key) == (("x", "y", "b", "a"), 3, (1,))


def test_equal_labels_of_other_types_are_other_columns() -> None:
    frame = labels((1, True, 1.0))
    for label, place in ((1, 0), (True, 1), (1.0, 2)):
        assert headings_of(frame, json.dumps([to_json(label)]))[1] == (place,), label
    assert headings_of(frame, json.dumps(["none", {"no": "label"}]))[1] == ()


def test_titles_of_equal_labels_of_other_types() -> None:
    for label, title in ((1, "1"), (True, "True"), (1.0, "1.0")):
        assert headings_of(labels((label,)), "[]")[0].titles == ("", title)
        assert headings_of(labels(("a",), index=(label,)), "[]")[0].titles == (title, "a")
    assert headings_of(labels((1,)), "[]")[0] is headings_of(labels((1,)), "[]")[0]


def test_what_the_labels_say_of_a_column() -> None:
    frame = labels(
        ("a", "b", "c"), dtypes=("quantity", "rounded", ""), text=frozenset({2}),
        orders=((0, ("low", "high")),),
    )  # fmt: skip
    a, b, c = headings_of(frame, "[]")[0].columns[1:]
    assert (a.quantity, a.categories) == (True, ("low", "high"))
    assert (b.rounded, b.quantity, c.mixed) == (True, False, True)


def test_titles_are_harmless_and_not_endless() -> None:
    headings, _ = headings_of(labels(("a\x1b[2J", "x" * 100_000)), "[]")
    assert "\x1b" not in headings.titles[1]
    assert len(headings.titles[2]) == 10_000


@given(st.lists(st.sampled_from(["a", "b", ""]), max_size=8))
def test_each_column_has_an_identity_of_its_own(names: list[str]) -> None:
    headings = Headings([Heading(name, number) for number, name in enumerate(names)])
    assert len(set(headings.refs)) == len(names)
    assert [title for title, _ in headings.refs] == names
    assert [headings.places[ref] for ref in headings.refs] == list(range(len(names)))
    assert all(
        names[:place].count(title) == nth for place, (title, nth) in enumerate(headings.refs)
    )


class Formula:
    """A formula that says which columns it was asked about."""

    looks_back = True

    def type_of(self, titles: tuple[str, ...], types: tuple[pa.DataType, ...]) -> pa.DataType:
        assert len(titles) == len(types)
        return types[-1]


def test_types_are_found_once_and_formulas_see_the_columns_before_them() -> None:
    formula: Any = Formula()
    columns = [Heading("", None), Heading("a", 0), Heading("f", None, formula=formula)]
    headings = Headings(columns)
    sources = (pa.float64(),)
    assert headings.types(sources) == (pa.int64(), pa.float64(), pa.float64())
    assert headings.types(sources) is headings.types(sources)
    assert headings.types((pa.string(),)) == (pa.int64(), pa.string(), pa.string())
    assert (headings.computes, headings.looks_back) == (True, True)
    assert (Headings(columns[:2]).computes, Headings(columns[:2]).looks_back) == (False, False)


def test_selected_columns_are_in_the_order_asked_for_behind_the_frozen_ones() -> None:
    headings, _ = headings_of(labels(("a", "b", "id")), json.dumps(["id"]))
    assert selected(headings, ("b", "a", "none")).titles == ("id", "b", "a")
    chosen = selected(headings, ("b", "id"))
    assert (chosen.titles, chosen.fixed) == (("b", "id"), 0)
    given_refs = Headings(headings.columns[:1], (("other", 3),))
    assert given_refs.refs == (("other", 3),)
