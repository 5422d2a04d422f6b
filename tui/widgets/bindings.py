"""Keys that people can change: each binding has a name, which the settings give other keys to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.binding import Binding, BindingType

_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


def named(*bindings: Binding) -> list[BindingType]:
    """Return bindings with names made of their descriptions: ``sort-further``."""
    return [replace(binding, id=name_of(binding.description)) for binding in bindings]


def name_of(description: str) -> str:
    """Return the name of a binding with this description."""
    return _NOT_A_WORD.sub("-", description.lower()).strip("-")


def wrong_keys(chosen: Mapping[str, object], bindings: Iterable[Binding]) -> str | None:
    """Return what is wrong with keys that a person chose, in a sentence; None if nothing is.

    Args:
        chosen: Keys by the names of what they do, several with commas between them.
        bindings: All bindings there are.
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
