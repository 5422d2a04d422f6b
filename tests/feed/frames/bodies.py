"""Frames as bodies and back, for the tests of encoder, decoder and capture."""

from __future__ import annotations

from typing import Any

from livetable.feed.frames.capture import capture
from livetable.feed.frames.decoder import Decoded, Decoder
from livetable.feed.frames.encoder import Encoder
from tests.ugly import ugly_frames

UGLY = ugly_frames()


def there_and_back(frame: Any) -> Decoded:
    return Decoder()(Encoder()(capture(frame)).data)
