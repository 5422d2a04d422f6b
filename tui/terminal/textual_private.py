"""What widgets need of Textual that is not its public API; `painter` and `driver` need more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App
    from textual.driver import Driver


def driver_of(app: App[Any]) -> Driver | None:
    """Return what writes to an app's terminal, None before it is there."""
    return app._driver


def keymap_of(app: App[Any]) -> Mapping[str, str]:
    """Return the keys that were given to bindings, by the bindings' names."""
    return app._keymap
