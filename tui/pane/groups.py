"""Group rows by columns, and open a group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from livetable.tui.pane.feature import Feature, following
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.query.arrange import Arrangement


class Groups(Feature):
    """Groups by the cursor's column. Remembers the previous views, to go back to them."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("b", "group", "Group", tooltip="Group by this column; Enter opens a group"),
        Binding("B", "ungroup", "Ungroup", tooltip="Back from groups"),
        Binding("A", "total", "Totals", tooltip="Next total: mean, min, max, …"),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self._before: list[tuple[Arrangement, int]] = []
        """The view before each grouping and each opening of a group, with the cursor's row."""

    def idle_actions(self) -> frozenset[str]:
        """Return the actions that need groups, while there are none."""
        # Don't call `chosen` here: it imports much, and would double the time to the first paint.
        arrangement = self.state.arrangement
        grouped = bool((arrangement is not None and arrangement.groups) or self._before)
        return frozenset() if grouped else frozenset({"ungroup", "total"})

    def back(self) -> bool:
        """Ungroup, if there is anything to go back to."""
        if self.idle_actions():
            return False
        self.action_ungroup()
        return True

    def action_group(self) -> None:
        """Group by the cursor's column, in addition to the present groups."""
        under, chosen, base = self.under_cursor(), self.state.chosen(), self.state.base
        if under is None or base is None:
            return
        ref = under[2]
        if chosen.groups:
            from livetable.tui.query.group import COUNT_TITLE, column_of

            column = column_of(base, ref)
            if ref in chosen.groups or ref[0] == COUNT_TITLE or column is None:
                self.say("To group further, put the cursor on another column.")
                return
            ref = column[0]
        elif base.column_at(ref) is None:
            return
        self._before.append((chosen, self.table_view.cursor_row))
        self.pane.choose(replace(chosen, groups=(*chosen.groups, ref), sort=()))

    def action_ungroup(self) -> None:
        """Go back to what was shown before rows were grouped, or a group was opened."""
        if self._before:
            chosen, row = self._before.pop()
            self.table_view.go_after_update(row)
            self.pane.choose(chosen)
        elif self.state.chosen().groups:  # from a saved view
            chosen = self.state.chosen()
            self.pane.choose(replace(chosen, groups=chosen.groups[:-1], sort=()))

    def forget(self) -> None:
        """Forget the previous views: there is nothing to go back to."""
        self._before.clear()

    def action_total(self) -> None:
        """Show the next total of the cursor's column."""
        from livetable.tui.query.group import TOTALS, column_of, total_of

        under, chosen, base = self.under_cursor(), self.state.chosen(), self.state.base
        if not chosen.groups or under is None or base is None:
            self.say("Press b to group first, then A for other totals.")
            return
        column = column_of(base, under[2])
        if column is None:
            return
        ref, now = column
        position = base.column_at(ref)
        assert position is not None
        kind = base.types[position]
        total = following([one for one in TOTALS if total_of(kind, one) == one], now)
        totals = {**dict(chosen.totals), ref: total}
        self.pane.choose(replace(chosen, totals=tuple(totals.items()), sort=()))

    def open(self) -> bool:
        """Show the rows of the cursor's group. Return whether the cursor is on a group."""
        from livetable.tui.query.arrange import equals_filter

        table, row, chosen = (
            self.table_view.table, self.table_view.cursor_row, self.state.chosen(),
        )  # fmt: skip
        if not chosen.groups or table is None or row >= table.rows:
            return False
        filters = list(chosen.filters)
        for ref in chosen.groups:
            column = table.column_at(ref)
            same = None if column is None else equals_filter(table, column, row)
            if same is None:
                self.say("No filter can match this group's rows.")
                return True
            filters.append(same)
        sort = next((one.sort for one, _ in reversed(self._before) if not one.groups), ())
        self._before.append((chosen, row))
        self.pane.choose(replace(chosen, groups=(), sort=sort, filters=tuple(filters)))
        return True
