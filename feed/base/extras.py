"""Packages that only some sources need: brought by an extra, asked for with a sentence."""

from __future__ import annotations

import importlib
from typing import Any

from livetable.feed.errors import LivetableError


class MissingExtra(LivetableError):
    """A package is not there; the sentence names the extra that brings it."""


def need(module: str, extra: str, what: str) -> Any:
    """Return a module.

    Args:
        module: Its name.
        extra: The extra of livetable's that brings it.
        what: What it is needed for, as the sentence begins.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtra(
            f'{what} needs one more package: pip install "livetable[{extra}]"'
        ) from None
