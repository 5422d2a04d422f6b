"""tui.pane.column_looks: widths, sides, number formats and colours."""

from __future__ import annotations

from livetable.tui.text.column_style import NumberForm, Shade
from tests.tui.stage import frame, last_note, line, stage


async def test_columns_are_made_wider_fitted_and_aligned() -> None:
    async with stage() as on:
        widget = on.pane.table_view

        def width() -> int:
            form = widget.format_of(1)
            assert form is not None
            return form.width

        before = width()
        await on.press("greater_than_sign", "greater_than_sign")
        assert width() == before + 4
        await on.press(*["less_than_sign"] * 6)
        assert width() == 3
        on.pane.show(frame({"a": 123456, "b": 1}))
        assert "12…" in line(on, 1)  # a number that is cut says so
        await on.press("w")
        assert "123456.0" in line(on, 1) or "123456" in line(on, 1)
        await on.press("w")
        assert on.pane.state.columns.styles == ()
        await on.press("a")
        assert widget.format_of(1).right is False  # type: ignore[union-attr]
        await on.press("a")
        assert on.pane.state.columns.styles == ()


async def test_numbers_are_written_otherwise() -> None:
    async with stage() as on:
        on.pane.show(frame({"a": 1234.5, "b": 0.25}))
        await on.press("percent_sign")
        assert "1,234.50" in line(on, 1)
        await on.press(*["percent_sign"] * (len(NumberForm) - 1))
        assert "1234.5" in line(on, 1)
        await on.press("right_parenthesis")
        assert "1234.500" in line(on, 1)
        await on.press(*["left_parenthesis"] * 9)
        assert "1234 " in line(on, 1)
        assert "≈0" in line(on, 2)
        await on.press("U")
        await on.type("ms")
        await on.press("enter")
        assert "1234 ms" in line(on, 1)
        await on.press("v")
        assert "████████ 1234 ms" in line(on, 1)
        await on.press("v", "v")
        assert on.pane.state.columns.style_of[("price", 0)].shade is Shade.NONE
        await on.press("h", "percent_sign", "v", "U", "right_parenthesis", "d")
        assert len(on.pane.state.columns.styles) == 1  # a column of texts has none of these
        await on.until(lambda: "numeric columns" in last_note(on))


async def test_colours_of_up_and_down() -> None:
    async with stage() as on:
        widget = on.pane.table_view
        await on.press("u")
        assert widget.has_class("-red-up")
        await on.press("u")
        assert widget.has_class("-blue-up")
        assert not widget.has_class("-red-up")
        await on.press("u")
        assert not widget.has_class("-blue-up")
