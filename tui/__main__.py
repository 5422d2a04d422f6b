"""The `livetable` command."""

from livetable.tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
