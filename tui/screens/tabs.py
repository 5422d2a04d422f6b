"""The screen that shows tables: one, several in tabs, or two side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from livetable.tui.dialogs.leaving import LeftOnce
from livetable.tui.pane.table_pane import TablePane
from livetable.tui.target import DEFAULTS, Target, ViewOptions
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from livetable.feed.client.connection import Client
    from livetable.tui.widgets.tab_line import TabLine

_MOST_TABS = 9

Chosen: TypeAlias = "Callable[[Target | None], Awaitable[None]]"
Choose: TypeAlias = "Callable[[ViewOptions, Chosen], object]"


class TablesScreen(LeftOnce[None]):
    """Shows each table in a pane, and one or two panes at a time.

    Args:
        targets: The tables to show.
        options: The command line's other options.
        can_leave: Whether there is a list of tables to go back to.
        client: A reader that has already requested the first table.
        choose: Lets the user choose a table, and calls back with it (None for no choice).
    """

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("tab", "next(1)", "Next table", show=False, priority=False),
        Binding("shift+tab", "next(-1)", "Previous table", show=False),
        *(
            Binding(f"{number}", f"tab({number - 1})", f"Table {number}", show=False)
            for number in range(1, _MOST_TABS + 1)
        ),
        Binding("vertical_line", "split", "Side by side", key_display="|", show=False),
        Binding("t", "same", "Duplicate this tab", show=False),
        Binding("T", "add", "Another table", show=False),
        Binding("ctrl+w", "close", "Close table", show=False),
    )

    def __init__(
        self,
        targets: Sequence[Target],
        options: ViewOptions = DEFAULTS,
        *,
        can_leave: bool = False,
        client: Client | None = None,
        choose: Choose,
    ) -> None:
        super().__init__()
        self._options = options
        self._can_leave = can_leave
        self._choose = choose
        self.panes = [
            pane_of(target, options, client if not at else None)
            for at, target in enumerate(targets)
        ]
        """The tables, in the order of their tabs."""
        self._current = 0
        self._split = False
        self._tabs: TabLine | None = None

    def compose(self) -> ComposeResult:
        """Yield the panes and the key line."""
        with Horizontal(id="panes"):
            yield from self.panes
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the first table."""
        self._arrange()
        self.watch(self, "focused", self._follow_focus, init=False)

    @property
    def pane(self) -> TablePane:
        """The current pane, which gets the keys."""
        return self.panes[self._current]

    @property
    def idle_actions(self) -> frozenset[str]:
        """Actions that would do nothing now."""
        return self.pane.idle_actions

    def end_work(self) -> None:
        """End the workers. A second call does nothing."""
        for pane in self.panes:
            pane.end_work()

    # -- the panes on the screen -------------------------------------------------------------------

    def _shown(self) -> list[TablePane]:
        if not self._split or len(self.panes) < 2:
            return [self.pane]
        first = min(self._current, len(self.panes) - 2)
        return self.panes[first : first + 2]

    def _arrange(self) -> None:
        shown = self._shown()
        for pane in self.panes:
            pane.display = pane in shown
            pane.set_class(len(shown) > 1 and pane is self.pane, "-current")
            if pane in shown and pane.changed:
                pane.come_back()
        self._say_tabs()
        if self.pane.is_mounted and not self.pane.has_focus_within:
            # At once: two postponed focus changes could undo each other for ever.
            self.set_focus(self.pane.table_view)

    def _say_tabs(self) -> None:
        names = [(pane.title, pane.changed) for pane in self.panes]
        if self._tabs is not None:
            self._tabs.show(names, self._current)
        elif len(names) > 1:  # not earlier: each widget delays the first paint
            from livetable.tui.widgets.tab_line import TabLine

            self._tabs = TabLine()
            self.mount(self._tabs, before="#panes")
            self.call_after_refresh(self._say_tabs)

    def on_table_pane_changed(self, message: TablePane.Changed) -> None:
        """Show that a hidden tab has news."""
        self._say_tabs()

    def _follow_focus(self) -> None:
        """Follow a click into the other pane."""
        for at, pane in enumerate(self.panes):
            if at != self._current and pane.has_focus_within:
                self._current = at
                self._arrange()

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        """Show the table whose tab was clicked."""
        self.action_tab(message.tab)

    def action_next(self, step: int) -> None:
        """Show the next table."""
        self.action_tab((self._current + step) % len(self.panes))

    def action_tab(self, tab: int) -> None:
        """Show a table."""
        if tab < len(self.panes):
            self._current = tab
            self._arrange()

    async def action_split(self) -> None:
        """Show two tables side by side, or one again. A single table is shown twice."""
        if len(self.panes) < 2:
            self._split = True
            await self.action_same()
        else:
            self._split = not self._split
            self._arrange()

    # -- open and close ----------------------------------------------------------------------------

    async def action_same(self) -> None:
        """Duplicate this tab. The new tab has its own filters, sort and columns."""
        await self.open(self.pane.target)

    def action_add(self) -> None:
        """Choose another table, and open it in a new tab."""

        async def chosen(target: Target | None) -> None:
            if target is not None:
                await self.open(target)

        self._choose(self._options, chosen)

    async def open(self, target: Target) -> None:
        """Open a table in a new tab, after this one."""
        # Only the first tab of a table saves its view: two tabs would overwrite each other's.
        opened = [pane.target for pane in self.panes]
        if len(self.panes) >= _MOST_TABS:
            self.app.notify(f"All {_MOST_TABS} tabs are in use. Close one with ^w.", timeout=3)
            return
        options = replace(
            self._options, timeout=None, view=None, remember=target not in opened, record=None
        )
        pane = pane_of(target, options)
        await self.query_one("#panes").mount(pane, after=self.pane)
        self._current += 1
        self.panes.insert(self._current, pane)
        self._arrange()

    def action_close(self) -> None:
        """Close this tab. Closing the last tab leaves the screen."""
        if len(self.panes) == 1:
            self.leave()
            return
        pane = self.panes.pop(self._current)
        pane.end_work()
        pane.remove()
        self._current = min(self._current, len(self.panes) - 1)
        self._split = self._split and len(self.panes) > 1
        self._arrange()

    def on_table_pane_left(self, message: TablePane.Left) -> None:
        """Go back to the list of tables, if there is one."""
        if self._can_leave:
            self.leave()

    def leave(self) -> None:
        """Go back to the list of tables. Exit if there is no list."""
        if self._can_leave:
            self.end_work()
            self.dismiss()
        else:
            self.app.exit()


def pane_of(target: Target, options: ViewOptions, client: Client | None = None) -> TablePane:
    """Return a pane that shows a table or a tape."""
    if target.tape is not None:
        from livetable.tui.pane.tape_pane import TapePane

        return TapePane(target, options)
    return TablePane(target, options, client)
