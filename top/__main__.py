"""`python -m livetable`: the viewer."""

from livetable.tui.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
