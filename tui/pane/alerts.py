"""A table that tells when a row begins to meet a condition: bell, notice, and a list of them."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from livetable.feed.base.terminal_text import harmless
from livetable.tui.model.table import Table
from livetable.tui.pane.time_travel import TimedPane
from livetable.tui.terminal.textual_private import driver_of
from livetable.tui.widgets.bindings import named

if TYPE_CHECKING:
    from livetable.tui.query.conditions import Watch
    from livetable.tui.workers.alerts import Alarm, Alert

_KEPT: Final = 200
_NOTICE_SECONDS: Final = 1.0  # between bells: a table that moves fast must not shake the desk
_TELLS_777: Final = ("rxvt", "foot", "xterm-ghostty")
_HINT: Final = "price > 100 until price < 95; empty: no alert any more"


class AlertedPane(TimedPane):
    """Checks each table that comes for what the person wants to be told."""

    BINDINGS: ClassVar[list[BindingType]] = named(
        Binding("W", "alert", "Alert", show=False, tooltip="Tell when a row meets a condition"),
        Binding("E", "alerts", "Alerts", show=False, tooltip="List past alerts"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.alerts: tuple[str, ...] = ()
        """The conditions, as they were written."""
        self.alert_command: str | None = None
        self.until: Watch | None = None
        self.told: deque[Alert] = deque(maxlen=_KEPT)
        """Past alerts, the newest last."""
        self._alarm: Alarm | None = None
        self._checking = False
        self._next_notice = 0.0

    def keep(self, table: Table) -> Table:
        """Put a table that came into the history, and check it."""
        kept = super().keep(table)
        if self.alerts or self.until is not None:
            self._check(kept)
        return kept

    def choose_alerts(self, conditions: tuple[str, ...]) -> None:
        """Be told of other conditions from now on: of what meets them already as well."""
        from livetable.tui.workers.alerts import Alarm

        self.alerts = conditions
        self.end_alarm()
        if conditions:
            self._alarm = Alarm(conditions, self.title_for_alerts, self.alert_command)
            if self.newest is not None:
                self._check(self.newest)

    @property
    def title_for_alerts(self) -> str:
        """What the table is called in an alert."""
        return ""

    def end_alarm(self) -> None:
        """Check no more."""
        if self._alarm is not None:
            self._alarm.close()
            self._alarm = None

    def _check(self, table: Table) -> None:
        """Check a table off the event loop; one at a time: the newest is checked, not each."""
        if self._checking:
            return
        self._checking = True
        alarm, until = self._alarm, self.until

        def run() -> None:
            alerts: list[Alert] = []
            over, problem = False, None
            try:
                alerts = alarm.check(table) if alarm is not None else []
                over = until is not None and len(until.check(table)) > 0
                problem = alarm.problem if alarm is not None else None
                problem = problem or (until.problem if until is not None else None)
            except Exception as error:  # of Arrow, for a type nobody thought of
                problem = f"alerts can't be checked: {error!r:.100}"
            self.app.call_from_thread(self._checked, table, alerts, over, problem)

        self.run_worker(run, group="alerts", thread=True, exit_on_error=False)

    def _checked(self, table: Table, alerts: list[Alert], over: bool, problem: str | None) -> None:
        self._checking = False
        if over:
            self.app.exit(return_code=0)
            return
        if not self.is_attached:
            return
        self.told.extend(alerts)
        if alerts:
            self._notice(alerts)
        if problem != self.alert_problem:
            self.alert_problem = problem
            if problem is not None:
                self.app.notify(harmless(problem), severity="warning", markup=False)
        newest = self.newest
        if newest is not None and newest.position != table.position:
            self._check(newest)  # what came meanwhile

    alert_problem: str | None = None

    def _notice(self, alerts: list[Alert]) -> None:
        from livetable.tui.workers.alerts import sentence_of

        now = time.monotonic()
        if now < self._next_notice:
            return
        self._next_notice = now + _NOTICE_SECONDS
        more = len(alerts) - 1 + sum(alert.more for alert in alerts)
        sentence = sentence_of(alerts[0]) + (f" (and {more:,} more; E lists them)" if more else "")
        self.app.bell()
        self.app.notify(sentence, title="Alert", severity="warning", timeout=8, markup=False)
        driver = driver_of(self.app)
        if driver is not None and not self.app.is_headless:
            driver.write(desktop_notice(sentence))

    # -- keys --------------------------------------------------------------------------------------

    def action_alert(self) -> None:
        """Ask for a condition to be told of."""
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
                self.choose_alerts(())
                return True
            everything = table.undressed
            try:
                check_alert(text, everything.titles, everything.types)
            except BadExpression as error:
                prompt.say(error.sentence, error.start)
                return False
            self.choose_alerts((*self.alerts, text))
            return True

        def answered(text: str | None) -> bool:
            return True if text is None else done(text)

        self.ask(prompt, answered)

    def action_alerts(self) -> None:
        """List past alerts, the newest first."""
        if not self.told:
            what = f"of {', '.join(self.alerts)}" if self.alerts else "; W sets one"
            self.app.notify(harmless(f"no alert yet {what}"), timeout=4, markup=False)
            return
        from livetable.tui.dialogs.choice import ChoiceScreen
        from livetable.tui.workers.alerts import sentence_of

        lines = {str(at): sentence_of(alert) for at, alert in enumerate(reversed(self.told))}
        self.app.push_screen(ChoiceScreen("Alerts, the newest first", lines, wide=True))


def desktop_notice(sentence: str) -> str:
    """Return what makes a terminal show a notice on the desktop, through tmux as well."""
    text = harmless(sentence)[:200]
    if os.environ.get("TERM", "").startswith(_TELLS_777):
        told = f"\x1b]777;notify;livetable;{text.replace(';', ',')}\x07"
    else:
        told = f"\x1b]9;{text}\x07"
    if os.environ.get("TMUX"):
        told = "\x1bPtmux;" + told.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return told
