"""Private parts of Textual that widgets need. (`painter` and `driver` use more of them.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App
    from textual.driver import Driver


def driver_of(app: App[Any]) -> Driver | None:
    """Return an app's driver, None before it starts."""
    return app._driver


def keymap_of(app: App[Any]) -> Mapping[str, str]:
    """Return the keys that were set for bindings, by the bindings' names."""
    return app._keymap
