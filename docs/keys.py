"""Write the list of all keys, docs/keys.md, from the viewer's own: `python docs/keys.py`."""

from __future__ import annotations

from pathlib import Path

from textual.keys import format_key

from livetable.tui.app import all_bindings

HEAD = """# Find a key, or change it

`?` shows the keys on the screen, grouped by task. To change a key, write its name from the
table below into `~/.config/livetable/config.toml`:

```toml
theme = "nord"      # a theme's name, as ^p lists them
history = 512       # MB of past frames for all tables; "64/table": per table

[keys]
sort = "t"          # keys have Textual's names: t, T, ctrl+t, f5, comma
pause = "space,f8"  # several keys, with commas
```

livetable reports a key that another name already has, or an unknown name, when it starts.

| key | name | does |
|---|---|---|
"""


def listing() -> str:
    """Return the list as Markdown."""
    rows: dict[str, tuple[list[str], str]] = {}
    for binding in all_bindings():
        assert binding.id is not None
        keys, _ = rows.setdefault(binding.id, ([], binding.tooltip or binding.description))
        keys += [key for key in binding.key.split(",") if key not in keys]
    lines = []
    for name, (keys, does) in rows.items():
        shown = " ".join(f"`{format_key(key)}`".replace("|", "\\|") for key in keys)
        lines.append(f"| {shown} | {name} | {does} |\n")
    return HEAD + "".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("keys.md").write_text(listing())
