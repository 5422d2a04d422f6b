"""Alert when a row begins to match a condition: bell, notice, and a list of past alerts."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import Table
from livetable.tui.pane.feature import Feature
from livetable.tui.terminal.textual_private import driver_of
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.pane.feature_pane import FeaturePane
    from livetable.tui.query.conditions import Watch
    from livetable.tui.workers.alerts import Alarm, Alert

_KEPT: Final = 200
_NOTICE_SECONDS: Final = 1.0  # between bells: a fast table must not ring without a pause
_KNOWS_777: Final = ("rxvt", "foot", "xterm-ghostty")
_HINT: Final = "e.g. price > 100 until price < 95; empty to remove all alerts"


class Alerts(Feature):
    """Checks new tables in a thread, and alerts the user."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("W", "alert", "Alert", show=False, tooltip="Alert when a row matches a condition"),
        Binding("E", "alerts", "Alerts", show=False, tooltip="List past alerts"),
    )

    def __init__(self, pane: FeaturePane) -> None:
        super().__init__(pane)
        self.conditions: tuple[str, ...] = ()
        """The conditions, as they were written."""
        self.command: str | None = None
        """The command to run for each alert, None for none."""
        self.until: Watch | None = None
        """The condition that ends the viewer."""
        self.past: deque[Alert] = deque(maxlen=_KEPT)
        """Past alerts, the newest last."""
        self._alarm: Alarm | None = None
        self._problem: str | None = None
        self._is_checking = False
        self._next_notice = 0.0

    def on_table(self, table: Table) -> None:
        """Check a new table."""
        if self.conditions or self.until is not None:
            self._check(table)

    def problems(self) -> Sequence[str]:
        """Return why the conditions can't be checked."""
        return () if self._problem is None else (f"alert {self._problem}",)

    def close(self) -> None:
        """Stop checking."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def choose(self, conditions: tuple[str, ...]) -> None:
        """Replace the conditions. Rows that match already raise an alert, too."""
        from livetable.tui.workers.alerts import Alarm

        self.conditions = conditions
        self.close()
        if conditions:
            self._alarm = Alarm(conditions, self.pane.title, self.command)
            if self.pane.newest is not None:
                self._check(self.pane.newest)

    def _check(self, table: Table) -> None:
        """Check a table in a thread, one at a time. Tables that arrive meanwhile are skipped."""
        if self._is_checking:
            return
        self._is_checking = True
        alarm, until = self._alarm, self.until

        def run() -> None:
            alerts: list[Alert] = []
            over, problem = False, None
            try:
                alerts = alarm.check(table) if alarm is not None else []
                over = until is not None and len(until.check(table)) > 0
                problem = alarm.problem if alarm is not None else None
                problem = problem or (until.problem if until is not None else None)
            except Exception as error:  # from Arrow, for an unexpected type
                problem = f"Can't check the alerts: {error!r:.100}"
            self.pane.app.call_from_thread(self._checked, table, alerts, over, problem)

        self.pane.run_worker(run, group="alerts", thread=True, exit_on_error=False)

    def _checked(self, table: Table, alerts: list[Alert], over: bool, problem: str | None) -> None:
        self._is_checking = False
        if over:
            self.pane.app.exit(return_code=0)
            return
        if not self.pane.is_attached:
            return
        self.past.extend(alerts)
        if alerts:
            self._notice(alerts)
        if problem != self._problem:
            self._problem = problem
            if problem is not None:
                self.pane.app.notify(harmless(problem), severity="warning", markup=False)
        newest = self.pane.newest
        if newest is not None and newest.position != table.position:
            self._check(newest)  # the newest table arrived during the check

    def _notice(self, alerts: list[Alert]) -> None:
        from livetable.tui.workers.alerts import sentence_of

        now = time.monotonic()
        if now < self._next_notice:
            return
        self._next_notice = now + _NOTICE_SECONDS
        more = len(alerts) - 1 + sum(alert.more for alert in alerts)
        sentence = sentence_of(alerts[0]) + (f" (and {more:,} more; E lists them)" if more else "")
        self.pane.app.bell()
        self.pane.app.notify(sentence, title="Alert", severity="warning", timeout=8, markup=False)
        driver = driver_of(self.pane.app)
        if driver is not None and not self.pane.app.is_headless:
            driver.write(desktop_notice(sentence))

    # -- keys --------------------------------------------------------------------------------------

    def action_alert(self) -> None:
        """Ask for a condition to alert on."""
        table = self.table_view.table
        if table is None:
            return
        from livetable.tui.query.conditions import check_alert
        from livetable.tui.query.nodes import BadExpression
        from livetable.tui.widgets.prompt import Prompt

        prompt = Prompt("alert when: ", hint=_HINT, words=table.titles)

        def done(text: str | None) -> bool:
            text = (text or "").strip()
            if not text:
                self.choose(())
                return True
            everything = table.undressed
            try:
                check_alert(text, everything.titles, everything.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            self.choose((*self.conditions, text))
            return True

        def answered(text: str | None) -> bool:
            return True if text is None else done(text)

        self.pane.ask(prompt, answered)

    def action_alerts(self) -> None:
        """List past alerts, the newest first."""
        if not self.past:
            sentence = "No alert yet. Press W to set one."
            if self.conditions:
                sentence = f"No alert yet. Waiting for: {', '.join(self.conditions)}"
            self.say(harmless(sentence), 4.0)
            return
        from livetable.tui.dialogs.choice import ChoiceScreen
        from livetable.tui.workers.alerts import sentence_of

        lines = {str(row): sentence_of(alert) for row, alert in enumerate(reversed(self.past))}
        self.pane.app.push_screen(ChoiceScreen("Alerts, the newest first", lines, wide=True))


def desktop_notice(sentence: str) -> str:
    """Return the escape code that makes a terminal show a desktop notice, also through tmux."""
    text = harmless(sentence)[:200]
    if os.environ.get("TERM", "").startswith(_KNOWS_777):
        code = f"\x1b]777;notify;livetable;{text.replace(';', ',')}\x07"
    else:
        code = f"\x1b]9;{text}\x07"
    if os.environ.get("TMUX"):
        code = "\x1bPtmux;" + code.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return code
