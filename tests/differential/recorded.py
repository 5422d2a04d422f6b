"""The tables of `tests/recorded`, beside what PyPI's `jc` makes of the same texts."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any, Final

from tests.printed import same

FOLDER: Final = Path(__file__).parent.parent / "recorded"
PARSERS: Final = {
    "df": "df", "df_h": "df", "free": "free", "free_h": "free", "iostat": "iostat",
    "iostat_d": "iostat", "ls_l": "ls", "lsblk": "lsblk", "lsblk_tree": "lsblk", "lsof": "lsof",
    "lsof_no_size": "lsof", "netstat_tlnp": "netstat", "pip_list": "pip_list", "ps_aux": "ps",
    "ss_tnlp": "ss", "systemctl_list_units": "systemctl", "vmstat": "vmstat", "w": "w",
    "du_h": "du", "psql": "asciitable", "mysql": "asciitable", "sqlite_box": "asciitable",
    "dpkg_l": "dpkg_l", "top_b": "top", "kubectl_get_pods_no_restarts": "asciitable",
}  # fmt: skip


def compare(only: str = "") -> None:
    """Print where `jc` sees another table; it is often jc that loses something, so that no more.

    Args:
        only: Only of names that hold this.
    """
    if importlib.util.find_spec("jc") is None:
        print("jc is not installed: recorded outputs were not read by it")
        return
    jc: Any = importlib.import_module("jc")
    for name, parser in PARSERS.items():
        if only not in name:
            continue
        text = (FOLDER / f"{name}.txt").read_text("utf-8")
        wanted = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        try:
            rows = jc.parse(parser, text, raw=True, quiet=True)
        except Exception as error:
            print(f"recorded/{name}: jc refuses: {str(error).splitlines()[0]:.80}")
            continue
        if parser == "top":
            rows = rows[-1]["processes"]
        print(f"recorded/{name}: {difference(rows, wanted) or 'as jc has it'}")


def difference(rows: list[dict[str, Any]], wanted: dict[str, Any]) -> str | None:
    """Return where `jc`'s rows hold other values than a table, None if nowhere.

    Args:
        rows: What `jc` read, all as text.
        wanted: The table.
    """
    if len(rows) != len(wanted["rows"]):
        return f"jc has {len(rows)} rows, not {len(wanted['rows'])}"
    for at, (row, cells) in enumerate(zip(rows, wanted["rows"], strict=True), 1):
        for name, cell in zip(wanted["columns"], cells, strict=True):
            names = [name] if isinstance(name, str) else [one for one in name or [] if one]
            key = next((one for one in map(_key, names) if one in row), None)
            value = "" if key is None else row[key]
            if isinstance(value, str) and value and not same(value, cell):
                return f"row {at}, {name!r}: jc has {value!r}, not {cell!r}"
    return None


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("%", "_percent")).strip("_")
