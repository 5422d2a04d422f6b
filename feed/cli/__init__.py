"""The `livetable-feed` command, and what it shares with `livetable`."""
