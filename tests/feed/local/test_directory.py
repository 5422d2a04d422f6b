"""livetable.feed.local.directory: names, liveness, stale leftovers, other people's folders."""

from __future__ import annotations
