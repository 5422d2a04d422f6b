"""The one table of what can be published: each source with its schemes, suffixes and options.

Whoever decides on a source asks here. Light, as the viewer asks at each start: a source's module is
loaded by `registry.load`, when it is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from livetable.feed.base.addresses import BROKERS


@dataclass(frozen=True, slots=True)
class Extra:
    """A package that only one source needs.

    Attributes:
        name: The extra of livetable's that brings it.
        package: The module that has to be there.
        purpose: What it is needed for, as a sentence begins.
    """

    name: str
    package: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Source:
    """Something that can be published.

    Attributes:
        module: The module of this package that publishes it: it has `Options` and `run`.
        kind: How `livetable` treats it; an ``address`` has tables of its own.
        title: What a person calls it.
        words: The words that name it on a command line.
        schemes: The schemes of its addresses.
        suffixes: The ends of its files' names, each with the form of such a file.
        options: The options of the command line that only some sources read.
        extra: The package that it needs beyond those that are always there.
        is_over: Whether a failure is its end: waiting never brings a table.
    """

    module: str
    kind: str
    title: str
    words: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    suffixes: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    extra: Extra | None = None
    is_over: bool = False


_TEXT: Final = ("sep", "encoding", "types")
_FILE: Final = (*_TEXT, "append_only")

FILE: Final = Source(
    "files", "file", "a file", options=_FILE,
    suffixes={
        ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
        ".parquet": "parquet", ".feather": "feather", ".arrow": "arrow",
    },
)  # fmt: skip

FOLDER: Final = Source("folder", "folder", "a folder or a pattern", options=(*_FILE, "each"))
"""The only source that no word, scheme or suffix names: the disk decides."""

TAPE: Final = Source(
    "tape", "tape", "a tape", words=("replay",), suffixes={".tape": "tape"},
    options=("speed", "loop"),
)  # fmt: skip
"""The viewer plays tapes itself; the feed publishes them again."""

SOURCES: Final = (
    FILE,
    FOLDER,
    Source("stdin", "pipe", "a pipe", words=("-",), options=_TEXT, is_over=True),
    Source("command", "command", "a command after --", words=("command",),
           options=(*_TEXT, "every")),
    TAPE,
    Source("zeromq", "endpoint", "tcp:// or ipc://", schemes=("tcp", "ipc"),
           options=("pickle", "topic", "pull")),
    Source("http", "address", "an address to listen at", schemes=("http",),
           options=("token_file", "max_body", "insecure"),
           extra=Extra("http", "aiohttp.web", "listening to HTTP")),
    *(Source("broker", "address", "a broker", schemes=(scheme,),
             extra=Extra(extra, package, f"{scheme}://"))
      for scheme, (package, extra) in BROKERS.items()),
    Source("demo", "demo", "a synthetic market", words=("demo",),
           options=("rows", "columns", "hz", "seed")),
    Source("processes", "processes", "the processes of this machine", words=("processes",)),
)  # fmt: skip
"""All of them. Add a source by its line here and the module that the line names."""

_BY_WORD: Final = {word: source for source in SOURCES for word in source.words}
_BY_SCHEME: Final = {scheme: source for source in SOURCES for scheme in source.schemes}
_BY_SUFFIX: Final = {suffix: source for source in SOURCES for suffix in source.suffixes}

WORDS: Final = tuple(_BY_WORD)
"""The words that name sources."""

SCHEMES: Final = tuple(_BY_SCHEME)
"""The schemes of addresses that can be published."""

FILE_SUFFIXES: Final = tuple(FILE.suffixes)
"""Suffixes of files that are tables; .gz or .zst may follow."""


def by_word(word: str) -> Source | None:
    """Return the source that a word names, None if it names none."""
    return _BY_WORD.get(word)


def by_scheme(address: str) -> Source | None:
    """Return the source of an address, None if it is not an address or its scheme is unknown."""
    scheme, separator, _ = address.partition("://")
    return _BY_SCHEME.get(scheme) if separator else None


def by_suffix(name: str) -> Source | None:
    """Return the source of a file by the end of its name, None if that is unknown."""
    return _BY_SUFFIX.get(suffix_of(name))


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name, in lower case."""
    _, point, ending = name.lower().rpartition(".")
    return point + ending


def kinds_with(option: str) -> frozenset[str]:
    """Return the kinds of source that read an option of the command line."""
    return frozenset(source.kind for source in SOURCES if option in source.options)
