"""The source `replay`: a tape is published again, frame by frame, in its own time or faster."""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

from livetable.feed.frames.captured import Captured
from livetable.feed.server.publisher import Publisher
from livetable.feed.tape.player import Playback
from livetable.feed.tape.reader import TapeReader


def run(options: argparse.Namespace, publisher: Publisher, stop: threading.Event) -> None:
    """Publish a tape's states until its end, or for ever with `loop`."""
    playback = Playback(TapeReader(Path(options.file)))
    try:
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
        # In pieces: a wait of years, as slow a tape may ask for, is longer than a clock counts.
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
