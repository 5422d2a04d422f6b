"""Views as TOML files: the choices made for a table, to read, edit and share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livetable.tui.config.settings import BadFile, read_toml
from livetable.tui.model.headings import ColumnRef
from livetable.tui.query.arrange import PLAIN, Arrangement, Mode, SortKey
from livetable.tui.query.column_choice import AS_IT_CAME, ColumnChoice, Computed
from livetable.tui.query.rules import RULE_NAMES, Rule
from livetable.tui.text.column_style import PLAIN_STYLE, ColumnStyle, NumberForm, Shade

_HEAD = "livetable's view of {}: edit it, share it, show it with --view FILE"


@dataclass(frozen=True, slots=True)
class Remembered:
    """All choices made for a table.

    Attributes:
        arrangement: Sort, filters and groups.
        columns: The columns.
        rules: Rules that colour rows.
        colours: Colours of up and down, empty for the default.
        alerts: Conditions to alert on.
    """

    arrangement: Arrangement = PLAIN
    columns: ColumnChoice = AS_IT_CAME
    rules: tuple[Rule, ...] = ()
    colours: str = ""
    alerts: tuple[str, ...] = ()


def read_view(path: Path) -> Remembered:
    """Return the view in a file; an empty one if there is no file.

    Raises:
        BadFile: the file can't be used.
    """
    entries = read_toml(path)
    try:
        return _view(entries)
    except _Wrong as error:
        raise BadFile(f"{path}: {error}") from None


def write_view(path: Path, table: str, view: Remembered) -> None:
    """Write a view to a file. Comments and other entries in it are kept.

    Raises:
        BadFile: the file can't be written.
    """
    import tomlkit

    from livetable.tui.output.files import replaced

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            document = tomlkit.parse(path.read_text("utf-8"))
        else:
            document = tomlkit.document()
            document.add(tomlkit.comment(_HEAD.format(" ".join(table.split()))))
        for key, value in _entries(view).items():
            if value:
                document[key] = value
            else:
                document.pop(key, None)
        with replaced(path) as file:
            file.write(tomlkit.dumps(document).encode())
    except (OSError, ValueError) as error:
        raise BadFile(f"Can't write {path}: {error}") from None


# -- as TOML -------------------------------------------------------------------------------------


def _entries(view: Remembered) -> dict[str, Any]:
    chosen, columns = view.arrangement, view.columns
    return {
        "sort": [_sorted(key) for key in chosen.sort],
        "order": chosen.mode.value if chosen.mode is not Mode.LIVE else "",
        "natural": chosen.natural,
        "filters": list(chosen.filters),
        "groups": [_column(ref) for ref in chosen.groups],
        "totals": [[*_named(ref), total] for ref, total in chosen.totals],
        "columns": [_column(ref) for ref in columns.order],
        "hidden": [_column(ref) for ref in sorted(columns.hidden)],
        "fixed": [_column(ref) for ref, fixed in columns.fixed if fixed],
        "unfixed": [_column(ref) for ref, fixed in columns.fixed if not fixed],
        "rules": list(map(str, view.rules)),
        "colours": view.colours,
        "alerts": list(view.alerts),
        "computed": {one.title: one.text for one in columns.computed},
        "style": [{"column": _column(ref), **_style(style)} for ref, style in columns.styles],
    }


def _sorted(key: SortKey) -> Any:
    return [*_named(key.column), "desc"] if key.descending else _column(key.column)


def _column(ref: ColumnRef) -> Any:
    """Return a column's title; for a duplicate title, a pair of title and number."""
    return ref[0] if not ref[1] else [ref[0], ref[1] + 1]


def _named(ref: ColumnRef) -> list[Any]:
    return [ref[0], *([ref[1] + 1] if ref[1] else [])]


def _style(style: ColumnStyle) -> dict[str, Any]:
    entries = {
        "width": style.width,
        "digits": style.digits,
        "form": style.form.value if style.form is not PLAIN_STYLE.form else None,
        "unit": style.unit or None,
        "align": None if style.left is None else "left" if style.left else "right",
        "shade": style.shade.value if style.shade is not PLAIN_STYLE.shade else None,
    }
    return {key: value for key, value in entries.items() if value is not None}


# -- from TOML -----------------------------------------------------------------------------------


class _Wrong(Exception):
    """An invalid entry."""


