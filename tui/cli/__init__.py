"""The `livetable` command: parse, refuse what can't be done, run."""
