"""When the next paint may be made: no more is on its way to the terminal than its line carries.

A kernel, an `sshd`, a `tmux` take whatever is written and keep it; only the terminal's answers tell
what has arrived. What is known at any time is what was written, what of it was answered, and how
long that took. No Textual, no clock of its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

GAP_SECONDS: Final = 0.008
"""Paints are at least this far apart."""

PROBE_SECONDS: Final = 0.01
"""So far behind a question that is asked alone: an `sshd` sends together what comes together."""

LOOK_SECONDS: Final = 0.025
"""So often it is looked at what waits behind a terminal that answers for another one."""

QUICK_SECONDS: Final = 0.03
"""A terminal that answered this fast is near: it need not be asked after each paint."""

ASK_SECONDS: Final = 0.1
ASK_BYTES: Final = 8 << 10
"""But this often: a line that turns bad has no more on it than was written in between."""

SILENT_BYTES: Final = 10_000
"""Bytes a second for a terminal that does not answer: no line that people use carries less."""

SILENT_START: Final = 1 << 10
"""So much may be on its way to it when a paint is made."""

PATIENCE_SECONDS: Final = 10.0
"""One that has answered before, and does not for so long, is shown one paint more, and asked."""

SLOW_SECONDS: Final = 0.25
"""A terminal that takes longer than this to see a paint has no room for what only flashes."""

LIMIT_SECONDS: Final = 0.2
"""Where a paint takes so much longer than no bytes at all, the line is the limit."""

CALM_SECONDS: Final = 3.0
"""And is taken to be for this long: small paints come through fast on any line."""

RETRY_SECONDS: Final = 2.0
"""Who waits for the terminal looks again after this long at the latest."""

BEHIND_SECONDS: Final = 0.5
"""What is shown later than this on account of the line is said to be."""

_START_WINDOW: Final = 4 << 10
_LEAST_WINDOW: Final = 512
_MOST_WINDOW: Final = 96 << 10
_MEMORY_SECONDS: Final = 15.0  # the shortest round trip is looked for in so many
_LEAST_SAMPLE: Final = 1000  # bytes from which a rate can be told
_NO_TIME: Final = 0.002
_LEAST_ROOM: Final = 2 << 10
_FEW_BYTES: Final = 256
_PROBE_EVERY: Final = 5.0
_MOST_AT_ONCE: Final = 6
"""Paints on their way to a terminal far off: they are in the way where the line turns bad."""


class _Question(NamedTuple):
    """A question that the terminal has not answered.

    Attributes:
        offset: Bytes written when it was asked: the answer means that all of them arrived.
        at: When.
        size: Bytes that were on their way then.
        composed: When what was painted before it was made; None if nothing was.
        excused: Whether nobody was there to take the answer when it came.
    """

    offset: int
    at: float
    size: int
    composed: float | None
    excused: bool = False


class Backlog(NamedTuple):
    """What waits at a line behind the terminal, which answers before it has passed anything on.

    Attributes:
        queued: Bytes that were not acknowledged.
        acked: Bytes that were, since the line was opened.
        least: Seconds of its shortest round trip.
    """

    queued: int
    acked: int
    least: float


class Pace:
    """Says when to paint, whether to ask, and what the line is like. Lives in the event loop.

    Attributes:
        round_trip: Seconds from the last question to its answer; None before the first answer.
        rate: Bytes a second that the line carries, as far as it was ever filled; None if not.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.round_trip: float | None = None
        self.rate: float | None = None
        self._clock = clock
        self._questions: deque[_Question] = deque()
        self._trips: deque[tuple[float, float]] = deque()
        self._written = 0
        self._arrived = 0
        self._window = _START_WINDOW
        self._least = 0.0  # seconds of the shortest round trip lately
        self._probed_at = clock()
        self._alone_until = 0.0
        self._silent = True
        self._level = 0.0  # bytes on their way to a terminal that does not answer
        self._level_at = clock()
        self._asked_at = 0.0
        self._painted_at = 0.0
        self._composed: float | None = None
        self._delays: deque[tuple[float, float]] = deque()
        self._slow_until = 0.0
        self._limited_until = 0.0
        self._calm_at = 0.0
        self._heavy = 0
        self.backlog: Callable[[], Backlog | None] | None = None
        """Tells what waits behind the terminal, where that can be known."""
        self._held: tuple[float, int] | None = None  # since when, and what was acknowledged then

    # -- what is told ------------------------------------------------------------------------------

    def wrote(self, count: int) -> None:
        """Note that so many bytes were written to the terminal, by whomever."""
        self._leak()
        self._written += count
        self._level += count

    def painted(self) -> None:
        """Note a paint, which is written by now."""
        self._painted_at = self._composed = self._clock()

    def asked(self) -> None:
        """Note that the terminal is asked, behind all that was written."""
        now = self._asked_at = self._clock()
        self._questions.append(_Question(self._written, now, self.on_its_way, self._composed))
        self._composed = None

    def answered(self, moment: float | None = None) -> None:
        """Note the terminal's answer.

        Args:
            moment: When it came, by the same clock; None: now.
        """
        now = self._clock() if moment is None else moment
        self._silent = False
        if not self._questions:  # one that nobody waits for any more
            return
        question = self._questions.popleft()
        covered = max(0, question.offset - self._arrived)
        self._arrived = max(self._arrived, question.offset)
        if question.excused:
            return
        trip = self.round_trip = max(0.0, now - question.at)
        least = self._least_trip(now, trip, question.size)
        if question.composed is not None:
            self._delays.append((now, now - question.composed))
        self._learn(now, question.size, covered, trip, least)

    def forget(self) -> None:
        """Wait for no answer any more: they went to whoever had the terminal meanwhile."""
        self._questions.clear()
        self._arrived = self._written
        self._window = _LEAST_WINDOW

    def stood_still(self) -> None:
        """Note that this process was stopped until now: nothing took so long on the line's account.

        The answers are still awaited, each in its turn.
        """
        now = self._clock()
        self._questions = deque(
            one._replace(at=now, composed=None, excused=True) for one in self._questions
        )
        self._composed = None
        self._painted_at = now
        self._held = None

    # -- what is learned ---------------------------------------------------------------------------

    def _least_trip(self, now: float, trip: float, size: int) -> float:
        # Only of a few bytes the time is that of the way: else it is that of the bytes as well, and
        # where it is taken for that of the way, more and more bytes are.
        if size <= _FEW_BYTES:
            while self._trips and self._trips[0][0] < now - _MEMORY_SECONDS:
                self._trips.popleft()
            self._trips.append((now, trip))
            self._least = min(one for _, one in self._trips)
        elif not self._trips or trip < self._least:
            self._least = trip
        return self._least

    def _learn(self, now: float, size: int, covered: int, trip: float, least: float) -> None:
        queued = trip - least
        if size >= _LEAST_SAMPLE:
            self._sample(size / max(queued if size == covered else trip, _NO_TIME))
        if queued <= max(QUICK_SECONDS, least / 4):
            if size > 0.9 * self._window:  # one that is not used must not grow: it is used one day
                self._window = min(_MOST_WINDOW, self._window + covered)
        elif self.rate is not None:
            self._window = int(min(_MOST_WINDOW, max(_LEAST_WINDOW, self.rate * least)))
        if trip > SLOW_SECONDS:
            self._slow_until = now + CALM_SECONDS
        if queued > LIMIT_SECONDS and size >= _LEAST_SAMPLE:
            self._heavy = max(self._heavy, size)
        too_slow_for_it = self.rate is not None and self.rate * LIMIT_SECONDS < self._heavy
        if self._heavy and (queued > LIMIT_SECONDS / 2 or too_slow_for_it):
            self._limited_until = now + CALM_SECONDS
        if self._heavy and queued <= LIMIT_SECONDS / 2 and now >= self._calm_at:
            self._heavy //= 2  # small paints tell nothing of the rate: it is tried by and by
            self._calm_at = now + CALM_SECONDS
        elif queued > LIMIT_SECONDS / 2:
            self._calm_at = now + CALM_SECONDS

    def _sample(self, rate: float) -> None:
        # Down at once, up by and by: a line that is taken for faster than it is falls behind.
        if self.rate is None or rate < self.rate:
            self.rate = rate
        else:
            self.rate += 0.3 * (rate - self.rate)

    # -- what follows ------------------------------------------------------------------------------

    @property
    def is_slow(self) -> bool:
        """Whether the terminal takes so long to see a paint that flashes would be late."""
        return self._silent or self._clock() < self._slow_until or self.is_limited

    @property
    def is_limited(self) -> bool:
        """Whether the line is the limit, or is not known: each byte counts."""
        return self._silent or self._clock() < self._limited_until

    @property
    def on_its_way(self) -> int:
        """Bytes that were written and have not arrived, as far as can be known."""
        return max(0, self._written - self._arrived)

    @property
    def outstanding(self) -> int:
        """Questions that were not answered."""
        return len(self._questions)

    @property
    def behind(self) -> float:
        """Seconds that what the terminal confirmed lately is late on account of the line."""
        now = self._clock()
        while self._delays and self._delays[0][0] < now - CALM_SECONDS / 2:
            self._delays.popleft()
        late = [delay for _, delay in self._delays]
        late += [now - self._painted_at] if self._held is not None else []
        late += [now - one.composed for one in self._questions if one.composed is not None]
        if not self._silent:
            return max(late, default=0.0)
        self._leak()
        return self._level / SILENT_BYTES

    def should_ask(self) -> bool:
        """Tell whether to ask the terminal after what was just written."""
        unasked = self._written - (self._questions[-1].offset if self._questions else self._arrived)
        if unasked <= 0:
            return False
        near = self.round_trip is not None and self.round_trip < QUICK_SECONDS
        lately = self._clock() - self._asked_at < ASK_SECONDS and unasked < ASK_BYTES
        return not (near and lately and not self.is_slow)

    def probe(self) -> bool:
        """Tell whether to ask the terminal before the next paint is made, alone: for the way."""
        if not self._is_probe_due or self._asked_on_its_way > _FEW_BYTES:
            return False
        self._probed_at = self._clock()
        self._alone_until = self._probed_at + PROBE_SECONDS
        return True

    @property
    def _is_probe_due(self) -> bool:
        if self._silent or (self._least < QUICK_SECONDS and not self.is_slow):
            return False
        return self._clock() - self._probed_at > _PROBE_EVERY

    def wait(self, pending: int) -> float | None:
        """Return how long to wait before the next paint, 0 for not at all.

        Args:
            pending: Bytes the terminal has not taken.

        Returns:
            Seconds; None for until something happens: an answer, or the last byte is taken.
        """
        now = self._clock()
        if pending:
            return None
        if self._questions and self._questions[0].at + PATIENCE_SECONDS <= now:
            self.forget()
        apart = GAP_SECONDS if self.backlog is None else LOOK_SECONDS
        gap = self._painted_at + max(apart, self._least / _MOST_AT_ONCE) - now
        gap = max(0.0, gap, self._alone_until - now)
        if self._silent:
            self._leak()
            left = (self._level - SILENT_START) / SILENT_BYTES
            return max(gap, left if left > _NO_TIME else 0.0)
        drains = self._is_probe_due and self._asked_on_its_way > _FEW_BYTES
        if self._asked_on_its_way > self._window or drains:
            return max(gap, self._questions[0].at + PATIENCE_SECONDS - now)
        if self.backlog is not None and gap == 0 and self._is_held(now):
            return LOOK_SECONDS
        if self._questions and self._asked_on_its_way > _LEAST_WINDOW:
            overdue = self._questions[0].at + 2 * self._least + LIMIT_SECONDS
            if now >= overdue:  # the line has turned bad: what it carries now is not known
                return max(gap, self._questions[0].at + PATIENCE_SECONDS - now)
        return gap

    def _is_held(self, now: float) -> bool:
        """Tell whether too much waits behind the terminal."""
        assert self.backlog is not None
        backlog = self.backlog()
        if backlog is None:
            return False
        room = max(_LEAST_ROOM, min(_MOST_WINDOW, int((self.rate or 0.0) * backlog.least)))
        if backlog.queued <= room:
            if self._held is not None:
                since, acked = self._held
                self._held = None
                self._delays.append((now, now - self._painted_at))
                if now - since > LOOK_SECONDS and backlog.acked - acked >= _LEAST_SAMPLE:
                    self._sample((backlog.acked - acked) / (now - since))
            return False
        if self._held is None:
            self._held = now, backlog.acked
        if now - self._painted_at > LIMIT_SECONDS:
            self._limited_until = now + CALM_SECONDS
        return True

    @property
    def _asked_on_its_way(self) -> int:
        # Only of these an answer will come: what was written behind the last question is little.
        return max(0, self._questions[-1].offset - self._arrived) if self._questions else 0

    def _leak(self) -> None:
        now = self._clock()
        self._level = max(0.0, self._level - SILENT_BYTES * (now - self._level_at))
        self._level_at = now
