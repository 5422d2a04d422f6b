"""Key columns as a caller names them, and whether a frame has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livetable.feed.errors import BadFrame

if TYPE_CHECKING:
    from livetable.feed.frames.captured import Captured


def key_of(key: Any) -> tuple[Any, ...]:
    """Return the labels of the key columns, none if there is no key.

    Raises:
        ValueError: it is no label, nor a list of them.
    """
    labels = tuple(key) if isinstance(key, list) else () if key is None else (key,)
    if not all(map(_is_label, labels)):
        raise ValueError(f"key={key!r:.60}: must be a column's label, or a list of labels")
    return labels


def _is_label(one: Any) -> bool:
    """Tell whether something can be a column's label: a tuple is one, a list of them is none."""
    try:
        hash(one)
    except TypeError:
        return False
    return True


def check_key(captured: Captured, key: tuple[Any, ...], name: str) -> None:
    """Make sure that a frame has the key columns of a table, each once.

    Raises:
        BadFrame: it does not.
    """
    frame = captured.frame
    # A list: `in` of pandas' own index asks NumPy for types, which swallows a Ctrl-C.
    known = list(frame.columns if hasattr(frame, "iloc") else frame.column_names)
    for label in key:
        if known.count(label) > 1:
            raise BadFrame(
                f"the frame has several columns called {label!r}, the key: rename all but one"
            )
        if label not in known:
            as_index = label in getattr(getattr(frame, "index", None), "names", ())
            columns = ", ".join(map(repr, known[:20])) + (", …" if len(known) > 20 else "")
            raise BadFrame(
                f"the frame has no column {label!r}, the key of table {name!r}"
                + (
                    ": it is the index, send frame.reset_index()"
                    if as_index
                    else f"; its columns: {columns or 'none'}"
                )
            )
