"""What an expression is made of, once it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livetable.feed.errors import LivetableError


class BadExpression(LivetableError):
    """An expression that can't be read or can't be worked out.

    Attributes:
        sentence: What is wrong.
        start: Where in the text it is wrong, in characters.
        end: Where that ends.
    """

    def __init__(self, sentence: str, start: int = 0, end: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.start = start
        self.end = start + 1 if end is None else end

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Attributes:
        start: Where it stands in the text.
        end: Where it ends.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A column, by its title."""

    title: str


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A number, a text, True, False, None, or a tuple of these.

    Attributes:
        value: The value.
        exact: What a float was written as, None for all others; of a tuple a tuple.
    """

    value: Any
    exact: Any = None


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator or a function, and what it is applied to.

    Attributes:
        name: Which.
        parts: What it is applied to.
        options: What was given by name.
    """

    name: str
    parts: tuple[Node, ...]
    options: tuple[tuple[str, Any], ...] = ()
