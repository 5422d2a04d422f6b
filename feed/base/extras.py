"""Optional packages that only some sources need; a sentence names the extra to install."""

from __future__ import annotations

import importlib
from typing import Any

from livetable.feed.errors import LivetableError


class MissingExtra(LivetableError):
    """A package is not installed; the sentence names the extra to install."""


def need(module: str, extra: str, what: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: Its name.
        extra: livetable's extra that installs it.
        what: What needs it: the first words of the sentence.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtra(
            f'{what} needs one more package: pip install "livetable[{extra}]"'
        ) from None
