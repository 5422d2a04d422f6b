"""`python -m livetable`: the viewer."""

from livetable.tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
