"""A place in the memory of a feed on this machine."""

from __future__ import annotations

import os

from livetable.feed.protocol.place import Place

PLACE = Place(os.getpid(), 3, "livetable-00112233445566778899aabbccddeeff", 4096, 5)
