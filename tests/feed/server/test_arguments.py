"""livetable.feed.server.arguments: what a Publisher is made with, and which line makes it."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest

from livetable.feed.errors import BadEndpoint, BadFrame
from livetable.feed.server import arguments


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        (arguments.limit_of, None, None), (arguments.limit_of, 5.0, 5), (arguments.ttl_of, 2, 2.0),
        (arguments.ttl_of, None, None), (arguments.ttl_of, 10**400, math.inf),
        (arguments.types_of, None, {}),
        (arguments.types_of, {1: int}, {'["int", "1"]': pa.int64()}),
        (arguments.is_by_broker, None, False), (arguments.is_by_broker, "nats://h", True),
        (arguments.is_by_broker, "tcp://127.0.0.1:1", False),
    ],
)  # fmt: skip
def test_what_is_taken(read: Any, given: Any, value: Any) -> None:
    assert read(given) == value


@pytest.mark.parametrize(
    ("read", "given", "says"),
    [
        (arguments.limit_of, 0, "limit=0: must be"), (arguments.limit_of, True, "limit=True"),
        (arguments.limit_of, 1.5, "limit=1.5"), (arguments.limit_of, "x", "limit='x'"),
        (arguments.ttl_of, 0, "ttl=0: must be"), (arguments.ttl_of, "1", "ttl='1'"),
        (arguments.ttl_of, math.nan, "ttl=nan"), (arguments.ttl_of, -(10**400), "ttl=-1"),
        (arguments.types_of, "x", "must map columns to types"),
        (arguments.types_of, {"a": "nope"}, "is not a type"),
        (arguments.is_by_broker, 5, "is not an endpoint"),
        (arguments.is_by_broker, "x", "Use tcp"),
    ],
)  # fmt: skip
def test_what_is_refused(read: Any, given: Any, says: str) -> None:
    with pytest.raises((ValueError, BadFrame, BadEndpoint), match=says):
        read(given)


def test_the_same_line_or_cell_makes_a_table_again() -> None:
    assert arguments.is_made_again(("a.py:1", False), ("a.py:1", False))
    assert not arguments.is_made_again(("a.py:1", False), ("a.py:2", False))
    assert not arguments.is_made_again(("?", False), ("?", False))
    assert arguments.is_made_again(("<stdin>:1", True), ("<stdin>:2", True))
    assert not arguments.is_made_again(("<stdin>:1", True), ("a.py:2", False))


@pytest.mark.parametrize(
    ("file", "interactive"),
    [
        ("/x/feed.py", False),
        ("<stdin>", True),
        ("<ipython-input-1>", True),
        ("/t/ipykernel_1/2.py", True),
    ],
)
def test_which_line_made_it(file: str, interactive: bool) -> None:
    code = "def make():\n    return maker()\ndef outer():\n    return make()\nmade = outer()\n"
    scope: dict[str, Any] = {"maker": arguments.maker, "__name__": "script"}
    exec(compile(code, file, "exec"), scope)
    assert scope["made"] == (f"{file}:4", interactive)
