"""A table that can be sorted and filtered: the keys, and who does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.headings import ColumnRef
from livetable.tui.model.table import Table
from livetable.tui.pane.messages import ArrangedNews
from livetable.tui.widgets.bindings import named
from livetable.tui.widgets.table_view import TableView
from livetable.tui.widgets.view_line import ViewLine
from livetable.tui.workers.arranger import Arranger

if TYPE_CHECKING:
    from livetable.tui.query.arrange import Arranged, Arrangement
    from livetable.tui.query.rules import Rule
    from livetable.tui.widgets.prompt import Prompt


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of text that is being asked for.

    Attributes:
        prompt: Where it is typed.
        changed: Called with it at every key.
        done: Called with it at the end, None if it was given up; tells whether that will do.
        toggled: Called for the key that changes what the text is for.
    """

    prompt: Prompt
    changed: Callable[[str], object]
    done: Callable[[str | None], bool]
    toggled: Callable[[], object]


class ArrangedPane(Widget):
    """Shows tables as the person arranged them.

    `offer` takes a table as it came; `paint_next` holds it once it is arranged, and `paint_soon` is
    called then.
    """

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("s", "sort(False)", "Sort", tooltip="Sort by this column: up, down, not at all"),
        Binding("S", "sort(True)", "Sort further", show=False),
        Binding("o", "sort_mode", "Live/held order", show=False),
        Binding("O", "natural", "Natural order", show=False, tooltip="Sort item2 before item10"),
        Binding("f", "filter", "Filter", tooltip="Show only rows that meet a condition"),
        Binding("ampersand", "filter_same", "Filter by this cell", show=False),
        Binding("F", "unfilter", "Remove a filter", show=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.base: Table | None = None
        """The table as it came."""
        self.arrangement: Arrangement | None = None
        """What the person chose; None until something was."""
        self.arranged: Table | None = None
        """The table as it was arranged last, with all its columns."""
        self.paint_next: Table | None = None
        self.asked: Asked | None = None
        """The text that is being asked for; keys of the table do nothing meanwhile."""
        self.rules: tuple[Rule, ...] = ()
        """What gives rows a look."""
        self.needle = ""
        """What is searched for."""
        self.since_mark = ""
        """What came and went since the mark, if there is one."""
        self._problems: tuple[str, ...] = ()
        self._unapplied: dict[str, str] = {}
        self._told_unapplied: set[str] = set()
        self._rules_checked: tuple[object, ...] = ()
        self._bad_rules: dict[str, str] = {}
        self._arranger = Arranger(lambda: self.post_message(ArrangedNews()))
        self._arranging = False

    @cached_property
    def table_view(self) -> TableView:
        """The widget. It stays as long as the pane does."""
        return self.query_one(TableView)

    def paint_soon(self) -> None:
        """Paint `paint_next` as soon as that is possible."""
        raise NotImplementedError

    def end_work(self) -> None:
        """End the worker."""
        self._arranger.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the keys of the table while a text is typed."""
        return self.asked is None or not hasattr(self, f"action_{action}")

    # -- from a table as it came to one to paint ---------------------------------------------------

    def offer(self, table: Table) -> None:
        """Take a table as it came; it is painted once it is arranged."""
        self.base = table
        if self.arrangement is None or self.arrangement.is_plain:
            self.arranged = self.paint_next = table
        else:
            self._arrange(table, self.arrangement)

    def _arrange(self, table: Table, chosen: Arrangement) -> bool:
        """Arrange a table now, or else soon; tell whether it is done."""
        done = self._arranger.arrange_now(table, chosen)
        if done is None:
            self._arranger.ask(table, chosen)
            return False
        self._accept(done)
        return True

    def on_arranged_news(self, message: ArrangedNews) -> None:
        """Show what was worked out, unless something else is wanted by now."""
        done = self._arranger.take()
        if done is not None and done.arrangement == self.arrangement:
            self._accept(done)
            self.paint_soon()

    def _accept(self, done: Arranged) -> None:
        self.arranged = self.paint_next = done.table
        self._problems = done.problems[len(done.unapplied) :]
        self._unapplied = dict(done.unapplied)

    def dress(self, table: Table) -> Table:
        """Return a table as it is painted, with the columns that the person chose."""
        return table

    def dress_anew(self) -> None:
        """Paint the frame that is shown with other columns: nothing need be arranged anew."""
        if self.arranged is not None:
            self.paint_next = self.arranged
            self.paint_soon()

    def choose(self, chosen: Arrangement) -> None:
        """Arrange the table in another way from now on."""
        if self.is_attached and chosen.groups != self.chosen().groups:
            self.screen.refresh_bindings()  # of groups there are other keys
        self.arrangement = chosen
        self.start_arranging()
        if chosen.is_plain:
            self._problems = ()
            self._unapplied = {}
            self.arranged = self.paint_next = self.base
            self.say_view(self.base)
            self.paint_soon()
        elif self.base is not None:
            if self._arrange(self.base, chosen):
                self.say_view(self.arranged)
                self.paint_soon()
            else:
                self.say_view(self.table_view.table)

    def start_arranging(self) -> None:
        """Start the worker, unless it works."""
        if not self._arranging:
            self._arranging = True
            self.run_worker(self._arranger.run, name="arranger", group="arranger", thread=True)
        self._say_arrows()

    def say_view(self, table: Table | None) -> None:
        """Say how a table is arranged."""
        rows = None if table is None else (table.rows, table.frame_rows)
        unapplied = self._unapplied | self._rules_unapplied()
        self._tell_unapplied(unapplied)
        self.query_one(ViewLine).show(
            self.arrangement,
            rows=rows,
            busy=self._arranger.busy and table is not None and table.frame_rows > 100_000,
            problems=(*self._problems, *self.more_problems()),
            search=self.needle,
            rules=self.rules,
            unapplied=unapplied,
            mark=self.since_mark,
        )

    def _tell_unapplied(self, unapplied: dict[str, str]) -> None:
        """Say once what is no longer applied, whole: the view line may be cut."""
        if self.asked is not None:  # of what is typed the prompt tells
            return
        for text, why in unapplied.items():
            if text not in self._told_unapplied:
                self._told_unapplied.add(text)
                says = harmless(f"Not applied: {text[:80]} — {why}")
                self.app.notify(says, severity="warning", timeout=8, markup=False)

    def _rules_unapplied(self) -> dict[str, str]:
        """Return the rules that can't be worked out now: looked for when types or rules change."""
        base = self.base
        if base is None or not self.rules:
            return {}
        everything = base.undressed
        checked = (self.rules, everything.titles, everything.types)
        if checked != self._rules_checked:
            from livetable.tui.query.rules import unapplied

            self._rules_checked, self._bad_rules = checked, unapplied(self.rules, base)
        return self._bad_rules

    def more_problems(self) -> list[str]:
        """Return what else could not be done, a sentence each."""
        return []

    def _say_arrows(self) -> None:
        keys = self.arrangement.sort if self.arrangement is not None else ()
        self.table_view.arrows = {key.column: "↓" if key.descending else "↑" for key in keys}

    def chosen(self) -> Arrangement:
        """Return how the table is arranged."""
        from livetable.tui.query.arrange import (
            PLAIN,  # late: what it loads takes as long as a paint
        )

        return self.arrangement or PLAIN

    def under_cursor(self) -> tuple[Table, int, ColumnRef] | None:
        """Return the table that is shown, the cursor's column in it, and what that is held by."""
        table, column = self.table_view.table, self.table_view.cursor_column
        if table is None or not 0 <= column < len(table.refs):
            return None
        return table, column, table.refs[column]

    # -- sorting -----------------------------------------------------------------------------------

    def action_sort(self, further: bool) -> None:
        """Sort by the cursor's column: up, then down, then not at all."""
        self._sort_by(self.table_view.cursor_column, further)

    def _sort_by(self, column: int, further: bool) -> None:
        from livetable.tui.query.arrange import sorted_by

        table = self.table_view.table
        if table is not None and column < len(table.refs):
            self.choose(sorted_by(self.chosen(), table.refs[column], further=further))

    def on_table_view_header_selected(self, message: TableView.HeaderSelected) -> None:
        """Sort by the column whose header was clicked."""
        self._sort_by(message.column, message.further)

    def action_sort_mode(self) -> None:
        """Let rows move as values change, hold them, or sort them once."""
        from livetable.tui.query.arrange import Mode

        chosen = self.chosen()
        if not chosen.sort:
            self.app.notify("Press s to sort first, then o to freeze the order.", timeout=3)
            return
        mode = following(Mode, chosen.mode)
        asked = chosen.asked + (mode is Mode.ONCE)
        self.choose(replace(chosen, mode=mode, asked=asked))

    def action_natural(self) -> None:
        """Let the numbers in texts count as such when they are sorted, or no more."""
        chosen = self.chosen()
        if not chosen.sort:
            self.app.notify("Press s to sort first, then O to sort item2 before item10.", timeout=3)
            return
        natural = not chosen.natural
        self.choose(replace(chosen, natural=natural, asked=chosen.asked + 1))

    # -- filters -----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Ask for a condition that rows must meet."""
        table = self.table_view.table
        if table is None:
            return
        # Late: what it loads is a tenth of the start.
        from livetable.tui.widgets.prompt import Prompt, begins_title

        before = self.chosen()
        prompt = Prompt("filter: ", hint=_filter_hint(table), words=table.titles)

        def done(text: str | None) -> bool:
            return self._try_filter(prompt, before, text or "")

        def changed(text: str) -> None:
            if begins_title(text, table.titles):  # of a condition, likely: nothing may vanish yet
                prompt.say(None)
                self.choose(before)
            else:
                self._try_filter(prompt, before, text)

        self.ask(prompt, done, changed)

    def action_filter_same(self) -> None:
        """Show only rows that have the cursor's value in its column."""
        from livetable.tui.query.arrange import equals_filter, with_filter

        found, row = self.under_cursor(), self.table_view.cursor_row
        if found is not None and row < found[0].rows:
            same = equals_filter(found[0], found[1], row)
            if same is None:
                self.app.notify("No filter can match this value.", timeout=3)
            else:
                self.choose(with_filter(self.chosen(), same))

    def action_unfilter(self) -> None:
        """Remove the newest filter."""
        chosen = self.chosen()
        if chosen.filters:
            self.choose(replace(chosen, filters=chosen.filters[:-1]))

    def _try_filter(self, prompt: Prompt, before: Arrangement, text: str) -> bool:
        """Show what a filter leaves; a wrong one is told and changes nothing."""
        from livetable.tui.query.arrange import check_filter, with_filter
        from livetable.tui.query.nodes import BadExpression

        table = self.base
        chosen = before
        if text.strip() and table is not None:
            everything = table.undressed
            try:
                check_filter(text, everything.titles, everything.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            chosen = with_filter(before, text.strip())
        prompt.say(None)
        self.choose(chosen)
        return True

    # -- the prompt --------------------------------------------------------------------------------

    def ask(
        self,
        prompt: Prompt,
        done: Callable[[str | None], bool],
        changed: Callable[[str], object] = lambda text: None,
        toggled: Callable[[], object] = lambda: None,
    ) -> None:
        """Ask for a line of text at the foot of the pane (see `Asked`)."""
        self.asked = Asked(prompt, changed, done, toggled)
        self.table_view.can_focus = False  # a click on it would leave the prompt without keys
        self.mount(prompt)

    @property
    def prompt(self) -> Prompt | None:
        """Where the text is typed that is being asked for, None if none is."""
        return self.asked.prompt if self.asked is not None else None

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """Show at once what a text leads to."""
        if self.asked is not None:
            self.asked.changed(message.text)

    def on_prompt_toggled(self, message: Prompt.Toggled) -> None:
        """Change what the text is for."""
        if self.asked is not None:
            self.asked.toggled()

    def on_prompt_done(self, message: Prompt.Done) -> None:
        """Keep what was typed, or go back."""
        if self.asked is None:
            return
        prompt = self.asked.prompt
        if self.asked.done(message.text):
            prompt.remove()
            self.asked = None
            self.table_view.can_focus = True
            self.screen.set_focus(self.table_view)
        prompt.settled.set()


def _filter_hint(table: Table) -> str:
    """Return an example that works with this table."""
    from livetable.tui.query.group import is_numeric
    from livetable.tui.query.quoting import quote

    numbers = [at for at, kind in enumerate(table.types) if is_numeric(kind)]
    texts = [at for at, kind in enumerate(table.types) if "string" in str(kind)]
    parts = [f"{quote(table.titles[at])} > 0" for at in numbers[-1:]]
    parts += [f"{quote(table.titles[at])} == 'x'" for at in texts[-1:]]
    return f"{' and '.join(parts)}   or any text that a row contains".strip()


def following(values: Iterable[T], now: T) -> T:
    """Return the value behind one of several, the first one behind the last."""
    there = list(values)
    return there[(there.index(now) + 1) % len(there)]