def _view(entries: Mapping[str, Any]) -> Remembered:
    known = _entries(Remembered())
    if unknown := set(entries) - set(known):
        raise _Wrong(f"unknown setting {sorted(unknown)[0]!r}. Use one of {', '.join(known)}")
    fixed = [(ref, True) for ref in _columns(entries, "fixed")]
    fixed += [(ref, False) for ref in _columns(entries, "unfixed")]
    return Remembered(
        arrangement=Arrangement(
            sort=tuple(map(_sort_key, _list(entries, "sort"))),
            mode=_one_of(Mode, entries.get("order") or "live", "order"),
            natural=_true(entries.get("natural", False), "natural"),
            filters=tuple(_texts(entries, "filters")),
            groups=tuple(_columns(entries, "groups")),
            totals=tuple(map(_total, _list(entries, "totals"))),
        ),
        columns=ColumnChoice(
            hidden=frozenset(_columns(entries, "hidden")),
            order=tuple(_columns(entries, "columns")),
            fixed=tuple(fixed),
            computed=tuple(_computed(entries.get("computed", {}))),
            styles=tuple(map(_read_style, _list(entries, "style"))),
        ),
        rules=tuple(map(_rule, _texts(entries, "rules"))),
        colours=_text(entries.get("colours", ""), "colours"),
        alerts=tuple(map(_alert, _texts(entries, "alerts"))),
    )


def _list(entries: Mapping[str, Any], name: str) -> list[Any]:
    value = entries.get(name, [])
    if not isinstance(value, list):
        raise _Wrong(f"{name} must be a list")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{name}: {value!r:.40} is not a string")
    return value


def _true(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"{name} must be true or false, not {value!r:.40}")
    return value


def _texts(entries: Mapping[str, Any], name: str) -> list[str]:
    return [_text(value, name) for value in _list(entries, name)]


def _columns(entries: Mapping[str, Any], name: str) -> list[ColumnRef]:
    return [_ref(value, name) for value in _list(entries, name)]


def _ref(value: Any, name: str) -> ColumnRef:
    if isinstance(value, str):
        return (value, 0)
    match value:
        case [str(title)]:
            return (title, 0)
        case [str(title), int(number)] if number > 0:
            return (title, number - 1)
    raise _Wrong(f"{name}: {value!r:.40} is not a column's title")


def _sort_key(value: Any) -> SortKey:
    if isinstance(value, list) and value[-1:] == ["desc"] and len(value) > 1:
        return SortKey(_ref(value[:-1], "sort"), descending=True)
    return SortKey(_ref(value, "sort"))


def _total(value: Any) -> tuple[ColumnRef, str]:
    from livetable.tui.query.group import TOTALS

    if not isinstance(value, list) or value[-1:] == [] or value[-1] not in TOTALS:
        raise _Wrong(f"totals: use a column and one of {', '.join(TOTALS)}")
    return _ref(value[:-1], "totals"), value[-1]


def _computed(value: Any) -> list[Computed]:
    if not isinstance(value, dict):
        raise _Wrong("computed must be a table, [computed]")
    return [Computed(title, _text(text, "computed")) for title, text in value.items()]


def _alert(text: str) -> str:
    from livetable.tui.query.conditions import check_alert
    from livetable.tui.query.nodes import BadExpression

    try:
        check_alert(text)
    except BadExpression as error:
        raise _Wrong(f"alerts: {text!r:.40}: {error.sentence}") from None
    return text


def _rule(text: str) -> Rule:
    condition, _, look = text.rpartition(":")
    if look.strip() not in RULE_NAMES:
        raise _Wrong(
            f"rules: {text!r:.40} must end with a colon and one of {', '.join(RULE_NAMES)}"
        )
    return Rule(condition.strip(), look.strip())


def _one_of(kind: Callable[[Any], Any], value: Any, name: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(one.value for one in kind)  # type: ignore[attr-defined]
        raise _Wrong(f"{name}: {value!r:.40} is not one of {known}") from None


def _read_style(value: Any) -> tuple[ColumnRef, ColumnStyle]:
    known = ("column", "width", "digits", "form", "unit", "align", "shade")
    if not isinstance(value, dict) or "column" not in value or set(value) - set(known):
        raise _Wrong(f"style: use [[style]] with a column and any of {', '.join(known[1:])}")
    width, digits = value.get("width"), value.get("digits")
    if not isinstance(width, int | None) or not isinstance(digits, int | None):
        raise _Wrong("style: width and digits must be whole numbers")
    if (width is not None and width < 1) or (digits is not None and not 0 <= digits <= 15):
        raise _Wrong("style: width must be at least 1, digits from 0 to 15")
    align = value.get("align")
    if align not in (None, "left", "right"):
        raise _Wrong("style: align must be left or right")
    style = ColumnStyle(
        width=width,
        digits=digits,
        form=_one_of(NumberForm, value.get("form", "plain"), "form"),
        unit=_text(value.get("unit", ""), "unit")[:12],
        left=None if align is None else align == "left",
        shade=_one_of(Shade, value.get("shade", "none"), "shade"),
    )
    return _ref(value["column"], "style"), style
