"""The `livetable-feed` command."""
