"""The source `replay`: publishes a tape again, frame by frame, at its own speed or another."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from livetable.feed.frames.captured import Captured
from livetable.feed.protocol.labels import from_json
from livetable.feed.protocol.names import name_from
from livetable.feed.server.publisher import Publisher
from livetable.feed.sources.options import TableOptions
from livetable.feed.sources.publish import Publish
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(TableOptions):
    """Which tape is played, and how.

    Attributes:
        file: The tape.
        speed: How many times as fast as it was recorded.
        loop: Whether it begins again at its end.
    """

    file: str
    speed: float = 1.0
    loop: bool = False


def run(options: Options, publish: Publish, stop: threading.Event) -> None:
    """Publish a tape's states until its end, or for ever with `loop`."""
    tape = TapeReader(Path(options.file))
    playback = Playback(tape)
    try:
        key = options.key or list(map(from_json, tape.frame(0).header.key))
        name = options.name or name_from(tape.table, "tape")
        with publish(name, key=key, limit=options.limit) as publisher:
            while not stop.is_set():
                _once(playback, options.speed, publisher, stop)
                if not options.loop:
                    break
            publisher.end()
            stop.wait()
    finally:
        playback.close()


def _once(playback: Playback, speed: float, publisher: Publisher, stop: threading.Event) -> None:
    first, began = playback.time(0), time.monotonic()
    for number in range(len(playback)):
        due = began + (playback.time(number) - first) / speed
        # Wait in pieces: at a low speed a wait can exceed the longest time that wait() takes.
        while (left := due - time.monotonic()) > 0.0:
            if stop.wait(min(left, 3600.0)):
                return
        if stop.is_set():
            return
        if number + 1 < len(playback):
            following = began + (playback.time(number + 1) - first) / speed
            if following < time.monotonic():
                continue  # late: the next one is due already
        played = playback.at(number)
        shape = played.state.count, len(played.state.labels.columns)
        publisher.send_captured(Captured(played.state, shape))
