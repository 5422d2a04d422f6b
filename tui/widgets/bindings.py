"""Named key bindings, whose keys can be changed in the settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.binding import Binding, BindingType

_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


def named(*bindings: Binding) -> list[BindingType]:
    """Return bindings with names made from their descriptions, e.g. ``add-to-sort``."""
    return [replace(binding, id=name_of(binding.description)) for binding in bindings]


def name_of(description: str) -> str:
    """Return a binding's name, made from its description."""
    return _NOT_A_WORD.sub("-", description.lower()).strip("-")


def wrong_keys(chosen: Mapping[str, object], bindings: Iterable[Binding]) -> str | None:
    """Return a sentence on what is wrong with the keys in the settings; None if nothing is.

    Args:
        chosen: Keys by the names of their bindings; commas separate several keys.
        bindings: All bindings.
    """
    known: dict[str, str] = {}
    for binding in bindings:
        if binding.id is not None:
            known[binding.id] = ",".join(filter(None, (known.get(binding.id), binding.key)))
    for name, keys in chosen.items():
        if name not in known:
            return f"No key binding {name!r}. Use one of: {', '.join(sorted(known))}"
        if not isinstance(keys, str) or not keys.replace(",", "").strip():
            return f'{name}: keys must be a string, e.g. "s,ctrl+s"'
    now = {**known, **{name: str(keys) for name, keys in chosen.items()}}
    used: dict[str, str] = {}
    for name, keys in now.items():
        for key in keys.split(","):
            other = used.setdefault(key.strip(), name)
            if other != name and (name in chosen or other in chosen):
                return f"{key.strip()} is already the key for {other}. Give {name} another key"
    return None
