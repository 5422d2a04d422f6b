"""tui.query.nodes: an error says where in the text it is."""

from __future__ import annotations

import dataclasses

import pytest

from livetable.feed.errors import LivetableError
from livetable.tui.query.nodes import BadExpression, Constant, Name, Node, Operation


def test_an_error_has_a_sentence_and_a_place() -> None:
    error = BadExpression("No column 'x'", 4)
    assert (str(error), error.sentence, error.start, error.end) == (
        "No column 'x'", "No column 'x'", 4, 5,
    )  # fmt: skip
    assert (BadExpression("x").start, BadExpression("x").end) == (0, 1)
    assert BadExpression("x", 2, 7).end == 7
    assert isinstance(error, LivetableError)


def test_nodes_are_values() -> None:
    name = Name(0, 1, "a")
    assert name == Name(0, 1, "a")
    assert Operation(0, 5, "==", (name, Constant(4, 5, 1))).options == ()
    assert Constant(0, 1, 1).exact is None
    assert len({name, Name(0, 1, "a"), Name(0, 1, "b")}) == 2
    field = "start"
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Node(0, 1), field, 2)
