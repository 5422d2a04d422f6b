"""livetable.feed.base.terminal_text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from livetable.feed.base.terminal_text import harmless, safe_str
from tests.ugly import NoText

MARK = "\u200e"  # the one format character that is ours


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[2J", "␛[2J"),
        ("\x1b]0;x\x07", "␛]0;x␇"),
        ("\x9b31m", "\ufffd31m"),
        ("a\nb\tc\r", "a↵b⇥c↵"),
        ("\x7f\x00", "␡␀"),
        ("\u202eevil", "\ufffdevil"),
        ("[/foo]", "[/foo]"),
        ("🇩🇪", "DE"),
        ("👍🏽", "👍"),
        ("👩‍💻", "👩💻"),
        ("שלום", "שלום" + MARK),
        ("\ud800", "\ufffd"),
        ("\u3164", "\ufffd"),
    ],
)
def test_shows(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(st.text(st.characters(codec=None), max_size=40))
def test_no_control_survives(text: str) -> None:
    shown = harmless(text)
    for character in shown.removesuffix(MARK):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
    assert harmless(shown.removesuffix(MARK)).removesuffix(MARK) == shown.removesuffix(MARK)


def test_all_of_unicode() -> None:
    for code in (*range(0x40000), *range(0xE0000, 0xE1000), 0x10FFFF):  # between: nothing but more
        character = chr(code)
        if code % 16 and unicodedata.category(character) in ("Lo", "Co", "Cn"):
            continue  # of the many that are alike every sixteenth
        shown = harmless(character).removesuffix(MARK)
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn") for c in shown), hex(
            code
        )
        assert cell_len(shown) <= 2


def test_no_text() -> None:
    assert safe_str(NoText()) == "<NoText: str() raised RuntimeError>"
