"""Finds and loads the source that a command line names."""

from __future__ import annotations

import importlib
import threading
from dataclasses import fields
from typing import Any, Protocol, cast

from livetable.feed.base.extras import need
from livetable.feed.sources.file_types import form_of, is_folder
from livetable.feed.sources.publish import Publish
from livetable.feed.sources.source_table import (
    FILE,
    FILE_SUFFIXES,
    FOLDER,
    SCHEMES,
    WORDS,
    Source,
    by_scheme,
    by_word,
)


class SourceModule(Protocol):
    """The module of a source.

    Attributes:
        Options: A frozen dataclass of the options that it reads.
    """

    Options: type[Any]

    def run(self, options: Any, publish: Publish, stop: threading.Event) -> None:
        """Publish it until `stop` is set; with the module as `self`."""


def find_source(text: str) -> Source | None:
    """Return the source that a text names, None if it names none.

    Args:
        text: A word (``demo``), an address (``tcp://host:port``), a file, a folder or a pattern.
    """
    if source := by_word(text) or by_scheme(text):
        return source
    if "://" in text:
        return None
    if is_folder(text):
        return FOLDER
    return FILE if form_of(text)[0] is not None else None


def source_names() -> list[str]:
    """Return the sources that `find_source` knows, as written on a command line."""
    files = f"files ({FILE_SUFFIXES[0]}, {FILE_SUFFIXES[5]}, …)"
    return [*WORDS, *(f"{scheme}://…" for scheme in SCHEMES), files]


def load(source: Source) -> SourceModule:
    """Return the module that publishes a source.

    Raises:
        MissingExtra: a package that it needs is not installed.
    """
    if source.extra is not None:
        need(source.extra.package, source.extra.name, source.extra.purpose)
    module = importlib.import_module(f"livetable.feed.sources.{source.module}")
    return cast(SourceModule, module)


def options_from(module: SourceModule, given: Any) -> Any:
    """Return a source's options, each as the command line has it under the same name.

    Args:
        module: The source's module.
        given: What was parsed of the command line.
    """
    return module.Options(
        **{field.name: getattr(given, field.name) for field in fields(module.Options)}
    )
