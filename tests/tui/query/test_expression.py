"""tui.query.expression: pandas' query syntax, read or refused in a sentence; nothing runs."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetable.tui.query.arrange import filter_mask
from livetable.tui.query.evaluate import mask_of
from livetable.tui.query.expression import parse
from livetable.tui.query.nodes import BadExpression
from livetable.tui.query.quoting import quote, split_names, unquoted
from tests.tui.query.tables import MIXED_TABLE as TABLE
from tests.tui.query.tables import rows
from tests.tui.tables import table_of


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("nope > 1", 0, "No column 'nope'"),
        ("n > 1 and nope == 2", 10, "No column 'nope'"),
        ("`cpu %` > 1 and `no such` == 2", 16, "No column 'no such'"),
        ("n = 1", 2, "Compare with == instead of ="),
        ("n > ", 4, "Can't parse this"),
        ("(n > 1", 0, "A bracket is missing"),
        ("sector == 'x", 10, "The closing quote"),
        ("n.real == 1", 0, "Can't use this"),
        ("n is 1", 0, "Use == instead of is"),
        ("n @ n", 0, "this operator"),
        ("open('x')", 0, "No function 'open'"),
        ("n.__class__.__mro__()", 0, "No function '__mro__'"),
        ("(lambda: 1)()", 0, "Can't call this"),
        ("[x for x in n]", 0, "Can't use this"),
        ("n if on else 1", 0, "Can't use this"),
        ("round(n, digits=1) == 1", 16, "no keywords"),
        ("contains(sector, 'x', flags=2)", 28, "only takes the keywords case, regex, na"),
        ("contains(sector, 'x', case=n)", 27, "True or False"),
        ("n in [n]", 6, "A list can only hold numbers and texts"),
        ("b'x' == sector", 0, "Use a number"),
        ("f'{n}' == sector", 0, "Can't use this"),
        ("x" * 3000, 0, "more than"),
        ("+".join(["n"] * 400), 0, "too many parts"),
        ("(" * 90 + "n" + ")" * 90 + ">", 0, ""),
        ("-" * 400 + "n > 1", 0, ""),
        ("n > 1\x00", 0, ""),
    ],
)
def test_what_can_not_be_read_and_where(text: str, at: int, says: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text, TABLE.titles)
    assert says in str(caught.value)
    if says and at:
        assert caught.value.start == at
    assert 0 <= caught.value.start <= caught.value.end
    assert "\n" not in str(caught.value)


def refusal(text: str) -> BadExpression | None:
    """Return why a text is refused, None if it is not."""
    try:
        mask_of(parse(text, TABLE.titles), TABLE, TABLE.rows)
    except BadExpression as error:
        return error
    return None


WORDS = (
    *("price", "n", "on", "sector", "`cpu %`", "when", "(", ")", "[", "]", ",", "and", "or", "not"),
    *(">", "==", "+", "/", "in", "1", "2.5", "'tech'", "'2026-01-01'", ".isna()", "abs", "&", "|"),
)


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    error = refusal(text)
    assert error is None or str(error)
    assert error is None or 0 <= error.start <= len(text)


@pytest.mark.parametrize(
    "title",
    ["a b", "a,b", "it's", "`", "a``b", "class", "abs", "_column_0_", "µs", "μs", "ﬁ", "", "a & b"],
)
def test_each_column_can_be_named(title: str) -> None:
    frame = pd.DataFrame({"x": [7, 8], title: [1, 2], "µ": [3, 3], "μ": [4, 4]})
    table = table_of(frame)
    text = f"{quote(title)} == 2 and µ == 3 and μ == 4 and 'a & b' != 'µ'"
    if title:
        assert filter_mask(table, text).tolist() == [False, True]
    assert unquoted(quote(title)) == title
    assert split_names(f"x,{quote(title)}, x") == ["x", quote(title), "x"]


def test_the_index_is_called_so() -> None:
    assert rows([5, 6], "index == 1") == [1]
    other = table_of(pd.DataFrame({"index": [3, 4]}))
    assert filter_mask(other, "index == 4").tolist() == [False, True]
