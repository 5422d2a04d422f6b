"""The states of a table on a tape, by number; recent ones are cached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from livetable.feed.errors import BodyError
from livetable.feed.frames.decoder import Decoder
from livetable.feed.protocol.messages import Header
from livetable.feed.rows.replica import Followed, Follower
from livetable.feed.tape.file import BadTape
from livetable.feed.tape.reader import TapeReader

_KEPT_BYTES: Final = 64 << 20
_LEAST_KEPT: Final = 2
_MOST_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class Played:
    """A state.

    Attributes:
        time: When it was sent, in seconds since 1970.
        header: The feed's header.
        state: The table.
    """

    time: float
    header: Header
    state: Followed


class Playback:
    """Reads states from a tape. Thread-safe.

    Args:
        tape: The tape; `close` closes it, too.
    """

    def __init__(self, tape: TapeReader) -> None:
        self.tape = tape
        self._lock = threading.Lock()
        self._decoder = Decoder()
        self._follower = Follower()
        self._reached = -1  # the last frame that the follower applied
        self._kept: OrderedDict[int, Played] = OrderedDict()
        self._kept_bytes = 0

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self.tape)

    def close(self) -> None:
        """Close the tape."""
        with self._lock:
            self.tape.close()

    def time(self, number: int) -> float:
        """Return when a state was sent, in seconds since 1970."""
        with self._lock:
            return self.tape.time(number)

    def number_at(self, time: float) -> int:
        """Return the number of the state that was the newest at a time; 0 before the first."""
        with self._lock:
            return self.tape.number_at(time)

    def at(self, number: int) -> Played:
        """Return a state.

        Raises:
            BadTape: it can't be read.
            IndexError: there is no such state.
        """
        with self._lock:
            played = self._kept.get(number)
            if played is not None:
                self._kept.move_to_end(number)
                return played
            whole = self.tape.whole(number)
            # Apply deltas from the last snapshot on, or from the last frame that was applied.
            if not whole <= self._reached < number:
                self._reached = -1
            if whole > number:
                raise BadTape(f"{self.tape.path}: frame {number} builds on a later frame")
            first = whole if self._reached < 0 else self._reached + 1
            for step in range(first, number + 1):
                played = self._play(step)
            assert played is not None
            return played

    def _play(self, number: int) -> Played:
        frame = self.tape.frame(number)
        header = frame.header
        try:
            if header.kind == "delta":
                delta = self._decoder.delta(frame.body)
                state = self._follower.delta(delta, header.gone, header.rows)
            elif header.kind == "snapshot":
                state = self._follower.snapshot(self._decoder(frame.body), header.size)
            else:
                raise BodyError(f"a frame of kind {header.kind!r}")
        except BodyError as error:
            self._reached = -1
            raise BadTape(f"{self.tape.path}: frame {number}: {error}") from None
        self._reached = number
        played = self._kept[number] = Played(frame.time, header, state)
        self._kept_bytes += state.size
        while len(self._kept) > _MOST_KEPT or (
            self._kept_bytes > _KEPT_BYTES and len(self._kept) > _LEAST_KEPT
        ):
            _, gone = self._kept.popitem(last=False)
            self._kept_bytes -= gone.state.size
        return played
