"""The `livetable-feed` command."""

from livetable.feed.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
