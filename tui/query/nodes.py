"""The nodes of a parsed expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livetable.feed.errors import LivetableError


class BadExpression(LivetableError):
    """An expression that can't be parsed or computed.

    Attributes:
        sentence: What is wrong.
        start: Where the wrong part starts in the text, in characters.
        end: Where it ends.
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
        start: Where it starts in the text.
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
        exact: The exact number of a float literal, None for other values; a tuple for a tuple.
    """

    value: Any
    exact: Any = None


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator or a function, with its operands.

    Attributes:
        name: The operator or function.
        parts: The operands.
        options: The keyword arguments.
    """

    name: str
    parts: tuple[Node, ...]
    options: tuple[tuple[str, Any], ...] = ()
