"""`python docs/packages.py`: draws the packages into architecture.md; `--check` only compares.

It is drawn from the imports as they are, so that it can't grow old: `make check` fails where
it would be another one.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from textwrap import wrap
from typing import Final

import grimp

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs/architecture.md"
_BEGIN, _END = "<!-- packages: drawn by docs/packages.py -->", "<!-- end of packages -->"
_WIDTH: Final = 100


def picture() -> str:
    """Return both halves, what imports above what is imported."""
    sys.path.insert(0, str(ROOT / ".links"))
    graph = grimp.build_graph("livetable", exclude_type_checking_imports=True, cache_dir=None)
    return "\n\n".join(_half(graph, half) for half in ("tui", "feed"))


def _half(graph: grimp.ImportGraph, half: str) -> str:
    top = f"livetable.{half}"
    names = sorted(name for name in graph.find_children(top) if not name.endswith("__main__"))
    below = {name: _imported(graph, name, set(names)) for name in names}
    levels: dict[str, int] = {}
    while len(levels) < len(names):  # one that waits for itself is a circle: lint-imports tells
        for name in names:
            if name not in levels and below[name] <= levels.keys():
                levels[name] = 1 + max((levels[one] for one in below[name]), default=0)
    lines = [_sentence(ROOT / half / "__init__.py")]
    for level in range(max(levels.values()), 0, -1):
        lines.append("─" * _WIDTH)
        for name in names:
            if levels[name] == level:
                lines += _entry(name.removeprefix(f"{top}."), half, below[name], graph, name)
    return "\n".join([*lines, "─" * _WIDTH])


def _imported(graph: grimp.ImportGraph, name: str, siblings: set[str]) -> set[str]:
    return {
        other
        for other in siblings - {name}
        if graph.direct_import_exists(importer=name, imported=other, as_packages=True)
    }


def _entry(
    short: str, half: str, below: set[str], graph: grimp.ImportGraph, name: str
) -> list[str]:
    folder = ROOT / half / short
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    modules = len(graph.find_descendants(name)) or 1
    head = f"{short:<9} {modules:>3} "
    told = _sentence(file)
    uses = ", ".join(sorted(one.rsplit(".", 1)[1] for one in below))
    said = wrap(told, _WIDTH - len(head)) + (
        wrap(f"uses {uses}", _WIDTH - len(head)) if uses else []
    )
    blank = " " * len(head)
    return [(head if not at else blank) + line for at, line in enumerate(said)]


def _sentence(file: Path) -> str:
    told = ast.get_docstring(ast.parse(file.read_text())) or ""
    return told.split("\n\n")[0].replace("\n", " ")


def main() -> int:
    """Write the picture, or tell whether it is another one than stands there."""
    page = PAGE.read_text()
    drawn = f"{_BEGIN}\n```\n{picture()}\n```\n{_END}"
    fresh = re.sub(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _: drawn, page, flags=re.S)
    if "--check" in sys.argv:
        if fresh != page:
            print("docs/architecture.md: run `python docs/packages.py`", file=sys.stderr)
        return int(fresh != page)
    PAGE.write_text(fresh)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
