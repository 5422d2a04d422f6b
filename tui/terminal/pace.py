"""Decides when to paint next, so that no more bytes are in flight than the line carries.

The kernel, `sshd` and `tmux` accept and buffer whatever is written; only the terminal's answers
tell what has arrived. So this works with what was written, what of it was answered, and how long
that took. No Textual, no clock of its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

GAP_SECONDS: Final = 0.008
"""Minimum time between paints."""

PROBE_SECONDS: Final = 0.01
"""Pause after a probe: `sshd` would merge a paint that follows at once into the same packet."""

LOOK_SECONDS: Final = 0.025
"""Interval for checking the backlog behind a `tmux`, which answers for the real terminal."""

QUICK_SECONDS: Final = 0.03
"""A terminal that answers faster than this is not asked after each paint."""

ASK_SECONDS: Final = 0.1
ASK_BYTES: Final = 8 << 10
"""But at least this often: if the line turns bad, no more than that is in flight."""

SILENT_BYTES: Final = 10_000
"""Assumed bytes per second of a terminal that does not answer: slower lines are not in use."""

SILENT_START: Final = 1 << 10
"""Bytes that may be in flight to a terminal that does not answer."""

PATIENCE_SECONDS: Final = 10.0
"""After this long without an answer, a terminal that has answered before gets one more paint."""

SLOW_SECONDS: Final = 0.25
"""If a paint takes longer than this to arrive, flashes are left out."""

LIMIT_SECONDS: Final = 0.2
"""If a paint takes this much longer than an empty round trip, the line is the bottleneck."""

CALM_SECONDS: Final = 3.0
"""How long it is then assumed to be the bottleneck: small paints are fast on any line."""

RETRY_SECONDS: Final = 2.0
"""A caller that waits for the terminal looks again after this long at the latest."""

BEHIND_SECONDS: Final = 0.5
"""A longer delay by the line is shown in the status line."""

_START_WINDOW: Final = 4 << 10
_LEAST_WINDOW: Final = 512
_MOST_WINDOW: Final = 96 << 10
_MEMORY_SECONDS: Final = 15.0  # period for the shortest round trip
_LEAST_SAMPLE: Final = 1000  # bytes needed to measure a rate
_NO_TIME: Final = 0.002
_LEAST_ROOM: Final = 2 << 10
_FEW_BYTES: Final = 256
_PROBE_EVERY: Final = 5.0
_MOST_AT_ONCE: Final = 6
"""Most paints in flight to a distant terminal: they add to the delay if the line turns bad."""


class _Question(NamedTuple):
    """A question that the terminal has not answered.

    Attributes:
        offset: Bytes written before it: the answer means that they have arrived.
        at: When it was asked.
        size: Bytes in flight when it was asked.
        composed: When the paint before it was composed; None if there was none.
        excused: Whether this process was stopped meanwhile, so that the time means nothing.
    """

    offset: int
    at: float
    size: int
    composed: float | None
    excused: bool = False


class Backlog(NamedTuple):
    """The backlog of a line behind the terminal: `tmux` answers before it has sent anything on.

    Attributes:
        queued: Bytes that are not acknowledged.
        acked: Bytes that were acknowledged since the line was opened.
        least: Its shortest round trip in seconds.
    """

    queued: int
    acked: int
    least: float


class Pace:
    """Decides when to paint and when to ask, and measures the line. For the event loop's thread.

    Attributes:
        round_trip: Seconds from the last question to its answer; None before the first answer.
        rate: Measured bytes per second of the line; None if it was never filled.
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
        """Returns the backlog behind the terminal, if that can be known."""
        self._held: tuple[float, int] | None = None  # waiting since, bytes acknowledged then

    # -- events ------------------------------------------------------------------------------------

    def wrote(self, count: int) -> None:
        """Note that bytes were written to the terminal, for whatever purpose."""
        self._leak()
        self._written += count
        self._level += count

    def painted(self) -> None:
        """Note that a paint was written."""
        self._painted_at = self._composed = self._clock()

    def asked(self) -> None:
        """Note that the terminal was asked, after everything written so far."""
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
        if not self._questions:  # to a question from before `forget`
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
        """Drop all open questions: another program has read their answers."""
        self._questions.clear()
        self._arrived = self._written
        self._window = _LEAST_WINDOW

    def stood_still(self) -> None:
        """Note that this process was stopped until now, so the times say nothing about the line.

        The answers are still expected, in order.
        """
        now = self._clock()
        self._questions = deque(
            one._replace(at=now, composed=None, excused=True) for one in self._questions
        )
        self._composed = None
        self._painted_at = now
        self._held = None

    # -- measurements ------------------------------------------------------------------------------

    def _least_trip(self, now: float, trip: float, size: int) -> float:
        # Only with few bytes in flight is this the line's latency. With many, it includes the time
        # to send them; taken for latency, that would allow more and more bytes in flight.
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
            if size > 0.9 * self._window:  # an unused window must not grow: its size is untested
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
            self._heavy //= 2  # small paints don't measure the rate: try larger ones gradually
            self._calm_at = now + CALM_SECONDS
        elif queued > LIMIT_SECONDS / 2:
            self._calm_at = now + CALM_SECONDS

    def _sample(self, rate: float) -> None:
        # Down at once, up slowly: overestimating the rate makes the screen lag.
        if self.rate is None or rate < self.rate:
            self.rate = rate
        else:
            self.rate += 0.3 * (rate - self.rate)

    # -- decisions ---------------------------------------------------------------------------------

    @property
    def is_slow(self) -> bool:
        """Whether paints take so long to arrive that flashes would be late."""
        return self._silent or self._clock() < self._slow_until or self.is_limited

    @property
    def is_limited(self) -> bool:
        """Whether the line is the bottleneck, or unknown: then each byte counts."""
        return self._silent or self._clock() < self._limited_until

    @property
    def on_its_way(self) -> int:
        """Bytes in flight, as far as known."""
        return max(0, self._written - self._arrived)

    @property
    def outstanding(self) -> int:
        """Number of unanswered questions."""
        return len(self._questions)

    @property
    def behind(self) -> float:
        """Seconds by which the line delayed what the terminal has confirmed lately."""
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
        """Tell whether to ask the terminal now, after a write."""
        unasked = self._written - (self._questions[-1].offset if self._questions else self._arrived)
        if unasked <= 0:
            return False
        near = self.round_trip is not None and self.round_trip < QUICK_SECONDS
        lately = self._clock() - self._asked_at < ASK_SECONDS and unasked < ASK_BYTES
        return not (near and lately and not self.is_slow)

    def probe(self) -> bool:
        """Tell whether to ask without a paint now, to measure the line's latency."""
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
        """Return how long to wait before the next paint.

        Args:
            pending: Bytes that the terminal has not accepted.

        Returns:
            Seconds, 0 for now; None: until an answer arrives or the last byte is accepted.
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
            if now >= overdue:  # the line has turned bad: its rate is unknown now
                return max(gap, self._questions[0].at + PATIENCE_SECONDS - now)
        return gap

    def _is_held(self, now: float) -> bool:
        """Tell whether the backlog behind the terminal is too large."""
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
        # Bytes after the last question don't count: no answer will confirm them, and they are few.
        return max(0, self._questions[-1].offset - self._arrived) if self._questions else 0

    def _leak(self) -> None:
        now = self._clock()
        self._level = max(0.0, self._level - SILENT_BYTES * (now - self._level_at))
        self._level_at = now
