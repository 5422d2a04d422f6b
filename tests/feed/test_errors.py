"""livetable.feed.errors: each is one sentence that says what to do, and all can be caught alike."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import re

import pytest

import livetable.feed
from livetable.feed import errors
from livetable.feed.errors import LivetableError, NameTaken

KINDS = [one for _, one in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize(
    ("pid", "sentence"),
    [
        (
            1,
            "table 'köln' is already published by process 1; choose another name or end that "
            "process",
        ),
        (None, "table 'köln' is already published by another process; choose another name"),
        (os.getpid(), f"by this process ({os.getpid()}); close() that Publisher first"),
    ],
    ids=["another", "unknown", "own"],
)
def test_a_name_that_is_taken_says_by_whom(pid: int | None, sentence: str) -> None:
    error = NameTaken("köln", pid)
    assert sentence in str(error)
    assert (error.name, error.pid, error.holder) == ("köln", pid, None)


def test_a_name_that_is_taken_is_told_in_another_process() -> None:
    """A worker's error is pickled on its way to who waits for it; its Publisher can't be."""
    error = NameTaken("orders", 7, holder=open)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert isinstance(again, NameTaken)
        assert (again.name, again.pid, str(again)) == ("orders", 7, str(error))


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_all_are_caught_as_one_and_are_public(kind: type[Exception]) -> None:
    assert issubclass(kind, LivetableError)
    assert getattr(livetable.feed, kind.__name__) is kind
    assert kind.__name__ in livetable.feed.__all__


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    assert errors.__doc__ is not None
    lines = errors.__doc__[errors.__doc__.index("LivetableError") :].splitlines()
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in lines:
        branch, name = re.fullmatch(r"([│├└─ ]*)(\w+).*", line).groups()  # type: ignore[union-attr]
        depth = len(branch) // 4
        above[depth:] = [name]
        if depth:
            parents[name] = above[depth - 1]
    assert parents == {
        one.__name__: one.__mro__[1].__name__ for one in KINDS if one is not LivetableError
    }


def test_a_wrong_frame_is_a_type_error_too() -> None:
    with pytest.raises(TypeError):
        raise errors.BadFrame("int is no table")
